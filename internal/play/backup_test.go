package play

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sotto/internal/backup"
	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
)

// backsUp makes a backup in a file.
func (p *Person) backsUp(t *testing.T, passphrase string) string {
	t.Helper()
	path := filepath.Join(p.w.T.TempDir(), p.Name+backup.Extension)
	if _, err := p.Client.BackUpTo(patient(t), path, passphrase); err != nil {
		t.Fatal(err)
	}
	return path
}

// restores takes a backup and waits until it is here.
func (p *Person) restores(t *testing.T, path string, secret client.RestoreSecret) client.RestoreStatus {
	t.Helper()
	if err := p.Client.RestoreFile(patient(t), path, secret, false); err != nil {
		t.Fatal(err)
	}
	return p.restored(t)
}

func (p *Person) restored(t *testing.T) client.RestoreStatus {
	t.Helper()
	s, err := p.Client.WaitRestored(patient(t))
	if err != nil || !s.Done || s.Err != nil {
		t.Fatalf("%+v, %v", s, err)
	}
	return s
}

// messages is everything that a device keeps.
func (p *Person) messages() []store.Message { return must(p.Client.Messages(nil, 0, 1<<20)) }

// sameMessages compares two devices' messages, but for their rooms. A receipt that came after the
// backup is not in it.
func sameMessages(t *testing.T, here, there []store.Message) {
	t.Helper()
	if len(here) != len(there) {
		t.Fatalf("%d messages, not %d", len(there), len(here))
	}
	for i := range here {
		a, b := here[i], there[i]
		if b.State >= store.Stored && b.State < a.State && a.State <= store.Read {
			a.State = b.State
		}
		if a.ID != b.ID || a.Text != b.Text || a.Pos != b.Pos || a.At != b.At || a.State != b.State || a.Flags != b.Flags || a.Account != b.Account {
			t.Fatalf("message %d is another one:\n%+v\n%+v", i, a, b)
		}
	}
}

// Ana writes her words down, makes a backup, and loses her machine. On a new one the words bring
// her back, and the backup what was said, each thing where it was.
func TestBackup(t *testing.T) {
	w := New(t)
	ana, bo, cy := w.Person("ana"), w.Person("bo"), w.Person("cy")
	friends(t, ana, bo)
	group(t, "club", cy, ana, bo)
	cy.Send("club", "welcome")
	ana.Reads("club", "welcome")
	for _, text := range []string{"one", "two", "three", "a secret"} {
		ana.Send(bo.Handle, text)
	}
	bo.Reads(ana.Handle, append(ana.Texts(bo.Handle)[:1:1], "one", "two", "three", "a secret")...)
	notes := must(ana.Client.Notes(patient(t)))
	ana.Send(hex.EncodeToString(notes[:]), "buy milk")
	secret := ana.messages()[slices.IndexFunc(ana.messages(), func(m store.Message) bool { return m.Text == "a secret" })]
	if err := ana.Client.DeleteHere(secret.ID); err != nil {
		t.Fatal(err)
	}
	bo.Send(ana.Handle, "unread")
	ana.Eventually("has it", func() bool { return slices.Contains(ana.Texts(bo.Handle), "unread") }, func() any { return ana.Texts(bo.Handle) })
	// Nobody could open such a backup.
	path := filepath.Join(t.TempDir(), "a"+backup.Extension)
	if _, err := ana.Client.BackUpTo(patient(t), path, ""); !errors.Is(err, backup.ErrNoWay) {
		t.Errorf("without words and passphrase: %v", err)
	}
	if list, err := os.ReadDir(filepath.Dir(path)); err != nil || len(list) != 0 {
		t.Error("something is left", list, err)
	}
	words := ana.writesDown(t, "")
	ana.recorded()
	path = ana.backsUp(t, "")
	before, unread := ana.messages(), must(ana.Client.Overview(false))
	pairBefore := ana.Texts(bo.Handle)
	ana.Away()

	fresh := ana.recovers(t, words)
	fresh.Eventually("has its pair", func() bool { return fresh.Room(bo.Handle).State == store.RoomActive }, func() any { return fresh.Room(bo.Handle) })
	s := fresh.restores(t, path, client.RestoreSecret{Words: words})
	if s.Got != int64(len(before)) || s.Lost != 0 {
		t.Errorf("%+v of %d", s, len(before))
	}
	fresh.Reads(bo.Handle, pairBefore...)
	sameMessages(t, before, fresh.messages())
	if o := must(fresh.Client.OverviewOf(must(fresh.Client.Resolve(bo.Handle)))); o.Unseen != unseenOf(unread, bo.Handle) || o.Unseen == 0 {
		t.Errorf("%d unread, not %d", o.Unseen, unseenOf(unread, bo.Handle))
	}
	if f := must(fresh.Client.Search(client.SearchQuery{Text: "welcome"})); len(f.Hits) != 1 {
		t.Errorf("a search finds %d", len(f.Hits))
	}
	if f := must(fresh.Client.Search(client.SearchQuery{Text: "secret"})); len(f.Hits) != 0 {
		t.Error("what was deleted is back")
	}
	// The notes are there, and go on.
	if id := must(fresh.Client.Notes(patient(t))); !slices.Equal(fresh.TextsIn(id), []string{"buy milk"}) {
		t.Errorf("notes: %q", fresh.TextsIn(id))
	}
	// Until a member says yes the group can be read and not written in; then it goes on.
	if r := fresh.Room("club"); r.State != store.RoomLeft || !slices.Equal(fresh.TextsIn(r.ID), []string{"welcome"}) {
		t.Errorf("%+v %q", r, fresh.TextsIn(r.ID))
	}
	var waiting []client.ReturnInfo
	cy.Eventually("is asked", func() bool {
		var err error
		waiting, err = cy.Client.Returns(cy.Room("club").ID)
		return err == nil && len(waiting) == 1
	}, func() any { return waiting })
	act(t, cy, "says yes", func(ctx context.Context) error {
		return cy.Client.AnswerReturn(ctx, cy.Room("club").ID, waiting[0].ID, true)
	})
	fresh.Eventually("is back in the club", func() bool { return fresh.Room("club").State == store.RoomActive }, func() any { return fresh.Room("club") })
	cy.Send("club", "again")
	fresh.Reads("club", "welcome", "again")
	bo.Send(ana.Handle, "and on")
	fresh.Reads(bo.Handle, append(slices.Clone(pairBefore), "and on")...)
	// The same once more changes nothing.
	all := fresh.messages()
	fresh.restores(t, path, client.RestoreSecret{Words: words})
	sameMessages(t, all, fresh.messages())
}

func unseenOf(list []client.Overview, handle string) int64 {
	for _, o := range list {
		if o.Name == handle {
			return o.Unseen
		}
	}
	return -1
}

// What cannot be restored says why, and changes nothing.
func TestBackupRefused(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	words, theirs := ana.writesDown(t, ""), bo.writesDown(t, "")
	path := ana.backsUp(t, "correct horse")
	cut := filepath.Join(t.TempDir(), "cut")
	whole := must(os.ReadFile(path))
	if err := os.WriteFile(cut, whole[:len(whole)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	letter := filepath.Join(t.TempDir(), "letter")
	if err := os.WriteFile(letter, []byte("Dear Bo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		by     *Person
		path   string
		secret client.RestoreSecret
		want   error
	}{
		"another's":         {bo, path, client.RestoreSecret{Words: words}, backup.ErrOther},
		"another's words":   {ana, path, client.RestoreSecret{Words: theirs}, backup.ErrWords},
		"wrong passphrase":  {ana, path, client.RestoreSecret{Passphrase: "wrong horse"}, backup.ErrPassphrase},
		"no backup at all":  {ana, letter, client.RestoreSecret{Words: words}, backup.ErrNone},
		"no file":           {ana, letter + "s", client.RestoreSecret{Words: words}, os.ErrNotExist},
		"nothing to open":   {ana, path, client.RestoreSecret{}, backup.ErrPassphrase},
		"cut, in one piece": {ana, cut, client.RestoreSecret{Words: words}, backup.ErrCut},
	} {
		if err := c.by.Client.RestoreFile(patient(t), c.path, c.secret, false); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.by.Client.CheckBackup(c.path, c.secret); !errors.Is(err, c.want) {
			t.Errorf("%s, looked at: %v", name, err)
		}
	}
	if s := must(ana.Client.Backups()); s.Restore != nil {
		t.Errorf("%+v", s.Restore)
	}
	if r := must(ana.Client.CheckBackup(path, client.RestoreSecret{Passphrase: "correct horse"})); r.Messages == 0 || r.Handle != ana.Handle {
		t.Errorf("%+v", r)
	}
	if _, err := ana.Client.BackUpTo(patient(t), letter, ""); !errors.Is(err, client.ErrNoFile) {
		t.Errorf("over a letter: %v", err)
	}
	if err := ana.Client.RestoreServer(patient(t), words); !errors.Is(err, client.ErrNoServer) {
		t.Errorf("from a server that has none: %v", err)
	}
	// A device that is no account's may look, too.
	nobody := w.Nobody("nobody", w.Home)
	nobody.Open()
	if r := must(nobody.Client.CheckBackup(path, client.RestoreSecret{Words: words})); r.Account != ana.account() {
		t.Errorf("%+v", r)
	}
	if err := nobody.Client.RestoreFile(patient(t), path, client.RestoreSecret{Words: words}, false); !errors.Is(err, client.ErrNoAccount) {
		t.Errorf("without an account: %v", err)
	}
}

// What vanished before it was restored stays away.
func TestBackupVanished(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	group(t, "club", ana, bo)
	ana.Send("club", "stays")
	act(t, ana, "lets messages disappear", func(ctx context.Context) error { return ana.Client.SetDisappear(ctx, "club", time.Hour) })
	ana.Send("club", "goes")
	words := ana.writesDown(t, "")
	path := ana.backsUp(t, "")
	before := ana.Texts("club")
	ana.recorded()
	ana.Away()
	w.Clock.Advance(2 * time.Hour)
	fresh := ana.recovers(t, words)
	fresh.restores(t, path, client.RestoreSecret{Words: words})
	if got := fresh.Texts("club"); !slices.Equal(before, []string{"stays", "goes"}) || !slices.Equal(got, []string{"stays"}) {
		t.Errorf("%q, of %q", got, before)
	}
}

// plans sets a schedule.
func (p *Person) plans(t *testing.T, plan client.BackupPlan) {
	t.Helper()
	if err := p.Client.SetBackups(patient(t), plan); err != nil {
		t.Fatal(err)
	}
}

// runs waits until a backup has been made since a moment.
func (p *Person) runs(since int64) client.BackupStatus {
	p.w.T.Helper()
	return p.looks(func(s client.BackupStatus) bool { return s.Last > since && s.Tries == 0 })
}

// looks waits until the schedule has come to something. Time goes on meanwhile: a connection may
// have ended when it was moved on, and comes back.
func (p *Person) looks(so func(client.BackupStatus) bool) (s client.BackupStatus) {
	p.w.T.Helper()
	begun := time.Now()
	p.Eventually("the schedule goes on", func() bool {
		if s = must(p.Client.Backups()); !s.Running && so(s) {
			return true
		}
		if s.Running { // time that is moved on would end its connection
			begun = time.Now()
		}
		if time.Since(begun) > time.Second {
			begun = time.Now()
			p.w.Clock.Advance(time.Minute)
		}
		return false
	}, func() any { return s })
	return s
}

// Scheduled backups come by themselves, only when something has changed; the last three are
// kept, and a failure is told once it has lasted.
func TestBackupScheduled(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	friends(t, ana, bo)
	dir := t.TempDir()
	plan := client.BackupPlan{Every: client.Daily, Folder: dir}
	if err := ana.Client.SetBackups(patient(t), plan); !errors.Is(err, backup.ErrNoWay) {
		t.Errorf("for nobody: %v", err)
	}
	if err := ana.Client.SetBackups(patient(t), client.BackupPlan{Every: client.Daily, Folder: "here"}); err == nil {
		t.Error("a folder somewhere")
	}
	words := ana.writesDown(t, "")
	ana.plans(t, plan)
	s := ana.runs(0)
	if s.Path == "" || s.Messages == 0 || s.Next < s.Last+client.Daily.Milliseconds() {
		t.Errorf("%+v", s)
	}
	if r := must(ana.Client.CheckBackup(s.Path, client.RestoreSecret{Words: words})); r.Messages != s.Messages || r.Size != s.Size {
		t.Errorf("%+v, %+v", r, s)
	}
	files := func() []string { return must(backup.Disk{}.Names(dir)) }
	// Nothing has changed: no new file.
	w.Clock.Advance(client.Daily + time.Minute)
	ana.looks(func(n client.BackupStatus) bool { return n.Next > s.Next })
	if n := must(ana.Client.Backups()); n.Last != s.Last || len(files()) != 1 {
		t.Errorf("%+v, %q", n, files())
	}
	for i := range 4 {
		ana.Send(bo.Handle, "more")
		bo.Eventually("has it", func() bool { return len(bo.Texts(ana.Handle)) == i+2 }, func() any { return bo.Texts(ana.Handle) })
		since := must(ana.Client.Backups()).Last
		w.Clock.Advance(client.Daily + time.Minute)
		s = ana.runs(since)
	}
	if got := files(); len(got) != 3 || filepath.Join(dir, got[2]) != s.Path {
		t.Errorf("%q, the last is %s", got, s.Path)
	}
	// The folder is gone for a while.
	if err := os.Rename(dir, dir+"x"); err != nil {
		t.Fatal(err)
	}
	ana.Send(bo.Handle, "lost?")
	for i := range 3 {
		ana.Later("fails", 6*time.Hour, func() bool { return must(ana.Client.Backups()).Tries > i }, func() any { return must(ana.Client.Backups()) })
	}
	if n := ana.notices(client.NoticeFailed); len(n) != 1 {
		t.Errorf("told %q", n)
	}
	if err := os.Rename(dir+"x", dir); err != nil {
		t.Fatal(err)
	}
	ana.Later("is well again", 6*time.Hour, func() bool { return must(ana.Client.Backups()).Tries == 0 }, func() any { return must(ana.Client.Backups()) })
	// Off is off.
	ana.plans(t, client.BackupPlan{})
	last := must(ana.Client.Backups())
	if last.Next != 0 {
		t.Errorf("%+v", last)
	}
}

// TestBackup100k restores a long history on a new machine, message by message.
func TestBackup100k(t *testing.T) {
	n := 100_000
	if raceEnabled {
		n = 5_000
	}
	w := New(t)
	ana := w.Person("ana")
	ana.fill(t, n)
	ana.Sync()
	words := ana.writesDown(t, "")
	ana.recorded()
	begun := time.Now()
	path := ana.backsUp(t, "")
	size := must(os.Stat(path)).Size()
	t.Logf("%d messages backed up and read again in %v, %d bytes", n, time.Since(begun).Round(time.Millisecond), size)
	before := ana.messages()
	var rooms []room.ID
	for _, r := range must(ana.Client.Rooms()) {
		rooms = append(rooms, r.ID)
	}
	ana.Away()
	fresh := ana.recovers(t, words)
	begun = time.Now()
	if err := fresh.Client.RestoreFile(patient(t), path, client.RestoreSecret{Words: words}, false); err != nil {
		t.Fatal(err)
	}
	for cuts := 0; cuts < 3; cuts++ { // it survives being stopped
		at := must(fresh.Client.Backups()).Restore.Got
		fresh.Eventually("goes on", func() bool { r := must(fresh.Client.Backups()).Restore; return r.Got > at || r.Done }, func() any { return at })
		fresh.Away()
		fresh.Back()
	}
	long, cancel := context.WithTimeout(context.Background(), 4*Patience)
	defer cancel()
	if s, err := fresh.Client.WaitRestored(long); err != nil || !s.Done || s.Lost != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	t.Logf("restored in %v, with three stops", time.Since(begun).Round(time.Millisecond))
	sameMessages(t, before, fresh.messages())
	for _, id := range rooms {
		if _, err := fresh.Client.OverviewOf(id); err != nil {
			t.Error("a conversation is missing:", err)
		}
	}
}
