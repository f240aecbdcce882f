package sim

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// mutant is a bug that is planted into a copy of one file: what it replaces, and where the
// simulator is to find it.
type mutant struct {
	name     string
	file     string
	old, new string
	profile  string // of the plans that are to fail
	attack   string // or the member's attack that is to succeed
	also     []edit // in the same file: where two checks stand behind each other, both go
}

// edit is one more thing that a mutant replaces.
type edit struct{ old, new string }

// mutants are bugs of the kinds that lose messages or keep secrets. Each makes the
// simulator fail, or the simulator is blind.
var mutants = []mutant{
	{"a transaction is dropped", "internal/store/store.go",
		`	return s.db.Update(func(tx *sqlite.Tx) error { return fn(Tx{tx}) })
}`, `	dropped++
	err := s.db.Update(func(tx *sqlite.Tx) error {
		if err := fn(Tx{tx}); err != nil || dropped%61 != 0 {
			return err
		}
		return sqlite.ErrInUse
	})
	if dropped%61 == 0 && err == sqlite.ErrInUse {
		return nil
	}
	return err
}

var dropped int`, "busy", "", nil},
	{"the token is not looked at", "internal/server/logs/append.go",
		"	if !current {\n		return again, errStale()\n	}\n", "", "churn", "", nil},
	{"a commit is merged on the answer", "internal/client/send.go",
		`	ask(l, wire.OpAppend, a, func(_ wire.Appended, err error) {`,
		`	ask(l, wire.OpAppend, a, func(at wire.Appended, err error) {
		if err == nil && g.staged != nil && g.staged.Hash == hash {
			_ = g.c.update(func(tx store.Tx, after *[]func()) error {
				err := g.mergeOwn(tx, after, wire.Entry{Seq: at.Seq, Chain: at.Chain, TimeMS: at.TimeMS, Did: &wire.Did{Next: swap.Next, Added: swap.Add, Ended: swap.End}})
				if errors.Is(err, errStop) {
					return nil
				}
				return err
			})
		}`, "churn", "", nil},
	{"an entry that was read is not erased", "internal/server/logs/edit.go",
		"		e.b.Delete(k)\n", "", "busy", "", nil},
	{"a message key is kept", "mls/secrettree.go",
		"	for uint32(len(r.skipped)) > keep {",
		`	kept := s.key
	t.skipped[skippedID{s.id, s.generation}] = &kept
	t.dirty[skippedKey(skippedID{s.id, s.generation})] = struct{}{}
	r.skipped = append(r.skipped, s.generation)
	for uint32(len(r.skipped)) > keep {`, "busy", "", nil},
	{"an append is acknowledged before its fsync", "internal/server/logs/append.go",
		"	l.later(func() { done(l.complete(p, p.wait())) })", "	l.later(func() { done(l.complete(p, nil)) })", "crash", "", nil},
	{"a Welcome is sent before its commit is read", "internal/client/send.go",
		"	g.staged, g.pushing = &row, false\n",
		`	g.staged, g.pushing = &row, false
	if len(guests) > 0 {
		w := wantInvite{Generation: g.Number, At: room.Place{Log: g.Log, Seq: g.Seq + 1, Chain: wire.NextChain(g.Chain, g.Seq+1, entry)}, Guests: guests,
			Bundle: wire.Marshal(room.Bundle{Tree: s.RatchetTree(), Chains: change.Known.Proofs()})}
		if err := tx.AddWant(store.Want{Room: g.Room, Kind: wantInviteKind, Body: wire.Marshal(w), Due: g.c.nowMS()}); err != nil {
			return err
		}
	}
`, "races", "", nil},
	{"a generation of the ratchet is used again", "internal/client/send.go",
		"	return out, tx.Flush(g.group, g.Room, g.Number)\n}", "	return out, nil\n}", "crash", "", nil},
	{"the data directory's name is not synced", "internal/server/engine/dir.go",
		"	return errors.Join(d.Sync(), d.Close())", "	return errors.Join(d.Close())", "crash", "", nil},
	{"an unknown leaf is let in", "internal/room/policy.go",
		"	if err := chain.Proves(cred, n.SignatureKey); err != nil {", "	if err := chain.Proves(cred, n.SignatureKey); err != nil && false {", "", "adds a device that no chain holds",
		[]edit{{"chain == nil || !chain.Holds(cred) {", "chain == nil {"}}},
}

// TestMutants plants each bug and looks whether the simulator finds it within some plans,
// which without the bug are carried out well.
func TestMutants(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range mutants {
		seed, said := m.bite(t, root)
		if said == "" {
			continue
		}
		if m.attack != "" {
			found = append(found, fmt.Sprintf("%-50s %s", m.name, said))
			continue
		}
		if failure, _ := perform(t, "without it", DrawOf(profile(m.profile), seed), NewStats()); failure != "" {
			t.Errorf("%s: seed %d fails without the bug too: %s", m.name, seed, failure)
		}
		found = append(found, fmt.Sprintf("%-50s %s %d: %s", m.name, m.profile, seed, said))
	}
	fmt.Println(strings.Join(found, "\n"))
}

// bite carries out plans with the bug in place, and answers the first that fails and why.
func (m mutant) bite(t *testing.T, root string) (seed uint64, said string) {
	path := filepath.Join(root, m.file)
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mutated := string(source)
	for _, e := range append([]edit{{m.old, m.new}}, m.also...) {
		if n := strings.Count(mutated, e.old); n != 1 {
			t.Errorf("%s: what it replaces stands %d times in %s", m.name, n, m.file)
			return 0, ""
		}
		mutated = strings.Replace(mutated, e.old, e.new, 1)
	}
	dir := t.TempDir()
	planted, overlay := filepath.Join(dir, "planted.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{path: planted}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{planted: []byte(mutated), overlay: replace} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"test", "-overlay", overlay, "-count=1", "-run", "^TestSoak$", "sotto/internal/sim", "-args", "-step", "1", "-first", "0", "-profile", m.profile, "-seeds", "40", "-tries", "0"}
	if m.attack != "" {
		args = []string{"test", "-overlay", overlay, "-count=1", "-run", "^TestMemberAttacks$/^" + strings.ReplaceAll(m.attack, " ", "_") + "$", "sotto/internal/sim"}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if m.attack != "" {
		if err == nil || !strings.Contains(string(out), "--- FAIL: TestMemberAttacks/") {
			t.Errorf("%s: the attack %q was withstood\n%s", m.name, m.attack, tail(out))
			return 0, ""
		}
		return 0, "the attack " + m.attack + " succeeds"
	}
	hit := regexp.MustCompile(`broken promise of seed (\d+): (.*)`).FindSubmatch(out)
	if err == nil || hit == nil {
		t.Errorf("%s: nothing was found in 40 plans of %q\n%s", m.name, m.profile, tail(out))
		return 0, ""
	}
	seed, err = strconv.ParseUint(string(hit[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed, string(hit[2])
}

func tail(b []byte) []byte { return b[max(0, len(b)-2000):] }

// profile finds a profile by its name.
func profile(name string) Profile {
	for _, f := range append([]Profile{Races}, Profiles...) {
		if f.Name == name {
			return f
		}
	}
	panic("no profile is called " + name)
}
