package sim

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
)

var attackSeeds = flag.Uint64("attackseeds", 2, "TestMemberAttacks: how many seeds")

// everyday are notices of what everybody may do.
var everyday = []string{client.NoticeJoined, client.NoticeLeft, client.NoticeRenamed, client.NoticeFailed}

// Every attack of a member, in a room in which all write and one changes things: it is
// refused or noticed, afterwards the room works without anybody's doing, and nothing is
// lost.
func TestMemberAttacks(t *testing.T) {
	seeds := *attackSeeds
	if testing.Short() {
		seeds = 1
	}
	var c tally
	for _, a := range MemberAttacks {
		t.Run(a.Name, func(t *testing.T) {
			for seed := range seeds {
				t.Run(fmt.Sprint(seed), func(t *testing.T) { c.add(a.Name, attack(t, seed, a).Stats) })
			}
		})
	}
	c.print("members")
}

// attack plays one attack and checks what must come of it.
func attack(t *testing.T, seed uint64, a MemberAttack) *stand {
	s := newStand(t, seed, a.As)
	s.bustle(8 * time.Second)
	s.Run(500 * time.Millisecond)
	m := s.mal.Turn(a.Name, s.to, 8*time.Second)
	if m == nil {
		t.Fatal("mallory did not turn")
	}
	if a.Sleeps {
		s.dee.Sleep()
	}
	s.Run(10 * time.Second)
	effect := func() {
		if a.Effect != nil {
			if err := a.Effect(m); err != nil {
				t.Error(err)
			}
			s.Stats.Count("attack refused: "+a.Name, 1)
		}
	}
	effect()
	s.dee.Wake()
	step := max(time.Second, a.Within/60)
	err := errors.New("not looked")
	for end := s.Now().Add(a.Within); err != nil && s.Now().Before(end); {
		s.Run(step)
		err = s.well(a.Out)
	}
	if err != nil {
		t.Errorf("after %v: %v", a.Within, err)
	}
	for _, d := range s.people() {
		s.write(d, "afterwards")
	}
	err = errors.New("not looked")
	for end := s.Now().Add(2 * time.Minute); err != nil && s.Now().Before(end); {
		s.Run(time.Second)
		err = s.whole(a)
	}
	effect()
	for _, err := range []error{err, s.well(a.Out), s.bounded(), s.told(a)} {
		if err != nil {
			t.Error(err)
		}
	}
	if s.Failure() != "" {
		t.Error(s.Failure())
	}
	if s.Stats.Of("attack tried: "+a.Name) == 0 {
		t.Error("it was not tried")
	}
	if s.Stats.Of("attack refused: "+a.Name)+s.Stats.Of("attack noticed: "+a.Name) == 0 && (a.Told != nil || a.Effect != nil) {
		t.Error("it was neither refused nor noticed")
	}
	return s
}

// told compares what people were told with what they are to be told.
func (s *stand) told(a MemberAttack) error {
	all := map[string]int{}
	for _, d := range s.people() {
		for kind, n := range d.seen.notices {
			if !slices.Contains(everyday, kind) {
				all[kind] += n
			}
		}
	}
	had := len(a.Told) == 0
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		had = had || slices.Contains(a.Told, kind)
		if !slices.Contains(a.Told, kind) && !slices.Contains(a.May, kind) {
			return fmt.Errorf("somebody was told of %q", kind)
		}
	}
	for _, kind := range a.Told {
		had = had || slices.Contains(everyday, kind)
	}
	if !had {
		return fmt.Errorf("nobody was told of %q", a.Told)
	}
	return nil
}

// An attack runs twice in the same way.
func TestMemberAttackAgain(t *testing.T) {
	for _, a := range MemberAttacks {
		if !slices.Contains([]string{"removes a member", "many invitations"}, a.Name) {
			continue
		}
		t.Run(a.Name, func(t *testing.T) {
			var traces [2]string
			for i := range traces {
				t.Run(fmt.Sprint(i), func(t *testing.T) { traces[i] = attack(t, 7, a).Trace() })
			}
			if traces[0] != traces[1] {
				t.Error("two runs of one seed differ")
			}
		})
	}
}

// Attacks with seeds of which each failed once: what some had read behind the end of a generation
// stood elsewhere for others; the end was one that never was; somebody had read on to where one
// who came along was removed, and did not follow.
func TestMemberAttacksKept(t *testing.T) {
	for _, k := range []struct {
		name string
		seed uint64
	}{
		{"admin: moves again and again", 11},
		{"admin: moves again and again", 14},
		{"admin: moves from the past", 13},
		{"admin: moves from the future", 13},
		{"admin: moves in one breath", 8},
	} {
		i := slices.IndexFunc(MemberAttacks, func(a MemberAttack) bool { return a.Name == k.name })
		t.Run(fmt.Sprint(k.name, " ", k.seed), func(t *testing.T) { attack(t, k.seed, MemberAttacks[i]) })
	}
}

// Every attack has a name and a sentence of its own.
func TestMemberAttackTable(t *testing.T) {
	names := map[string]bool{}
	for _, a := range MemberAttacks {
		if names[a.Name] || a.Name == "" || a.Does == "" || a.Try == nil || a.Within == 0 {
			t.Errorf("%q", a.Name)
		}
		names[a.Name] = true
	}
}

// Attacks in a conversation of two, where nobody can be put out: the other one's device
// goes on, in a room that it can write to.
func TestMemberAttacksOnOne(t *testing.T) {
	for _, name := range []string{
		"random bytes", "repeated messages", "junk with a swap", "message with a swap", "removes an admin", "another log", "pre-shared key",
		"ends all cursors", "another token", "poisoned path of an admin", "leaves halfway", "another's name", "takes the room over", "always first",
	} {
		i := slices.IndexFunc(MemberAttacks, func(a MemberAttack) bool { return a.Name == name })
		t.Run(name, func(t *testing.T) { attackOne(t, 3, MemberAttacks[i]) })
	}
}

func attackOne(t *testing.T, seed uint64, a MemberAttack) {
	s := newStand(t, seed, asMember)
	id, err := s.bo.Client.Resolve(s.mal.Handle)
	if err != nil {
		t.Fatal(err)
	}
	s.id, s.to = id, s.mal.Handle
	for i := range 8 {
		s.After(time.Duration(i)*time.Second, func() { s.write(s.bo, "meanwhile") })
	}
	s.Run(500 * time.Millisecond)
	if s.mal.Turn(a.Name, s.bo.Handle, 8*time.Second) == nil {
		t.Fatal("mallory did not turn")
	}
	s.Run(3 * time.Minute)
	s.write(s.bo, "afterwards")
	s.Run(10 * time.Second)
	if state, err := s.bo.Client.GenerationState(s.id); a.Name != "leaves halfway" && (err != nil || state != store.GenLive) {
		t.Errorf("the room is in state %d (%v)", state, err)
	}
	// Who has left is written to in a new conversation: what was said stands in either.
	list, err := s.bo.Client.Messages(nil, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range list {
		if m.Room != s.id && a.Name != "leaves halfway" {
			continue
		}
		if !strings.HasPrefix(m.Text, mark) || m.State == store.Received {
			continue
		}
		if seen[m.Text] {
			t.Errorf("%q stands there twice", m.Text)
		}
		seen[m.Text] = true
		if m.State < store.Stored || m.State > store.Read {
			t.Errorf("%q is %v", m.Text, m.State)
		}
	}
	if len(seen) != s.said {
		t.Errorf("%d of %d messages", len(seen), s.said)
	}
	if s.Failure() != "" {
		t.Error(s.Failure())
	}
	if s.Stats.Of("attack tried: "+a.Name) == 0 {
		t.Error("it was not tried")
	}
}

// The threat model names every attack, and no other.
func TestMemberAttacksInTheThreatModel(t *testing.T) {
	doc, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, part := range strings.Split(strings.Join(strings.Fields(string(doc)), " "), "`TestMemberAttacks/")[1:] {
		name, _, _ := strings.Cut(part, "`")
		named[name] = true
	}
	for _, a := range MemberAttacks {
		if !named[a.Name] {
			t.Errorf("the threat model does not name %q", a.Name)
		}
		delete(named, a.Name)
	}
	for name := range named {
		t.Errorf("there is no attack %q", name)
	}
}
