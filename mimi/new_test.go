package mimi

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

const (
	bob         = "mimi://example.com/u/bob-jones"
	engineering = "mimi://example.com/r/engineering_team"
)

// random is a reader whose octets count up: what is made of it is the same in
// every run.
func random() io.Reader { return strings.NewReader("0123456789abcdef0123456789abcdef") }

func someID(b byte) MessageID {
	id := MessageID{hashSHA256}
	id[31] = b
	return id
}

// sent marshals, parses and compares.
func sent(t *testing.T, c *Content, err error) *Content {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.From(bob, engineering).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, c) {
		t.Fatalf("got  %+v\nwant %+v", got, c)
	}
	if string(got.Salt[:]) != "0123456789abcdef" {
		t.Errorf("salt = %q", got.Salt)
	}
	return got
}

// What the constructors make is, but for the salt, what the draft shows.
func TestConstructorsMakeTheVectors(t *testing.T) {
	original, reply, reaction := readEDN(t, "original").id, readEDN(t, "reply").id, readEDN(t, "reaction").id
	salt := func(name string) io.Reader { s := parsed(t, name).Salt; return bytes.NewReader(s[:]) }
	replying := func(c *Content, err error) (*Content, error) { c.InReplyTo = &original; return c, err }
	video := parsed(t, "attachment").Body.Body.(External)
	alice := Mention("@Alice Smith", "mimi://example.com/u/alice-smith")

	for name, build := range map[string]func(io.Reader) (*Content, error){
		"original": func(r io.Reader) (*Content, error) {
			return NewText(r, "Hi everyone, we just shipped release 2.0. __Good  work__!")
		},
		"reply": func(r io.Reader) (*Content, error) {
			return NewReply(r, original, "Right on! _Congratulations_ 'all!")
		},
		"mention": func(r io.Reader) (*Content, error) {
			return NewReply(r, original, "Kudos to "+alice+" for making the release happen!")
		},
		"reaction": func(r io.Reader) (*Content, error) { return NewReaction(r, original, "❤") },
		"unlike":   func(r io.Reader) (*Content, error) { return NewUnreact(r, reaction, original) },
		"edit": func(r io.Reader) (*Content, error) {
			return replying(NewEdit(r, reply, "Right on! _Congratulations_ y'all!"))
		},
		"delete": func(r io.Reader) (*Content, error) { return replying(NewDelete(r, reply)) },
		"expiring": func(r io.Reader) (*Content, error) {
			c, err := NewText(r, "__*VPN GOING DOWN*__ I'm rebooting the VPN in ten minutes unless anyone objects.")
			return c, errors.Join(err, c.ExpireAt(time.Unix(1644390004, 0)))
		},
		"attachment": func(r io.Reader) (*Content, error) {
			c, err := NewAttachment(r, "", video)
			c.Body.Language = "en"
			return c, err
		},
	} {
		c, err := build(salt(name))
		if err != nil {
			t.Fatal(name, err)
		}
		e := readEDN(t, name)
		b, err := c.From(e.sender, e.room).Marshal()
		if err != nil || !bytes.Equal(b, vectorFile(t, name+".cbor")) {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
}

func TestSeveralReactions(t *testing.T) {
	c, err := NewReaction(random(), someID(1), "❤", "🥳")
	c = sent(t, c, err)
	if c.Kind() != KindReaction || !reflect.DeepEqual(c.Reactions(), []string{"❤", "🥳"}) {
		t.Errorf("%v %q", c.Kind(), c.Reactions())
	}
}

func TestAttachmentsWithCaption(t *testing.T) {
	photo := External{ContentType: "image/jpeg", URL: "https://example.org/b/1", EncAlg: EncChunkedCobblestone128, Key: make([]byte, 16)}
	note := External{ContentType: "text/html", URL: "https://example.org/b/2", Filename: "notes.html"}
	c, err := NewAttachment(random(), "look", photo, note)
	c = sent(t, c, err)
	files := c.Attachments()
	if c.Kind() != KindAttachment || len(files) != 2 || files[0].Index != 2 || files[1].Index != 3 {
		t.Errorf("%v %+v", c.Kind(), files)
	}
	if text, _ := c.Text(); text.Content != "look" || !text.Markdown {
		t.Errorf("caption = %+v", text)
	}
	to := someID(9)
	if c.InReplyTo = &to; c.Kind() != KindReply || len(c.Attachments()) != 2 {
		t.Error("a reply with files is not a reply, or has no files")
	}
	if !EncChunkedCobblestone128.Private() || EncChaCha20Poly1305.Private() {
		t.Error("private range")
	}
}

func TestConstructorsRefuse(t *testing.T) {
	long := strings.Repeat("x", MaxMessage+1)
	for name, test := range map[string]struct {
		build func() (*Content, error)
		class error
	}{
		"short salt":     {func() (*Content, error) { return NewText(strings.NewReader("15 octets only."), "") }, io.ErrUnexpectedEOF},
		"bad text":       {func() (*Content, error) { return NewText(random(), "\xff") }, ErrUTF8},
		"long text":      {func() (*Content, error) { return NewText(random(), long) }, ErrTooLarge},
		"no emoji":       {func() (*Content, error) { return NewReaction(random(), someID(1)) }, ErrMalformed},
		"empty emoji":    {func() (*Content, error) { return NewReaction(random(), someID(1), "") }, ErrMalformed},
		"long emoji":     {func() (*Content, error) { return NewReaction(random(), someID(1), long) }, ErrTooLarge},
		"bad emoji":      {func() (*Content, error) { return NewReaction(random(), someID(1), "\xff") }, ErrUTF8},
		"no file":        {func() (*Content, error) { return NewAttachment(random(), "") }, ErrMalformed},
		"key for no alg": {func() (*Content, error) { return NewAttachment(random(), "", External{Key: []byte{1}}) }, ErrMalformed},
		"bad caption":    {func() (*Content, error) { return NewAttachment(random(), "\xff", External{}) }, ErrUTF8},
	} {
		if c, err := test.build(); !errors.Is(err, test.class) || c != nil {
			t.Errorf("%s: %v, %v; want %v", name, c, err, test.class)
		}
	}
}

func TestMessageIDRefusesAnotherAddress(t *testing.T) {
	c := parsed(t, "reply")
	if _, err := c.MessageID("mimi://example.com/u/mallory", engineering); !errors.Is(err, ErrAddress) {
		t.Error(err)
	}
	if _, err := c.MessageID(bob, "mimi://example.com/r/other"); !errors.Is(err, ErrAddress) {
		t.Error(err)
	}
	if _, err := c.MessageID(bob, strings.Repeat("x", MaxURI+1)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	// A message need not name them; lengths keep "ab"+"c" from "a"+"bc".
	c.Extensions = nil
	x, err1 := c.MessageID("ab", "c")
	y, err2 := c.MessageID("a", "bc")
	if err1 != nil || err2 != nil || x == y {
		t.Error(x, y, err1, err2)
	}
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c, err := NewText(random(), "soon gone")
	if err := errors.Join(err, c.ExpireAfterRead(90*time.Second)); err != nil {
		t.Fatal(err)
	}
	if e := sent(t, c, nil).Expires; *e != (Expiry{true, 90}) || !e.Deadline(now).Equal(now.Add(90*time.Second)) {
		t.Errorf("%+v", e)
	}
	if err := c.ExpireAt(now); err != nil || !c.Expires.Deadline(time.Time{}).Equal(now) {
		t.Errorf("%+v, %v", c.Expires, err)
	}
	for _, err := range []error{
		c.ExpireAfterRead(0), c.ExpireAfterRead(-time.Hour), c.ExpireAfterRead(1 << 62),
		c.ExpireAt(time.Unix(-1, 0)), c.ExpireAt(time.Unix(1<<32, 0)),
		Expiry{false, 0}.Check(now), Expiry{false, 1<<32 - 1}.Check(now), Expiry{true, 1<<32 - 1}.Check(now),
	} {
		if !errors.Is(err, ErrExpiry) {
			t.Error(err)
		}
	}
	if err := (Expiry{true, 86400}).Check(now); err != nil {
		t.Error(err)
	}
}

func TestSaveName(t *testing.T) {
	for in, want := range map[string]string{
		"bigfile.mp4":         "bigfile.mp4",
		"../../etc/passwd":    "passwd",
		`C:\Windows\evil.exe`: "evil.exe",
		".bashrc":             "bashrc",
		"a\x00b\nc":           "abc",
		"photo\u202egpj.exe":  "photogpj.exe",
		"été 2026.jpg":        "été 2026.jpg",
		"..":                  "",
		"x/":                  "",
		"stream.txt:hidden":   "hidden",
		"what?.txt ":          "what.txt",
		"a\xffb":              "ab",
	} {
		if got := (External{Filename: in}).SaveName(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := (External{Filename: strings.Repeat("é", 200)}).SaveName(); len(got) != 254 {
		t.Errorf("%d octets", len(got))
	}
}
