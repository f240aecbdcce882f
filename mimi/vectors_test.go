package mimi

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// vectorFile reads a file of the working group's examples. There is no skip:
// without the examples nothing here is proven.
func vectorFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectorFolder(), name))
	if err != nil {
		t.Fatalf("the draft's examples are missing: %v", err)
	}
	if len(b) == 0 {
		t.Fatalf("%s is empty", name)
	}
	return b
}

func vectorFolder() string {
	root := os.Getenv("SOTTO_VECTORS")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "vectors")
	}
	return filepath.Join(root, "mimi-content")
}

// edn is what the tests read from an example's annotated source.
type edn struct {
	id           MessageID
	salt         string
	sender, room string
}

var (
	ednID     = regexp.MustCompile(`message ID = h'([0-9a-f]{32})\s+#\s+([0-9a-f]{32})'`)
	ednSalt   = regexp.MustCompile(`h'([0-9a-f]{32})',\s+# salt`)
	ednSender = regexp.MustCompile(`(?m)^    1: "([^"]+)"`)
	ednRoom   = regexp.MustCompile(`(?m)^    2: "([^"]+)"`)
)

func readEDN(t testing.TB, name string) (e edn) {
	t.Helper()
	source := string(vectorFile(t, name+".edn"))
	find := func(re *regexp.Regexp) string {
		m := re.FindStringSubmatch(source)
		if m == nil {
			t.Fatalf("%s.edn has no %v", name, re)
		}
		return strings.Join(m[1:], "")
	}
	id, err := hex.DecodeString(find(ednID))
	if err != nil {
		t.Fatal(err)
	}
	copy(e.id[:], id)
	e.salt, e.sender, e.room = find(ednSalt), find(ednSender), find(ednRoom)
	return e
}

// want is the meaning of an example.
type want struct {
	name              string
	kind              Kind
	replaces, replyTo string // examples by name
	topic             string
	expires           *Expiry
	disposition       Disposition
	language          string
	text              string // "" for none
	markdown          bool
	reactions         []string
	files             []int // part indexes
}

var wants = []want{
	{name: "original", kind: KindText, disposition: Render, markdown: true,
		text: "Hi everyone, we just shipped release 2.0. __Good  work__!"},
	{name: "reply", kind: KindReply, replyTo: "original", disposition: Render, markdown: true,
		text: "Right on! _Congratulations_ 'all!"},
	{name: "reaction", kind: KindReaction, replyTo: "original", disposition: Reaction,
		text: "❤", reactions: []string{"❤"}},
	{name: "mention", kind: KindReply, replyTo: "original", disposition: Render, markdown: true,
		text: "Kudos to [@Alice Smith](mimi://example.com/u/alice-smith) for making the release happen!"},
	{name: "mention-html", kind: KindReply, replyTo: "original", disposition: Render},
	{name: "edit", kind: KindEdit, replaces: "reply", replyTo: "original", disposition: Render, markdown: true,
		text: "Right on! _Congratulations_ y'all!"},
	{name: "delete", kind: KindDelete, replaces: "reply", replyTo: "original", disposition: Render},
	{name: "unlike", kind: KindUnreact, replaces: "reaction", replyTo: "original", disposition: Reaction},
	{name: "expiring", kind: KindText, expires: &Expiry{false, 1644390004}, disposition: Render, markdown: true,
		text: "__*VPN GOING DOWN*__ I'm rebooting the VPN in ten minutes unless anyone objects."},
	{name: "attachment", kind: KindAttachment, disposition: Attachment, language: "en", files: []int{0}},
	{name: "conferencing", kind: KindOther, topic: "Foo 118", disposition: Session},
	{name: "multipart-1", kind: KindText, disposition: Render, markdown: true, text: "# Welcome!"},
	{name: "multipart-2", kind: KindReaction, disposition: Reaction, text: "❤", reactions: []string{"❤", "🥳", "🤞"}},
	{name: "multipart-3", kind: KindAttachment, disposition: Render, files: []int{5}},
}

func TestEveryVectorIsTested(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(vectorFolder(), "*.cbor"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no examples in %s: %v", vectorFolder(), err)
	}
	listed := []string{"implied-original.cbor"} // no message: TestImpliedValues
	for _, w := range wants {
		listed = append(listed, w.name+".cbor")
	}
	for _, f := range found {
		if !slices.Contains(listed, filepath.Base(f)) {
			t.Errorf("%s has no test", f)
		}
	}
	if len(found) != len(listed) {
		t.Errorf("%d examples, want %d", len(found), len(listed))
	}
}

func TestVectors(t *testing.T) {
	for _, w := range wants {
		t.Run(w.name, func(t *testing.T) {
			b, source := vectorFile(t, w.name+".cbor"), readEDN(t, w.name)
			c, err := Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			out, err := c.Marshal()
			if err != nil || !bytes.Equal(out, b) {
				t.Errorf("Marshal: %v\n got %x\nwant %x", err, out, b)
			}
			id, err := c.MessageID(source.sender, source.room)
			if err != nil || id != source.id {
				t.Errorf("MessageID = %v, %v; want %v", id, err, source.id)
			}
			checkFields(t, c, w, source)
			checkMeaning(t, c, w)
		})
	}
}

func checkFields(t *testing.T, c *Content, w want, source edn) {
	t.Helper()
	if got := hex.EncodeToString(c.Salt[:]); got != source.salt {
		t.Errorf("salt = %s, want %s", got, source.salt)
	}
	if s, _ := c.SenderURI(); s != source.sender {
		t.Errorf("sender = %q", s)
	}
	if s, _ := c.RoomURI(); s != source.room {
		t.Errorf("room = %q", s)
	}
	checkID(t, "replaces", c.Replaces, w.replaces)
	checkID(t, "inReplyTo", c.InReplyTo, w.replyTo)
	if string(c.TopicID) != w.topic {
		t.Errorf("topic = %q, want %q", c.TopicID, w.topic)
	}
	if (c.Expires == nil) != (w.expires == nil) || c.Expires != nil && *c.Expires != *w.expires {
		t.Errorf("expires = %v, want %v", c.Expires, w.expires)
	}
	if c.Body.Disposition != w.disposition || c.Body.Language != w.language {
		t.Errorf("disposition %d, language %q", c.Body.Disposition, c.Body.Language)
	}
}

func checkID(t *testing.T, field string, got *MessageID, name string) {
	t.Helper()
	if name == "" {
		if got != nil {
			t.Errorf("%s = %v, want none", field, got)
		}
		return
	}
	if id := readEDN(t, name).id; got == nil || *got != id {
		t.Errorf("%s = %v, want %s, %v", field, got, name, id)
	}
}

func checkMeaning(t *testing.T, c *Content, w want) {
	t.Helper()
	if k := c.Kind(); k != w.kind {
		t.Errorf("kind = %v, want %v", k, w.kind)
	}
	text, ok := c.Text()
	if ok != (w.text != "") || text.Content != w.text || text.Markdown != w.markdown {
		t.Errorf("text = %+v, want %q", text, w.text)
	}
	if r := c.Reactions(); !slices.Equal(r, w.reactions) {
		t.Errorf("reactions = %q", r)
	}
	var files []int
	for _, l := range c.Attachments() {
		files = append(files, l.Index)
	}
	if !slices.Equal(files, w.files) {
		t.Errorf("files = %v, want %v", files, w.files)
	}
}

func parsed(t testing.TB, name string) *Content {
	t.Helper()
	c, err := Parse(vectorFile(t, name+".cbor"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAttachmentVector(t *testing.T) {
	e, ok := parsed(t, "attachment").Attachments()[0].Part.Body.(External)
	if !ok {
		t.Fatal("not external")
	}
	if e.ContentType != "video/mp4" || e.URL != "https://example.com/storage/8ksB4bSrrRE.mp4" ||
		e.Expires != 0 || e.Size != 708234961 || e.EncAlg != EncAES128GCM ||
		hex.EncodeToString(e.Key) != "21399320958a6f4c745dde670d95e0d8" ||
		hex.EncodeToString(e.Nonce) != "c86cf2c33f21527d1dd76f5b" || len(e.AAD) != 0 ||
		e.HashAlg != HashSHA256 ||
		hex.EncodeToString(e.ContentHash) != "9ab17a8cf0890baaae7ee016c7312fcc080ba46498389458ee44f0276e783163" ||
		e.Description != "2 hours of key signing video" || e.Filename != "bigfile.mp4" {
		t.Errorf("got %+v", e)
	}
}

func TestConferencingVector(t *testing.T) {
	e, ok := parsed(t, "conferencing").Body.Body.(External)
	if !ok || e.URL != "https://example.com/join/12345" || e.Description != "Join the Foo 118 conference" ||
		e.EncAlg != EncNone || e.HashAlg != HashNone || e.ContentType != "" || e.Filename != "" {
		t.Errorf("got %+v", e)
	}
}

func TestMentionVector(t *testing.T) {
	alice := readEDN(t, "original").sender
	got := parsed(t, "mention").Mentions(func(uri string) bool { return uri == alice })
	if len(got) != 1 || got[0] != (Link{"@Alice Smith", alice}) {
		t.Errorf("mentions = %v", got)
	}
	if got := parsed(t, "mention-html").Mentions(func(string) bool { return true }); got != nil {
		t.Errorf("mentions in HTML = %v", got)
	}
}

func TestMultipartVectors(t *testing.T) {
	m := parsed(t, "multipart-1").Body.Body.(Multi)
	if m.Semantics != ChooseOne || len(m.Parts) != 2 ||
		m.Parts[1].Body.(Single).ContentType != "application/vnd.examplevendor-fancy-im-message" {
		t.Errorf("multipart-1 = %+v", m)
	}
	if m := parsed(t, "multipart-2").Body.Body.(Multi); m.Semantics != ProcessAll || len(m.Parts) != 3 {
		t.Errorf("multipart-2 = %+v", m)
	}
	c := parsed(t, "multipart-3")
	gif := c.Leaves()[0].Part
	if s := gif.Body.(Single); s.ContentType != "image/gif" || gif.Disposition != Inline {
		t.Errorf("multipart-3 shows %+v", gif)
	}
	// Part 7 holds French HTML as its second alternative, part 9.
	png := c.Body.Body.(Multi).Parts[1].Body.(Multi)
	if fr := png.Parts[0].Body.(Multi).Parts[1]; fr.Language != "fr" {
		t.Errorf("part 9 has language %q", fr.Language)
	}
}

// The values that a client derives for "original" are an array of seven too,
// and no message. The example's two files disagree about the message ID: the
// .cbor kept the one of an earlier draft. The .edn has the right one.
func TestImpliedValues(t *testing.T) {
	b := vectorFile(t, "implied-original.cbor")
	if _, err := Parse(b); !errors.Is(err, ErrMalformed) {
		t.Errorf("Parse: %v", err)
	}
	var implied []any
	if err := cbor.Unmarshal(b, &implied); err != nil || len(implied) != 7 {
		t.Fatalf("%v, %v", implied, err)
	}
	original := readEDN(t, "original")
	if implied[1] != uint64(1644387225019) || implied[5] != original.sender || implied[6] != original.room {
		t.Errorf("implied values = %v", implied)
	}
	source := strings.Join(strings.Fields(string(vectorFile(t, "implied-original.edn"))), "")
	if !strings.Contains(source, original.id.String()) {
		t.Error("the .edn names another message ID than original.edn")
	}
	if stale, _ := implied[0].([]byte); bytes.Equal(stale, original.id[:]) {
		t.Error("implied-original.cbor has been corrected: say so above")
	}
}
