package main

import (
	"crypto/hpke"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"sotto/mls"
)

type room struct {
	ID, Log       octets
	Host          string
	Number        uint64 // the last entry read, and the running hashes of late
	Hashes        map[uint64]octets
	Caught        int64 // when everything was read last
	First, Cursor octets
	Chains        map[octets][]any // statements by account
	Records       records
	Queue         []fields // payloads to be sent, one at a time
	Entry         octets   // the front of the queue, sealed
	Stopped       string   // why nothing more is read or sent

	conn  *conn
	group *mls.Group
	head  uint64 // the log's when the watch began
	stale uint64 // the epoch whose token the host refused
	sent  bool   // the host has answered to Entry

	gapped bool // entries had expired, perhaps a commit among them
}

// records are the storage of a group.
type records map[octets][]byte

func (r records) Put(k, v []byte)             { r[octets(k)] = slices.Clone(v) }
func (r records) Delete(k []byte)             { delete(r, octets(k)) }
func (r records) Get(k []byte) ([]byte, bool) { v, ok := r[octets(k)]; return slices.Clone(v), ok }
func (r records) Range(prefix []byte, fn func(k, v []byte) error) (err error) {
	for k, v := range r {
		if err == nil && strings.HasPrefix(string(k), string(prefix)) {
			err = fn([]byte(k), slices.Clone(v))
		}
	}
	return err
}

// accept opens an envelope (section 10) and joins the room that it invites to (section 15).
func (c *client) accept(sealed octets) {
	key := try(hpke.MLKEM768X25519().NewPrivateKey([]byte(c.XWing)))
	e := parse(unpad(try(hpke.Open(key, hpke.HKDFSHA256(), hpke.AES128GCM(), []byte("sotto inbox v1"), []byte(sealed)))), "envelope")
	sender, signature := verify(e.list("chain")), e.b("signature")
	e["signature"] = octets("")
	verified(sender.keys[e.b("from")], "sotto envelope v1\x00", encode(pack(e, "envelope")), signature)
	demand(e.b("to") == c.Device && e.n("kind") == 1, "no invitation to this device")
	once := sum(string(sender.account), string(e.b("body")))
	demand(!c.Seen[once], "an old envelope") // its Welcome may be for the last resort, which opens again
	c.Seen[once] = true
	i := parse(e.b("body"), "invitation")
	at := slices.IndexFunc(c.Rooms, func(r *room) bool { return r.ID == i.b("room") })
	demand(at < 0 || c.Rooms[at].Stopped != "" && c.Rooms[at].Chains[sender.account] != nil, "in the room, or invited by a stranger to it")
	demand(checkHost(i.t("host")) != "" && (i["bundle"] == nil) != (i["blob"] == nil), "an invitation")
	bundle := parse(c.bundle(i), "bundle")
	r := &room{ID: i.b("room"), Log: i.m("at").b("log"), Host: i.t("host"), Number: i.m("at").n("number"), Caught: time.Now().Unix(),
		First: i.b("cursor"), Cursor: random(32), Chains: map[octets][]any{}, Records: records{}}
	r.Hashes = map[uint64]octets{r.Number: i.m("at").b("hash")}
	demand(r.Number > 0 || r.Hashes[0] == sum("sotto log v1", string(r.Log)), "another empty log")
	for _, p := range bundle.list("chains") {
		p := p.(fields)
		demand(p.n("from") == 0 && verify(p.list("statements")).account == p.b("account"), "a chain of the bundle")
		r.Chains[p.b("account")] = p.list("statements")
	}
	var ref octets
	for _, known := range try(mls.WelcomeRefs([]byte(i.b("welcome")))) {
		if c.Packages[octets(known)] != nil {
			ref = octets(known)
		}
	}
	kp := try(mls.ParseKeyPackageSecrets(c.Packages[ref]))
	r.group = try(mls.JoinGroup(c.config(), []byte(i.b("welcome")), kp, []byte(bundle.b("tree"))))
	r.check(i, sender.account, e.b("from"))
	if len(kp.Public.Extensions) == 0 { // a last resort has one
		delete(c.Packages, ref)
	}
	capability := random(32)
	c.home().must("capability", fields{"add": []any{sum(string(capability))}})
	joined := encode(pack(fields{"host": hostOf(c.Handle), "inbox": c.Inbox, "capability": capability}, "joined"))
	r.Queue = []fields{{"kind": uint64(3), "body": joined}}
	try(0, r.group.Flush(r.Records))
	if at >= 0 {
		if old := c.Rooms[at]; old.conn != nil {
			old.conn.ask("drop", fields{"cursor": old.Cursor})
		}
		c.Rooms = slices.Delete(c.Rooms, at, at+1)
	}
	c.Rooms = append(c.Rooms, r)
	c.save()
	c.note("invited by %s to %s", sender.handle, r.name())
	c.enter(r)
}

// check demands of a group just joined what point 5 of section 15 does.
func (r *room) check(i fields, account, device octets) {
	x := r.context()
	demand(x["room"] == i["room"] && x["generation"] == i["generation"] && x["kind"] == i["kind"] && x["host"] == i["host"] && x["log"] == r.Log,
		"the group is not the invitation's")
	accounts, devices := map[octets]bool{}, map[[2]octets]bool{}
	for _, leaf := range r.group.Members() {
		who := credential(leaf)
		verify(r.Chains[who.b("account")]).proves(leaf)
		owner := [2]octets{who.b("account"), who.b("device")}
		demand(!devices[owner], "a device twice")
		accounts[owner[0]], devices[owner] = true, true
	}
	demand(devices[[2]octets{account, device}], "the sender is not in the room")
	demand(len(accounts) == len(r.Chains) && (x.n("kind") != 1 || len(accounts) <= 2), "other accounts")
}

func (c *client) bundle(i fields) octets {
	b := i.m("blob")
	if b == nil {
		return i.b("bundle")
	}
	web, address := c.http(checkHost(b.t("host")))
	answer := try(web.Get(fmt.Sprintf("%s/v1/blobs/%x", address, string(b.b("blob")))))
	defer answer.Body.Close()
	blob := try(io.ReadAll(io.LimitReader(answer.Body, 16<<20)))
	demand(sum(string(blob)) == b.b("hash"), "another blob")
	return octets(try(gcm([]byte(b.b("key"))).Open(nil, make([]byte, 12), blob, []byte("sotto bundle v1"))))
}

func (c *client) config() mls.Config { return mls.Config{Signer: c.signer()} }
func (r *room) context() fields      { return roomContext(r.group.ContextExtensions()) }
func (r *room) name() string {
	if title := r.context().t("title"); title != "" {
		return title
	}
	return fmt.Sprintf("%x", string(r.ID[:4]))
}

func (c *client) stop(r *room, why string) {
	c.note("stopped: %s", why)
	r.Stopped = why
	c.save()
}

// enter claims the cursor and watches (sections 15 and 16).
func (c *client) enter(r *room) {
	if r.Stopped != "" {
		return
	}
	r.group = try(mls.LoadGroup(c.config(), r.Records))
	r.conn = c.dial(r.Host, "/v1/log")
	if r.First != "" {
		r.conn.ask("claim", fields{"cursor": r.First, "next": sum(string(r.Cursor))}) // the watch tells whether it is ours
		r.First = ""
		c.save()
	}
	c.refs = append(c.refs, r)
	from := fields{"ref": len(c.refs) - 1, "cursor": r.Cursor, "after": r.Number}
	states := r.conn.must("watch", fields{"places": []any{from}, "credit": 1 << 20}).list("states")
	demand(len(states) == 1, "an answer to another watch")
	s := states[0].(fields)
	r.head, r.stale, r.sent = s.n("head"), 0, false
	switch {
	case s.n("code") == 8:
		c.stop(r, "the place in the log is lost")
	case s.n("acked") > r.Number:
		c.stop(r, "another copy of this file has read on")
	case r.head < r.Number || r.head == r.Number && s.b("hash") != r.Hashes[r.Number]:
		c.stop(r, "the host went back")
	}
	c.flush(r)
}

// entry takes an entry (section 16).
func (c *client) entry(r *room, e fields) {
	n, hash, did := e.n("number"), runningHash(r.Hashes[r.Number], e.n("number"), e.b("bytes")), e["did"]
	r.conn.must("credit", fields{"bytes": len(e.b("bytes"))})
	if r.Stopped != "" || n <= r.Number {
		return
	}
	away := time.Since(time.Unix(r.Caught, 0)) > time.Duration(r.context().n("lifetime"))*time.Second
	gap := n > r.Number+1
	if gap && !away || !gap && hash != e.b("hash") {
		c.stop(r, "the host leaves entries out or shows another history")
		return
	}
	if !names(e.b("bytes"), e.m("did")) {
		c.stop(r, "the host says another swap than the entry")
		return
	}
	r.gapped = r.gapped || gap
	if err := guard(func() { c.read(r, e) }); err != nil && (did != nil || r.gapped) {
		c.stop(r, fmt.Sprintf("entry %d: %v", n, err)) // the log ends before it
		return
	}
	r.Number, r.Hashes[n] = n, e.b("hash")
	maps.DeleteFunc(r.Hashes, func(old uint64, _ octets) bool { return old+512 < n })
	if n >= r.head {
		r.Caught = time.Now().Unix()
	}
	try(0, r.group.Flush(r.Records))
	if !r.group.Active() {
		c.note("removed from a room")
		c.Rooms = slices.DeleteFunc(c.Rooms, func(old *room) bool { return old == r })
	}
	c.save()
	r.conn.must("ack", fields{"cursor": r.Cursor, "through": n})
	c.flush(r)
}

// read opens an entry and does what it says. With a Did every refusal stops the room.
func (c *client) read(r *room, e fields) {
	did := e.m("did")
	if e.b("bytes") == r.Entry {
		r.Queue, r.Entry, r.sent = r.Queue[1:], "", false
		demand(did == nil, "the host swapped at a message")
		return
	}
	log := []byte(r.Log)
	inner := parse(openEntry(try(r.group.Export("sotto entry", log, 16)), r.Log, e.b("bytes")), "inner")
	got, err := r.group.Open([]byte(inner.b("message")))
	if errors.Is(err, mls.ErrCopy) {
		c.stop(r, "another copy of this file writes")
	}
	try(0, err)
	demand((got.Kind == mls.KindCommit) == (did != nil), "a swap without a commit or a commit without a swap")
	switch got.Kind {
	case mls.KindCommit:
		r.Chains = judge(r.group, got.Staged, inner.list("proofs"), did, r.Chains)
		try(0, r.group.Merge(got.Staged))
		r.Entry, r.sent = "", false // what was on its way came too late
	case mls.KindApplication:
		p := parse(octets(got.Plaintext), "payload")
		if ours := r.Hashes[p.n("number")]; ours != "" && ours != p.b("hash") || p.n("number") > r.Number {
			c.note("%s: the host shows another history to a member", r.name())
		}
		who := verify(r.Chains[credential(r.group.Member(got.Sender)).b("account")])
		once := sum(string(who.account), string(p.b("body"))) // it may be sent again when the room has moved
		if text := textOf(p); text != "" && !c.Seen[once] {
			c.Seen[once] = true
			fmt.Fprintln(c.out, plain(fmt.Sprintf("%s: %s: %s", r.name(), who.handle, text)))
		}
	}
}

const markdown = "text/markdown;variant=GFM-MIMI"

var htmlTag = regexp.MustCompile(`<([/!?a-zA-Z])`)

// plain is text that does not drive a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}

// textOf is the text of a message that is neither an edit nor a reaction (section 13).
func textOf(p fields) string {
	if k := p.n("kind"); k == 1 || k == 20 {
		if content, _ := decode(p.b("body")).([]any); len(content) == 7 && content[1] == nil {
			if part, _ := content[6].([]any); len(part) == 5 && part[0] == uint64(1) && part[2] == uint64(1) && part[3] == markdown {
				text, _ := part[4].(octets)
				return strings.ReplaceAll(string(text), "&lt;", "<")
			}
		}
	}
	return ""
}

// write queues a line for the room that was joined last.
func (c *client) write(line string) {
	if len(c.Rooms) == 0 {
		c.note("in no room")
		return
	}
	r := c.Rooms[len(c.Rooms)-1]
	content := encode([]any{random(16), nil, octets(""), nil, nil, map[int]any{}, []any{1, "", 1, markdown, octets(htmlTag.ReplaceAllString(line, "&lt;$1"))}})
	r.Queue = append(r.Queue, fields{"kind": uint64(1), "body": content})
	c.save()
	c.flush(r)
}

// flush sends the front of the queue when everything is read. It is sent again, in the same
// bytes, until it is read in the log; or sealed anew in the next epoch when its token is stale.
func (c *client) flush(r *room) {
	if r.Stopped != "" || len(r.Queue) == 0 || r.conn == nil || r.sent || r.Number < r.head {
		return
	}
	if !r.group.Active() || r.stale > r.group.Epoch() {
		return
	}
	log := []byte(r.Log)
	if r.Entry == "" {
		p := fields{"number": r.Number, "hash": r.Hashes[r.Number], "time": time.Now().UnixMilli()}
		maps.Copy(p, r.Queue[0])
		message, _, err := r.group.Seal(nil, []byte(encode(pack(p, "payload"))))
		inner := encode(pack(fields{"message": octets(try(message, err))}, "inner"))
		r.Entry = sealEntry(try(r.group.Export("sotto entry", log, 16)), r.Log, inner)
		try(0, r.group.Flush(r.Records))
		c.save()
	}
	_, code := r.conn.ask("append", fields{"log": r.Log, "token": try(r.group.Export("sotto token", log, 32)), "entry": r.Entry})
	switch code {
	case 0:
		r.sent = true
	case 6:
		r.Entry, r.stale = "", r.group.Epoch()+1
	case 1, 2:
		c.note("%s: not sent, code %d", r.name(), code)
		r.Queue, r.Entry = r.Queue[1:], ""
	}
}
