package inbox_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"sotto/internal/server/engine"
	"sotto/internal/server/inbox"
	"sotto/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a set of inboxes with a clock.
type world struct {
	*inbox.Inboxes
	t   testing.TB
	fs  *vfs.MemFS
	db  *engine.DB
	now time.Time
}

func open(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, fs: vfs.NewMem(), now: time.Unix(1_800_000_000, 0)}
	w.start()
	t.Cleanup(func() {
		if err := w.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) start() {
	var err error
	if w.db, err = engine.Open(engine.Options{Dir: "data", FS: w.fs, ByHand: true}); err != nil {
		w.t.Fatal(err)
	}
	if w.Inboxes, err = inbox.Open(w.db, inbox.Options{Now: func() time.Time { return w.now }}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) restart() {
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.start()
}

func secret(s string) wire.Secret { return sha256.Sum256([]byte(s)) }

var (
	box    = wire.InboxName{1}
	public = secret("public")
)

// made is a world with Ana's inbox in it.
func made(t testing.TB) *world {
	w := open(t)
	w.must(w.Make(box, []byte("ana"), public))
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) put(c wire.Secret, text string) error {
	return w.Put(wire.Put{Inbox: box, Capability: c, Entry: []byte(text)})
}

func (w *world) refuses(err error, c wire.Code) {
	w.t.Helper()
	if wire.CodeOf(err) != c {
		w.t.Fatalf("got %v (%v), want %v", wire.CodeOf(err), err, c)
	}
}

func (w *world) reads(after uint64, want ...string) {
	w.t.Helper()
	_, watch, err := w.Watch(box, after, func() {})
	w.must(err)
	defer watch.Close()
	var got []string
	for {
		events, err := watch.Next(10)
		w.must(err)
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			got = append(got, string(e.Bytes))
		}
	}
	if len(got) != len(want) || fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Fatalf("reads %q, want %q", got, want)
	}
}

func TestPut(t *testing.T) {
	w := made(t)
	bo := secret("bo")
	w.refuses(w.put(bo, "x"), wire.CodeCapability)
	w.must(w.Capabilities(box, []wire.Hash{bo.Hash()}, nil))
	w.must(w.put(bo, "from bo"))
	w.must(w.put(public, "from a stranger"))
	w.must(w.put(bo, "from bo")) // stands already
	w.must(w.put(public, "from bo"))
	w.reads(0, "from bo", "from a stranger")
	w.reads(1, "from a stranger")
	unknown := w.Put(wire.Put{Inbox: wire.InboxName{9}, Capability: public, Entry: []byte("x")})
	wrong := w.put(secret("x"), "x")
	if unknown.Error() != wrong.Error() {
		t.Fatal("an unknown inbox answers otherwise than a wrong capability")
	}
	w.refuses(w.put(public, ""), wire.CodeMalformed)
	w.refuses(w.put(public, string(make([]byte, wire.MaxInboxEntry+1))), wire.CodeTooLarge)
	w.must(w.put(public, string(make([]byte, wire.MaxInboxEntry))))
	w.must(w.Capabilities(box, nil, []wire.Hash{bo.Hash()}))
	w.refuses(w.put(bo, "more"), wire.CodeCapability)
	w.must(w.Ack(box, 3))
	w.reads(0)
	w.must(w.put(public, "from bo")) // it stood no more
	w.reads(0, "from bo")
}

func TestStrangersCannotCrowdContactsOut(t *testing.T) {
	w := made(t)
	bo, cy := secret("bo"), secret("cy")
	w.must(w.Capabilities(box, []wire.Hash{bo.Hash(), cy.Hash()}, nil))
	for i := range wire.InboxStrangers {
		w.must(w.put(public, fmt.Sprint("stranger ", i)))
	}
	w.refuses(w.put(public, "one more"), wire.CodeInboxFull)
	w.must(w.put(public, "stranger 3")) // stands: nothing to add
	w.must(w.SetPublic(box, secret("new")))
	w.refuses(w.put(public, "old capability"), wire.CodeCapability)
	w.refuses(w.put(secret("new"), "still full"), wire.CodeInboxFull)
	for i := range wire.InboxPrivate {
		w.must(w.put(bo, fmt.Sprint("bo ", i)))
	}
	w.refuses(w.put(bo, "one more"), wire.CodeInboxFull)
	w.must(w.put(cy, "cy"))
	w.must(w.Ack(box, 1))
	w.must(w.put(secret("new"), "room again"))
	w.refuses(w.put(secret("new"), "and full"), wire.CodeInboxFull)
	w.must(w.Ack(box, wire.InboxStrangers+1))
	w.must(w.put(bo, "room again, bo"))
	w.refuses(w.put(bo, "and full"), wire.CodeInboxFull)
	w.restart()
	w.refuses(w.put(bo, "and full"), wire.CodeInboxFull)
	w.must(w.put(cy, "cy again"))
}

func TestExpiry(t *testing.T) {
	w := made(t)
	bo := secret("bo")
	w.must(w.Capabilities(box, []wire.Hash{bo.Hash()}, nil))
	w.must(w.put(bo, "bo"))
	w.must(w.put(public, "stranger"))
	w.now = w.now.Add(wire.InboxStrangerTime - time.Second)
	w.Tick(w.now)
	w.reads(0, "bo", "stranger")
	w.must(w.put(public, "second"))
	w.now = w.now.Add(time.Second)
	w.Tick(w.now)
	w.reads(0, "bo", "second")
	w.restart()
	w.now = w.now.Add(wire.InboxStrangerTime)
	w.Tick(w.now)
	w.reads(0, "bo")
	w.now = w.now.Add(wire.InboxPrivateTime)
	w.Tick(w.now)
	w.reads(0)
	for i := range wire.InboxStrangers { // what expired counts no more
		w.must(w.put(public, fmt.Sprint(i)))
	}
}

func TestWatch(t *testing.T) {
	w := made(t)
	_, _, err := w.Watch(wire.InboxName{9}, 0, func() {})
	w.refuses(err, wire.CodeCapability)
	w.must(w.put(public, "1"))
	var rings int
	state, watch, err := w.Watch(box, 0, func() { rings++ })
	w.must(err)
	if state != (wire.InboxState{Head: 1}) || rings != 1 {
		t.Fatal(state, rings)
	}
	w.must(w.put(public, "2"))
	if e, err := watch.Next(1); err != nil || len(e) != 1 || e[0].Seq != 1 || e[0].TimeMS != uint64(w.now.UnixMilli()) {
		t.Fatal(e, err)
	}
	if e, err := watch.Next(1000); err != nil || len(e) != 1 || e[0].Seq != 2 {
		t.Fatal(e, err)
	}
	if e, err := watch.Next(1000); err != nil || len(e) != 0 || rings != 2 {
		t.Fatal(e, err, rings)
	}
	w.refuses(w.Ack(box, 3), wire.CodePastHead)
	w.must(w.Ack(box, 2))
	w.must(w.Drop([]byte("ana")))
	if _, err := watch.Next(1000); rings != 3 {
		t.Fatal("nobody told that the inbox is gone")
	} else {
		w.refuses(err, wire.CodeCapability)
	}
	watch.Close()
	watch.Close()
}

func TestOwner(t *testing.T) {
	w := made(t)
	w.refuses(w.Make(box, []byte("mallory"), public), wire.CodeCapability)
	w.refuses(w.Make(box, nil, public), wire.CodeMalformed)
	w.must(w.put(public, "1"))
	w.must(w.Make(box, []byte("ana"), secret("new")))
	w.reads(0, "1")
	w.refuses(w.put(public, "x"), wire.CodeCapability)
	other := wire.InboxName{2}
	w.must(w.Make(other, []byte("ana"), public))
	w.refuses(w.put(secret("new"), "x"), wire.CodeCapability) // the first one ended
	if n, ok, err := w.Of([]byte("ana")); n != other || !ok || err != nil {
		t.Fatal(n, ok, err)
	}
	w.must(w.Drop([]byte("ana")))
	w.must(w.Drop([]byte("ana")))
	if _, ok, _ := w.Of([]byte("ana")); ok {
		t.Fatal("dropped and still there")
	}
	w.must(w.Make(box, []byte("mallory"), public))
	w.reads(0)
}

func TestCapabilityLimit(t *testing.T) {
	w := made(t)
	var all []wire.Hash
	for i := range wire.MaxCapabilities {
		all = append(all, secret(fmt.Sprint(i)).Hash())
	}
	w.must(w.Capabilities(box, all, nil))
	w.must(w.Capabilities(box, all[:3], nil)) // there already
	w.refuses(w.Capabilities(box, []wire.Hash{secret("x").Hash()}, nil), wire.CodeQuota)
	w.must(w.Capabilities(box, []wire.Hash{secret("x").Hash()}, all[:1]))
	w.refuses(w.put(secret("0"), "x"), wire.CodeCapability)
	w.must(w.put(secret("x"), "x"))
}

func TestEverybodyAtOnce(t *testing.T) {
	w := made(t)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 10 {
				if err := w.put(public, fmt.Sprint(i%8, " ", j)); err != nil && wire.CodeOf(err) != wire.CodeInboxFull {
					t.Errorf("%v", err)
				}
			}
		})
	}
	wg.Wait()
	state, watch, err := w.Watch(box, 0, func() {})
	w.must(err)
	defer watch.Close()
	if state.Head != 80 {
		t.Fatal(state)
	}
}

// TestErasedEverywhere acknowledges and looks for the bytes in every file; and each
// key that is left is one that the inventory declares.
func TestErasedEverywhere(t *testing.T) {
	w := made(t)
	needle := secret("needle")
	w.must(w.Capabilities(box, []wire.Hash{secret("bo").Hash()}, nil))
	w.must(w.put(public, string(needle[:])))
	w.must(w.put(secret("bo"), "stays"))
	w.must(w.Ack(box, 1))
	w.must(w.db.Sweep())
	names, err := w.fs.List("data")
	w.must(err)
	for _, name := range names {
		f, err := w.fs.Open(w.fs.PathJoin("data", name))
		w.must(err)
		all, err := io.ReadAll(f)
		w.must(err)
		w.must(f.Close())
		if bytes.Contains(all, needle[:]) {
			t.Errorf("the entry stands in %s", name)
		}
	}
	w.must(w.db.Scan(nil, nil, func(k, _ []byte) (bool, error) {
		if _, ok := append(inbox.Rows, engine.Rows...).Find(k); !ok {
			t.Errorf("key %q is not declared", k)
		}
		return true, nil
	}))
}
