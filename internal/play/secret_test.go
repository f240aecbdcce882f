package play

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// A known plaintext and a known link appear nowhere in the server's files,
// in what stands between client and server, or in either's logs; nor in the files of the
// devices.
func TestPlaintextNowhere(t *testing.T) {
	const secret = "the heron flies at midnight"
	const link = "https://only.here.example/a-link-that-exists-nowhere-else"
	logs, between := new(Recorder), new(Recorder)
	w := &World{T: t, Clock: NewClock(), Log: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	w.Home = &Host{w: w, Dir: t.TempDir(), Wire: between}
	w.Home.Start()
	t.Cleanup(w.Home.Stop)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Send(bo.Handle, secret)
	accept(t, bo, ana.Handle)
	bo.Send(ana.Handle, link)
	ana.Reads(bo.Handle, secret, link)
	bo.Away()
	ana.Send(bo.Handle, secret+" "+link) // stays at the server
	group(t, "the quiet title", ana, w.Person("cy"))
	w.Log.Debug("the log is written down")
	if between.Len() < 10_000 || !logs.Contains([]byte("the log is written down")) {
		t.Fatalf("only %d bytes on the wire and %d in the logs: the recorders record nothing", between.Len(), logs.Len())
	}
	if !between.Contains([]byte("sotto")) && !between.Contains([]byte("GET /v1/log")) {
		t.Fatal("the wire was not recorded in plain")
	}
	for _, x := range []string{secret, link, "heron", "only.here.example", "the quiet title"} {
		if between.Contains([]byte(x)) {
			t.Errorf("%q crossed the wire", x)
		}
		if logs.Contains([]byte(x)) {
			t.Errorf("%q stands in a log", x)
		}
		for _, dir := range []string{w.Home.Dir, ana.Home, bo.Home} {
			if files := FilesWith(t, dir, []byte(x)); len(files) > 0 {
				t.Errorf("%q stands in %v", x, files)
			}
		}
	}
}

// Bo is away, Ana sends, the server stops and starts, Bo
// reads everything once, in order; afterwards the entries are in no file of the server.
func TestAwayAndErased(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Send(bo.Handle, "zero")
	accept(t, bo, ana.Handle)
	bo.Reads(ana.Handle, "zero")
	bo.Sync()
	bo.Away()
	want := []string{"zero"}
	var entries [][]byte
	m := ana.Reader(bo.Handle)
	for _, x := range []string{"one", "two", "three", "four"} {
		ana.Send(bo.Handle, x)
		want = append(want, x)
	}
	for _, e := range m.entries(t) {
		entries = append(entries, e.Bytes)
	}
	if len(entries) < 4 {
		t.Fatalf("%d entries wait at the server", len(entries))
	}
	w.Home.Stop()
	for _, e := range entries {
		if len(FilesWith(t, w.Home.Dir, e[:64])) == 0 {
			t.Fatal("an entry that was acknowledged is in no file: the search finds nothing")
		}
	}
	w.Home.Start()
	bo.Back()
	bo.Reads(ana.Handle, want...)
	bo.Sync()
	ana.Sync()
	var still []string
	ana.Eventually("the entries are gone", func() bool { // once both have said that they have them
		if err := w.Home.Server.Sweep(); err != nil {
			t.Fatal(err)
		}
		still = nil
		for _, e := range entries {
			still = append(still, FilesWith(t, w.Home.Dir, e[:64])...)
		}
		return len(still) == 0
	}, func() any { return still })
	bo.Away()
	bo.Back()
	bo.Sync()
	bo.Reads(ana.Handle, want...)
}

// reader reads a person's log with the person's own cursor, beside the client.
type reader struct {
	raw *Raw
	gen store.Generation
}

// Reader opens one; the person is away for a moment.
func (p *Person) Reader(to string) *reader {
	p.w.T.Helper()
	p.Sync()
	m := p.Turn(to)
	p.Back()
	p.Sync()
	return &reader{m.Raw, m.Gen}
}

func (r *reader) entries(t *testing.T) []wire.Entry {
	f, err := r.raw.Call(wire.OpRead, wire.Read{Secret: r.gen.Secret, After: r.gen.Seq, Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	var a wire.ReadAnswer
	if err := wire.Unmarshal(f.Body, &a); err != nil {
		t.Fatal(err)
	}
	return a.Entries
}

// A stranger's first message is a request; no host that it names is
// contacted before acceptance; a blocked person's messages are not shown.
func TestStranger(t *testing.T) {
	w := New(t)
	far := w.Host()
	bo, mal := w.Person("bo"), w.PersonAt("mal", far)
	mal.Send(bo.Handle, "buy this")
	bo.Eventually("has a request", func() bool { return len(must(bo.Client.Requests())) == 1 }, func() any { return nil })
	if got := must(bo.Client.Requests())[0]; got.Text != "buy this" || got.Handle != mal.Handle {
		t.Fatalf("request %q of %s", got.Text, got.Handle)
	}
	bo.Sync()
	if bo.Hosts.Contains([]byte(far.Name)) {
		t.Fatal("the stranger's host was contacted before acceptance")
	}
	if len(must(bo.Client.Rooms())) != 0 {
		t.Fatal("the stranger's room was entered before acceptance")
	}
	accept(t, bo, mal.Handle)
	bo.Reads(mal.Handle, "buy this")
	if !bo.Hosts.Contains([]byte(far.Name)) {
		t.Fatal("the host was not contacted after acceptance: the recorder records nothing")
	}
	if err := bo.Client.Block(mal.Handle); err != nil {
		t.Fatal(err)
	}
	mal.Send(bo.Handle, "buy that")
	bo.Sync()
	bo.Reads(mal.Handle, "buy this")
	group2 := func() error {
		_, err := mal.Client.CreateRoom(patient(t), "offers", []string{bo.Handle})
		return err
	}
	if err := group2(); err != nil {
		t.Fatal(err)
	}
	mal.Sync()
	bo.Sync()
	if n := len(must(bo.Client.Requests())); n != 0 {
		t.Fatalf("%d requests of a blocked person", n)
	}
}

// Hosts with addresses in private ranges are not contacted unless allowed.
func TestPrivateHost(t *testing.T) {
	w := New(t)
	far := w.Host()
	ana := w.Nobody("ana", w.Home)
	ana.Mutate = func(o *client.Options) { o.PrivateHosts = nil }
	ana.Open()
	if err := ana.Client.CreateAccount(patient(t), ana.Handle, ""); err != nil {
		t.Fatal(err)
	}
	_, err := ana.Client.Send(patient(t), "bo@"+far.Name, client.Text("hi"))
	if err == nil || !strings.Contains(err.Error(), "private range") {
		t.Fatalf("writing to a private host: %v", err)
	}
}

// Each bad input answers its stable code and a
// sentence, and everything goes on.
func TestBadInput(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Send(bo.Handle, "before")
	accept(t, bo, ana.Handle)
	closed := httptest.NewServer(http.NotFoundHandler())
	dead := strings.TrimPrefix(closed.URL, "http://")
	closed.Close()
	forged := forger(t, ana)
	for _, c := range []struct {
		to   string
		code wire.Code
		text string
	}{
		{"nobody@" + w.Home.Name, wire.CodeNoHandle, ""},
		{"bo@@x", wire.CodeMalformed, "not a host"},
		{"b o@x.org", wire.CodeMalformed, "not a name"},
		{"nothing", wire.CodeInternal, "no such room"},
		{"bo@" + dead, wire.CodeInternal, "cannot be reached"},
		{"bo@" + forged, wire.CodeInternal, "does not verify"},
		{"eve@" + forged, wire.CodeBadChain, "with the account of"},
		{ana.Handle, wire.CodeMalformed, "yourself"},
	} {
		_, err := ana.Client.Send(patient(t), c.to, client.Text("hi"))
		if err == nil || wire.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v (%v)", c.to, err, wire.CodeOf(err))
		}
	}
	if _, err := ana.Client.Send(patient(t), bo.Handle, client.Text(strings.Repeat("x", 300_000))); err == nil {
		t.Error("an oversized message was taken")
	}
	taken := w.Nobody("bo", w.Home)
	taken.Open()
	if err := taken.Client.CreateAccount(patient(t), bo.Handle, ""); wire.CodeOf(err) != wire.CodeHandleTaken {
		t.Errorf("a taken handle: %v", err)
	}
	if err := taken.Client.CreateAccount(patient(t), "bo2@"+w.Home.Name, ""); err != nil {
		t.Errorf("another handle after a taken one: %v", err)
	}
	ana.Send(bo.Handle, "after")
	bo.Reads(ana.Handle, "before", "after")
}

// A device whose handle was refused has no account, and keeps no connection for one: it does
// not come back to the home server until it is to make another, and then on one connection.
func TestRefusedHandle(t *testing.T) {
	w := New(t)
	bo := w.Person("bo")
	other := w.Nobody("bo", w.Home)
	between := other.Between()
	other.Open()
	if err := other.Client.CreateAccount(patient(t), bo.Handle, ""); wire.CodeOf(err) != wire.CodeHandleTaken {
		t.Errorf("a taken handle: %v", err)
	}
	before := between.Dialled("/v1/account")
	w.Clock.Advance(5 * time.Minute)
	other.Steps()
	if n := between.Dialled("/v1/account"); n != before {
		t.Errorf("%d connections for no account", n-before)
	}
	if err := other.Client.CreateAccount(patient(t), "bo2@"+w.Home.Name, ""); err != nil {
		t.Errorf("another handle: %v", err)
	}
	w.Clock.Advance(5 * time.Minute)
	other.Sync()
	if n := between.Dialled("/v1/account"); n != before+1 {
		t.Errorf("%d connections for one account", n-before)
	}
}

// forger is a directory that answers with chains that are not the account's.
func forger(t *testing.T, ana *Person) string {
	k, err := identity.NewKeys(rnd)
	if err != nil {
		t.Fatal(err)
	}
	h := wire.Handle{Name: "mal", Host: "elsewhere.example"}
	good := k.Genesis(h, time.Now())
	bad := append([]byte(nil), good...)
	bad[len(bad)-1] ^= 1
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chain := bad
		if strings.HasSuffix(r.URL.Path, "/eve") {
			chain = good
		}
		w.Write(wire.Marshal(wire.Lookup{Handle: "x", Chain: [][]byte{chain}}))
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// A truncated database, and one opened with another key, answer with a sentence and are
// left alone.
func TestDamagedDatabase(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	ana.Away()
	path := ana.Home + "/sotto.db"
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"cut": whole[:len(whole)/2], "short": whole[:100], "empty": nil} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		ana.Mutate = func(o *client.Options) { o.Store.Existing = true }
		if err := ana.open(); err == nil {
			t.Errorf("%s: opened", name)
		} else if len(err.Error()) < 20 {
			t.Errorf("%s: %v", name, err)
		}
		ana.Net.Close()
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	ana.Mutate = func(o *client.Options) { o.Store.Key[0] ^= 1 }
	if err := ana.open(); err == nil {
		t.Error("opened with another key")
	}
	ana.Net.Close()
	ana.Mutate = nil
	ana.Back()
	ana.Sync()
}

// A server restored from an old copy: it no longer holds what it acknowledged. The room
// moves on, and what was lost is sent again.
func TestServerRolledBack(t *testing.T) {
	w := New(t)
	far := w.Host()
	ana, bo := w.PersonAt("ana", far), w.Person("bo")
	ana.Send(bo.Handle, "one")
	accept(t, bo, ana.Handle)
	bo.Send(ana.Handle, "two")
	for _, p := range []*Person{ana, bo} {
		p.Eventually("has both", func() bool { return len(p.Texts(other(p, ana, bo).Handle)) == 2 }, func() any { return nil })
		p.Sync()
	}
	far.goesBack(func() {
		bo.Send(ana.Handle, "three")
		ana.Reads(bo.Handle, "one", "two", "three")
		ana.Sync()
		bo.Sync()
	})
	for _, p := range []*Person{ana, bo} {
		p.Told(client.NoticeFork)
		p.Told(client.NoticeMoved)
	}
	bo.Send(ana.Handle, "four")
	for _, p := range []*Person{ana, bo} {
		p.Reads(other(p, ana, bo).Handle, "one", "two", "three", "four")
	}
}

func other(p, a, b *Person) *Person {
	if p == a {
		return b
	}
	return a
}
