package server

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sotto/internal/wire"
)

func TestAdmin(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("a-long-directory-", 6))
	r := start(t, Options{Dir: dir}, ServeOptions{})
	ctx := context.Background()
	info, err := os.Stat(adminPath(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(err, info.Mode())
	}
	made, err := InviteRemote(ctx, dir, 2, 0)
	codes := made.Codes
	if err != nil || len(codes) != 2 || codes[0] == codes[1] {
		t.Fatal(err, codes)
	}
	p, k := r.open("/v1/account"), newKeys(t)
	h := wire.Handle{Name: "ana", Host: r.host()}
	p.must(wire.OpRegister, wire.Register{Genesis: k.Genesis(h, time.Now()), Invitation: strings.ToUpper(codes[1])}, nil)
	p.must(wire.OpAuth, authOf(p, h, k), nil)
	st, err := StatusRemote(ctx, dir)
	if err != nil || st.Accounts != 1 || st.Connections != 1 || st.Memory == 0 || st.Version == "" {
		t.Fatalf("%v %+v", err, st)
	}
	if err := SuspendRemote(ctx, dir, h.String(), true); err != nil {
		t.Fatal(err)
	}
	p = r.open("/v1/account")
	p.refused(wire.CodeSuspended, wire.OpAuth, authOf(p, h, k))
	if err := SuspendRemote(ctx, dir, h.String(), false); err != nil {
		t.Fatal(err)
	}
	if err := DeleteRemote(ctx, dir, h.String()); err != nil {
		t.Fatal(err)
	}
	if err := DeleteRemote(ctx, dir, h.String()); wire.CodeOf(err) != wire.CodeNoHandle {
		t.Fatal(err)
	}
	if _, err := InviteRemote(ctx, dir, 0, 0); wire.CodeOf(err) != wire.CodeMalformed {
		t.Fatal(err)
	}
	if err := SweepRemote(ctx, dir); err != nil {
		t.Fatal(err)
	}
	r.stop()
	if err := SweepRemote(ctx, dir); err == nil {
		t.Fatal("a stopped server swept")
	}
	if _, err := StatusRemote(ctx, dir); err == nil {
		t.Fatal("a stopped server answered")
	}
}

// What was erased is in the files until the operator has them swept.
func TestSweepRemote(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Options{Dir: dir}, ServeOptions{})
	m, x := r.person("ana").room(1), r.open("/v1/log")
	needle := random[wire.Secret]()
	stands := func() bool {
		found := false
		err := filepath.WalkDir(filepath.Join(dir, "db"), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			found = found || bytes.Contains(b, needle[:])
			if os.IsNotExist(err) {
				err = nil // a file that the engine has done with
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	x.must(wire.OpAppend, m.append("x"+string(needle[:])), &wire.Appended{})
	x.must(wire.OpAck, wire.Ack{Secret: m.cursors[0], Through: 1}, nil)
	if !stands() {
		t.Fatal("the test looks in the wrong files")
	}
	if err := SweepRemote(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	if stands() {
		t.Fatal("an erased entry stands after the sweep")
	}
}

// The totals are those of all logs, also of those that are not in memory.
func TestStatusCountsLogs(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Options{Dir: dir, Host: "example.org"}, ServeOptions{})
	wants := func(r *rig, logs, entries, bytes uint64) {
		t.Helper()
		st := r.s.Status()
		if st.Logs != logs || st.Entries != entries || st.LogBytes != bytes {
			t.Fatalf("%+v; want %d logs, %d entries, %d bytes", st, logs, entries, bytes)
		}
	}
	wants(r, 0, 0, 0)
	ana := r.person("ana")
	one, two, _ := ana.room(1), ana.room(2), ana.room(1)
	x := r.open("/v1/log")
	for _, e := range []wire.Append{one.append("12345"), one.append("6789"), two.append("123"), two.append("12")} {
		x.must(wire.OpAppend, e, &wire.Appended{})
	}
	wants(r, 3, 4, 14)
	x.must(wire.OpAck, wire.Ack{Secret: one.cursors[0], Through: 1}, nil)
	x.must(wire.OpAck, wire.Ack{Secret: two.cursors[0], Through: 2}, nil)
	wants(r, 3, 3, 9)
	r.stop()
	r = start(t, Options{Dir: dir, Host: "example.org"}, ServeOptions{})
	if n := r.s.logs.Stats().Loaded; n != 0 {
		t.Fatalf("%d logs are in memory", n)
	}
	wants(r, 3, 3, 9)
	r.open("/v1/log").must(wire.OpDrop, wire.Drop{Secret: one.cursors[0]}, nil)
	wants(r, 2, 2, 5)
}
