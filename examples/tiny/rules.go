package main

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math/bits"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"sotto/mls"
)

func runningHash(before octets, number uint64, entry octets) octets {
	return sum(string(before), string(binary.BigEndian.AppendUint64(nil, number)), string(sum(string(entry))))
}

// pad and unpad are section 12's.
func pad(b octets) []byte {
	n := len(b) + 1
	size := max(n, 256)
	if n > 256 {
		e := bits.Len(uint(n)) - 1
		unit := 1 << (e - bits.Len(uint(e)))
		size = (n + unit - 1) / unit * unit
	}
	return append([]byte(b+"\x80"), make([]byte, size-n)...)
}

func unpad(b []byte) octets {
	s := strings.TrimRight(string(b), "\x00")
	demand(strings.HasSuffix(s, "\x80"), "bad padding")
	return octets(s[:len(s)-1])
}

func gcm(key []byte) cipher.AEAD { return try(cipher.NewGCM(try(aes.NewCipher(key)))) }

func sealEntry(key []byte, log, inner octets) octets {
	nonce := random(12)
	return "\x01" + nonce + octets(gcm(key).Seal(nil, []byte(nonce), pad(inner), []byte(log)))
}

func openEntry(key []byte, log, entry octets) octets {
	n := 1
	if strings.HasPrefix(string(entry), "\x02") {
		n = 33
	}
	demand(len(entry) > n+12 && (entry[0] == 1 || n == 33), "no sealed entry")
	return unpad(try(gcm(key).Open(nil, []byte(entry[n:n+12]), []byte(entry[n+12:]), []byte(log+entry[1:n]))))
}

func claim(swap fields) octets { return sum("sotto swap v1", string(encode(pack(swap, "swap")))) }

// names says whether an entry names the swap that the server says it did.
func names(entry octets, did fields) bool {
	if did == nil {
		return !strings.HasPrefix(string(entry), "\x02")
	}
	swap := fields{"next": did["next"], "add": did["added"], "end": did["ended"]}
	return strings.HasPrefix(string(entry), "\x02"+string(claim(swap)))
}

func verified(key octets, label string, message, signature octets) {
	demand(len(key) == 32 && ed25519.Verify([]byte(key), []byte(octets(label)+message), []byte(signature)), "bad signature")
}

var (
	handleForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,30}[a-z0-9])?@`)
	nameForm   = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.|$))+$`)
	numberForm = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)$`)
	portForm   = regexp.MustCompile(`:([1-9][0-9]*)$`)
)

func hostOf(handle string) string {
	demand(len(handle) <= 320 && handleForm.MatchString(handle), "no handle: "+handle)
	return checkHost(handle[strings.Index(handle, "@")+1:])
}

func checkHost(host string) string {
	name := portForm.ReplaceAllString(host, "")
	port, err := strconv.ParseUint(strings.TrimPrefix(host[len(name):], ":"), 10, 16)
	demand(name == host || err == nil && port != 443, "no port: "+host)
	a, _ := netip.ParseAddr(strings.Trim(name, "[]"))
	six := a.Is6() && !a.Is4In6() && a.Zone() == "" && name == "["+a.String()+"]"
	dns := len(name) <= 253 && nameForm.MatchString(name) && !strings.HasSuffix(name, ".") && !numberForm.MatchString(name)
	demand(six || a.Is4() && name == a.String() || dns, "no host: "+host)
	return host
}

// A chain is an account's statements, verified (section 8).
type chain struct {
	account octets
	handle  string
	heads   []octets          // the hash of each statement
	keys    map[octets]octets // the Ed25519 key of each active device
}

const chainLabel = "sotto chain v1\x00"

func verify(statements []any) *chain {
	c, head, recovery, used := &chain{keys: map[octets]octets{}}, octets(make([]byte, 32)), octets(""), map[octets]bool{"": true}
	fresh := func(id octets) { demand(id == "" || !used[id], "used before"); used[id] = true }
	demand(len(statements) >= 1 && len(statements) <= 256, "a chain of no length")
	for i, raw := range statements {
		demand(len(raw.(octets)) <= 8192, "a long statement")
		signed := parse(raw.(octets), "signed")
		s := parse(signed.b("statement"), "statement")
		kind, device, by := s.n("kind"), s.m("device"), s.b("signer")
		there := 0
		for bit, name := range []string{"handle", "device", "revoked", "recovery"} {
			if s[name] != nil {
				there |= 1 << bit
			}
		}
		demand(kind <= 5 && (there == []int{16, 3, 2, 4, 8, 1}[kind] || kind == 1 && there == 11), "a statement's fields")
		demand(s.n("version") == 1 && s.n("position") == uint64(i) && s.b("previous") == head && (i == 0) == (kind == 1), "out of order")
		signer := c.keys[by]
		if i == 0 && by == device.b("name") {
			signer = device.b("key")
		} else if by == "" {
			signer = recovery
		}
		verified(signer, chainLabel, signed.b("statement"), signed.b("signature"))
		demand((signed["possession"] != nil) == (kind == 2 || kind == 4), "possession")
		if signed["possession"] != nil {
			verified(device.b("key")+s.m("recovery").b("key"), "sotto chain possession v1\x00", signed.b("statement"), signed.b("possession"))
		}
		fresh(device.b("name")) // names and keys differ in length
		fresh(device.b("key"))
		fresh(s.m("recovery").b("key"))
		switch kind {
		case 1, 2:
			c.keys[device.b("name")] = device.b("key")
		case 3:
			demand(c.keys[s.b("revoked")] != "" && (len(c.keys) > 1 || recovery != ""), "a revocation")
			delete(c.keys, s.b("revoked"))
		case 4:
			demand(recovery == "" || by == "", "a recovery key")
		}
		if s["recovery"] != nil {
			recovery = s.m("recovery").b("key")
		}
		if s["handle"] != nil {
			demand(s.t("handle") != c.handle && hostOf(s.t("handle")) != "", "no move")
			c.handle = s.t("handle")
		}
		head = sum(chainLabel, string(signed.b("statement")))
		c.heads = append(c.heads, head)
	}
	c.account = c.heads[0]
	return c
}

// credential is section 9's; proves demands that a chain proves a leaf.
func credential(leaf *mls.LeafNode) fields {
	demand(leaf != nil && leaf.Credential.Type == mls.CredentialBasic, "no credential")
	c := parse(octets(leaf.Credential.Identity), "credential")
	demand(c.n("version") == 1 && c.n("length") >= 1 && c.n("length") <= 256 && hostOf(c.t("handle")) != "", "a credential")
	return c
}

func (c *chain) proves(leaf *mls.LeafNode) {
	who := credential(leaf)
	demand(who.b("account") == c.account && who.n("length") <= uint64(len(c.heads)) && c.heads[who.n("length")-1] == who.b("head") &&
		c.keys[who.b("device")] == octets(leaf.SignatureKey), "a leaf without proof")
}

// roomContext reads section 11's; a group has these two extensions and no others.
func roomContext(list []mls.Extension) fields {
	demand(len(list) == 2 && list[0].Type == 3 && string(list[0].Data) == "\x02\xf0\xa0\x00\x00" && list[1].Type == 0xF0A0, "other extensions")
	var first struct {
		Rules uint16 `cbor:"1,keyasint"`
	}
	try(0, cbor.Unmarshal(list[1].Data, &first))
	demand(first.Rules == 1, "this room needs a newer version")
	c := parse(octets(list[1].Data), "context")
	demand(c.n("generation") >= 1 && c.n("kind") >= 1 && c.n("kind") <= 3 && c.n("lifetime") >= 60 && c.n("lifetime") <= 90*86400, "a context")
	demand(len(c.t("title")) <= 256 && len(c.b("picture")) <= 1024 && len(c.list("admins")) <= 64 && checkHost(c.t("host")) != "", "a context")
	for i, a := range c.list("admins") {
		demand(i == 0 || c.list("admins")[i-1].(octets) < a.(octets), "admins out of order")
	}
	return c
}

func tag(roomKey octets, leaf *mls.LeafNode) octets {
	h := hmac.New(sha256.New, []byte(roomKey))
	h.Write(leaf.SignatureKey)
	return octets(h.Sum(nil)[:16])
}

// judge demands of a commit what section 17 does, and answers what the group knows of chains
// after it: each account's statements.
func judge(g *mls.Group, s *mls.StagedCommit, proofs []any, did fields, chains map[octets][]any) map[octets][]any {
	before, after := roomContext(g.ContextExtensions()), roomContext(s.ContextExtensions())
	known, in, stay, devices, heir := maps.Clone(chains), map[any]bool{}, map[any]bool{}, map[[2]any]bool{}, any(nil)
	of := func(leaf *mls.LeafNode) *chain { return verify(known[credential(leaf).b("account")]) }
	aad := octets("")
	if len(proofs) > 0 {
		aad = sum("sotto proofs v1", string(encode(pack(proofs, "*proof"))))
	}
	demand(octets(s.AAD()) == aad, "proofs are not those of the commit")
	for _, p := range proofs {
		p, a := p.(fields), p.(fields).b("account")
		demand(len(p.list("statements")) > 0 && p.n("from") == uint64(len(known[a])), "a proof from elsewhere")
		known[a] = slices.Concat(known[a], p.list("statements"))
		demand(verify(known[a]).account == a, "a proof of another account")
	}
	for _, leaf := range g.Members() {
		in[credential(leaf)["account"]] = true
	}
	for _, leaf := range s.Members() {
		who := credential(leaf)
		device := [2]any{who["account"], who["device"]}
		if len(s.Added())+len(s.Removed())+len(proofs) > 0 {
			demand(!devices[device] && of(leaf).keys[who.b("device")] != "", "a device twice, or one that is revoked")
		}
		stay[who["account"]], devices[device], heir = true, true, cmp.Or(heir, who["account"])
	}
	for _, p := range proofs {
		a := p.(fields)["account"]
		demand(stay[a] || slices.ContainsFunc(s.Removed(), func(i uint32) bool { return credential(g.Member(i))["account"] == a }), "a proof of a stranger")
	}
	was, leaf := g.Member(s.Committer()), s.Member(s.Committer())
	old := credential(was)
	if s.HasPath() {
		now := credential(leaf)
		demand(now["account"] == old["account"] && now["device"] == old["device"] && leaf.SignatureKey.Equal(was.SignatureKey), "another committer")
		demand(now.n("length") >= old.n("length"), "a leaf that knows less")
		of(leaf).proves(leaf)
	}
	admin, group := slices.Contains(before.list("admins"), old["account"]), before.n("kind") == 2
	for _, p := range s.Proposals() {
		switch q := p.Proposal; {
		case p.ByReference:
			demand(q.Type == mls.ProposalRemove && !p.External && q.Removed == p.Sender, "a proposal by reference")
		case q.Type == mls.ProposalAdd:
			demand(admin && group || in[credential(q.KeyPackage.LeafNode())["account"]], "may not add")
		case q.Type == mls.ProposalRemove:
			gone := credential(g.Member(q.Removed))
			again := devices[[2]any{gone["account"], gone["device"]}]
			demand(admin && group || again || gone["account"] == old["account"] || of(g.Member(q.Removed)).keys[gone.b("device")] == "", "may not remove")
		default:
			demand(q.Type == mls.ProposalGroupContextExtensions, "a proposal")
		}
	}
	want, now := maps.Clone(before), maps.Clone(after)
	if group && !slices.ContainsFunc(before.list("admins"), func(a any) bool { return stay[a] }) {
		want["admins"] = []any{heir}
	}
	for _, free := range []string{"title", "picture", "disappear", "admins"} {
		if admin && (group || free != "admins") {
			delete(want, free)
			delete(now, free)
		}
	}
	demand(encode(pack(want, "context")) == encode(pack(now, "context")), "may not change the room so")
	demand(len(s.Added()) <= 50 && len(did.list("added")) == len(s.Added()) && len(did.list("ended")) == len(s.Removed()), "other cursors")
	for i, added := range s.Added() {
		of(s.Member(added)).proves(s.Member(added))
		demand(did.list("added")[i].(fields)["tag"] == tag(before.b("key"), s.Member(added)), "another cursor was added")
	}
	for i, removed := range s.Removed() {
		demand(did.list("ended")[i] == tag(before.b("key"), g.Member(removed)), "another cursor was ended")
	}
	demand(s.RemovesSelf() || did.b("next") == sum(string(try(s.Export("sotto token", []byte(before.b("log")), 32)))), "another next token")
	maps.DeleteFunc(known, func(a octets, _ []any) bool { return !stay[a] })
	return known
}
