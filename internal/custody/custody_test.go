package custody

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zalando/go-keyring"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a keyring in memory.
type shelf struct {
	mu   sync.Mutex
	m    map[string][]byte
	fail error
}

func (s *shelf) Get(name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.m[name]
	switch {
	case s.fail != nil:
		return nil, s.fail
	case !ok:
		return nil, ErrLost
	}
	return bytes.Clone(b), nil
}

func (s *shelf) Set(name string, secret []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if s.m == nil {
		s.m = map[string][]byte{}
	}
	s.m[name] = bytes.Clone(secret)
	return nil
}

func (s *shelf) Delete(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, name)
	return s.fail
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.m)
}

var (
	one = []byte("ebb and flow")
	two = []byte("salt and pepper")
)

func made(t *testing.T, ring Ring) (*Custody, [KeySize]byte) {
	t.Helper()
	cost := floor
	c := At(filepath.Join(t.TempDir(), "home"), Options{Ring: ring, Cost: &cost})
	if err := c.Make(); err != nil {
		t.Fatal(err)
	}
	key, err := c.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func opens(t *testing.T, c *Custody, passphrase []byte, want [KeySize]byte) {
	t.Helper()
	if key, err := c.Open(passphrase); err != nil || key != want {
		t.Fatalf("opened: %v, the same key: %v", err, key == want)
	}
}

func refused(t *testing.T, c *Custody, passphrase []byte, want error) {
	t.Helper()
	if key, err := c.Open(passphrase); !errors.Is(err, want) || key != [KeySize]byte{} {
		t.Fatalf("%v, not %v", err, want)
	}
}

// TestKinds goes through every custody and back; the key is the same all along.
func TestKinds(t *testing.T) {
	ring := &shelf{}
	c, key := made(t, ring)
	kind := func(want Kind) {
		t.Helper()
		if k, err := c.Kind(); k != want || err != nil {
			t.Fatalf("%q, %v, not %q", k, err, want)
		}
	}
	change := func(to Kind, old, next []byte, want error) {
		t.Helper()
		if err := c.Change(to, old, next); !errors.Is(err, want) {
			t.Fatalf("%v, not %v", err, want)
		}
	}
	kind(File)
	change(Passphrase, nil, one, nil)
	kind(Passphrase)
	opens(t, c, one, key)
	refused(t, c, nil, ErrLocked)
	refused(t, c, two, ErrWrong)
	refused(t, c, []byte("\xff"), ErrWrong)
	change(Passphrase, two, one, ErrWrong)
	change(File, nil, nil, ErrLocked)
	change(Passphrase, one, []byte("short"), ErrShort)
	change(Passphrase, one, []byte("two\nlines here"), ErrBadText)
	change(Passphrase, one, two, nil)
	refused(t, c, one, ErrWrong)
	opens(t, c, two, key)
	change(Keyring, two, nil, nil)
	kind(Keyring)
	opens(t, c, nil, key)
	if ring.count() != 1 {
		t.Fatalf("%d entries in the keyring", ring.count())
	}
	change(Keyring, nil, nil, nil)
	opens(t, c, nil, key)
	if ring.count() != 1 {
		t.Fatalf("%d entries in the keyring: the old one stayed", ring.count())
	}
	ring.fail = ErrKeyring
	refused(t, c, nil, ErrKeyring)
	change(File, nil, nil, ErrKeyring)
	ring.fail = nil
	change(File, nil, nil, nil)
	kind(File)
	opens(t, c, nil, key)
	if ring.count() != 0 {
		t.Fatalf("%d entries left in the keyring", ring.count())
	}
	ring.fail = ErrKeyring
	change(Keyring, nil, nil, ErrKeyring)
	kind(File)
	opens(t, c, nil, key)
	if c.Change("vault", nil, nil) == nil {
		t.Error("a kind that is none was taken")
	}
	onlyKey(t, c)
}

// onlyKey says that nothing is left beside the key file and the lock.
func onlyKey(t *testing.T, c *Custody) {
	t.Helper()
	entries, err := os.ReadDir(c.home)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != keyName && e.Name() != lockName {
			t.Errorf("%s is left", e.Name())
		}
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestNothingThere(t *testing.T) {
	c := At(filepath.Join(t.TempDir(), "none"), Options{Ring: &shelf{}})
	refused(t, c, nil, ErrNone)
	if err := c.Change(File, nil, nil); err == nil {
		t.Error("changed what is not there")
	}
	if _, err := os.Stat(c.home); err == nil {
		t.Error("a home was made by looking")
	}
	c, key := made(t, &shelf{})
	if err := c.Make(); err != nil {
		t.Fatal(err)
	}
	opens(t, c, nil, key)
	if err := os.WriteFile(c.path(DatabaseName), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(c.path(keyName)); err != nil {
		t.Fatal(err)
	}
	refused(t, c, nil, ErrMissing)
	if err := c.Make(); !errors.Is(err, ErrMissing) {
		t.Errorf("a second key was made: %v", err)
	}
}

// TestKeyboards: the same passphrase from keyboards that write it otherwise.
func TestKeyboards(t *testing.T) {
	c, key := made(t, &shelf{})
	if err := c.Change(Passphrase, nil, []byte("stra\u00dfe caf\u00e9\u00a0au lait")); err != nil {
		t.Fatal(err)
	}
	opens(t, c, []byte("stra\u00dfe cafe\u0301 au\u2003lait"), key)
	refused(t, c, []byte("strasse caf\u00e9 au lait"), ErrWrong)
	refused(t, c, []byte("Stra\u00dfe caf\u00e9 au lait"), ErrWrong)
}

var errCrash = errors.New("crash")

// TestCrash ends each change before each of its steps, as a crash would. What then stands
// opens with the old secret or the new one, and after that nothing is left of either the
// change or a key that lay bare.
func TestCrash(t *testing.T) {
	kinds := []Kind{File, Passphrase, Keyring}
	for _, from := range kinds {
		for _, to := range kinds {
			if from == File && to == File {
				continue
			}
			for n := 0; ; n++ {
				t.Run(fmt.Sprintf("%s to %s, step %d", from, to, n), func(t *testing.T) { n = crash(t, from, to, n) })
				if n < 0 || t.Failed() {
					break
				}
			}
		}
	}
}

// quick stands for argon2id where a test is about something else.
func quick(passphrase, salt []byte, _ Cost) []byte {
	h := sha256.Sum256(append(bytes.Clone(salt), passphrase...))
	return h[:]
}

func crash(t *testing.T, from, to Kind, n int) int {
	ring := &shelf{}
	c, key := made(t, ring)
	c.o.derive = quick
	if from != File {
		if err := c.Change(from, nil, one); err != nil {
			t.Fatal(err)
		}
	}
	dying := At(c.home, c.o)
	steps := 0
	dying.o.step = func(string) error {
		if steps++; steps > n {
			return errCrash // and nothing that comes after it happens
		}
		return nil
	}
	crashed := noCleaning(dying, func() error { return dying.Change(to, one, two) })
	if crashed == nil {
		n = -2 // every step was reached
	} else if !errors.Is(crashed, errCrash) {
		t.Fatal(crashed)
	}
	got, err := c.Open(one)
	if errors.Is(err, ErrWrong) {
		got, err = c.Open(two)
	}
	if err != nil || got != key {
		t.Fatalf("nothing opens it: %v", err)
	}
	onlyKey(t, c)
	if k, err := c.Kind(); err != nil || k != from && k != to {
		t.Fatalf("%q, %v", k, err)
	} else if k != File && holds(t, c, key[:]) {
		t.Error("the bare key lies in the home")
	}
	return n
}

// noCleaning runs a change that leaves its temporary file behind, as a crash does: a defer
// would remove it.
func noCleaning(c *Custody, change func() error) error {
	var name string
	var content []byte
	step := c.o.step
	c.o.step = func(s string) error {
		err := step(s)
		if err != nil {
			if left, _ := filepath.Glob(c.path(tempPattern)); len(left) > 0 {
				name = left[0]
				content, _ = os.ReadFile(name)
			}
		}
		return err
	}
	err := change()
	if name != "" {
		_ = os.WriteFile(name, content, 0o600)
	}
	return err
}

func holds(t *testing.T, c *Custody, key []byte) bool {
	t.Helper()
	entries, err := os.ReadDir(c.home)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if b, err := os.ReadFile(c.path(e.Name())); err == nil && bytes.Contains(b, key) {
			return true
		}
	}
	return false
}

// TestOldFileOverwritten looks at the old key file through a handle that outlives its name.
func TestOldFileOverwritten(t *testing.T) {
	c, key := made(t, &shelf{})
	old, err := os.Open(c.path(keyName))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := c.Change(Passphrase, nil, one); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, maxFile)
	n, _ := old.ReadAt(b, 0)
	if n < KeySize || bytes.Contains(b[:n], key[:]) {
		t.Error("the old file still holds the key")
	}
}

// TestAtOnce changes the custody from several sides while others open.
func TestAtOnce(t *testing.T) {
	ring := &shelf{}
	c, key := made(t, ring)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 5 {
				for _, to := range []Kind{Keyring, File} {
					if err := At(c.home, c.o).Change(to, nil, nil); err != nil && !errors.Is(err, ErrBusy) {
						t.Error(err)
					}
					// Its entry may be taken out between the reading of file and keyring.
					if got, err := At(c.home, c.o).Open(nil); err == nil && got != key || err != nil && !errors.Is(err, ErrLost) {
						t.Errorf("%v", err)
					}
				}
			}
		})
	}
	wait.Wait()
	opens(t, c, nil, key)
}

// TestHanging: a keyring that never answers does not stop anybody.
func TestHanging(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	begin := time.Now()
	if err := timed(10*time.Millisecond, func() error { <-over; return nil }); !errors.Is(err, ErrKeyring) {
		t.Error(err)
	}
	if time.Since(begin) > 5*time.Second {
		t.Error("it hung")
	}
}

func TestCalibrated(t *testing.T) {
	if c := calibrate(); !c.sound() {
		t.Errorf("%+v", c)
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []Cost{
		{floor.Memory - 1, 3, 1}, {floor.Memory, 2, 1}, {floor.Memory, 3, 0},
		{ceiling.Memory + 1, 3, 1}, {floor.Memory, 9, 1}, {floor.Memory, 3, 9}, {1 << 31, 1 << 31, 255},
	} {
		r := record{Version: version, Guard: guardPassphrase, Argon: &argon{Memory: c.Memory, Passes: c.Passes, Threads: c.Threads}}
		if _, _, err := parse(r.encode()); !errors.Is(err, ErrDamaged) {
			t.Errorf("%+v is read: %v", c, err)
		}
	}
}

// TestTampered changes each byte of a key file: none opens.
func TestTampered(t *testing.T) {
	ring := &shelf{}
	c, key := made(t, ring)
	if err := c.Change(Keyring, nil, nil); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(c.path(keyName))
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1
		if err := os.WriteFile(c.path(keyName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Open(nil); err == nil || got == key {
			t.Errorf("byte %d changed, and it opens", i)
		}
	}
	for _, b := range [][]byte{nil, whole[:len(whole)-1], append(bytes.Clone(whole), 0), whole[:31], bytes.Repeat([]byte{1}, 33), make([]byte, 10<<20)} {
		if err := os.WriteFile(c.path(keyName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, c, nil, ErrDamaged)
	}
	newer := bytes.Replace(whole, []byte("\x01\x01\x02"), []byte("\x01\x02\x02"), 1)
	if err := os.WriteFile(c.path(keyName), newer, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, c, nil, ErrNewer)
}

func FuzzParse(f *testing.F) {
	f.Add(bytes.Repeat([]byte{7}, KeySize))
	f.Add(record{Version: 1, Guard: guardPassphrase, Argon: &argon{Memory: floor.Memory, Passes: 3, Threads: 4}}.encode())
	f.Add(record{Version: 1, Guard: guardKeyring, Entry: &entryName{1}}.encode())
	f.Add([]byte(magic + strings.Repeat("\xa1", 64)))
	f.Fuzz(func(t *testing.T, b []byte) {
		bare, r, err := parse(b)
		switch {
		case err != nil:
			if bare != nil || !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
				t.Fatal(err)
			}
		case bare != nil:
			if !bytes.Equal(bare[:], b) {
				t.Fatal("a bare key that is another")
			}
		case !bytes.Equal(r.encode(), b):
			t.Fatal("two encodings of one record")
		case r.Argon != nil && !r.Argon.cost().sound():
			t.Fatal("a cost out of bounds")
		}
	})
}

// TestSystemRing goes through the library with its keyring in memory.
func TestSystemRing(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent") // never used
	keyring.MockInit()
	c, key := made(t, nil)
	if !KeyringHere() {
		t.Error("there is no keyring")
	}
	if err := c.Change(Keyring, nil, nil); err != nil {
		t.Fatal(err)
	}
	opens(t, c, nil, key)
	if err := c.Change(File, nil, nil); err != nil {
		t.Fatal(err)
	}
	keyring.MockInitWithError(errors.New("locked"))
	if KeyringHere() {
		t.Error("a keyring that refuses is one")
	}
	if err := c.Change(Keyring, nil, nil); !errors.Is(err, ErrKeyring) {
		t.Error(err)
	}
	opens(t, c, nil, key)
}
