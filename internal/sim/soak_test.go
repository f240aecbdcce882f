package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// processes is how many worlds run side by side. A process holds one at a time, because
	// its randomness is one for all of it.
	processes = 2
	// From fullSoak seeds on a soak is a whole one: it tries every attack, and goes on until
	// fullMessages are delivered.
	fullSoak     = 1000
	fullMessages = 1_000_000
	moreSeeds    = 40 // at a time, where seeds were not enough
)

// TestSoak carries out the plans of many seeds, tries attacks, and prints what happened in all
// of them. Nothing may be lost, doubled or undecryptable: each plan and each attack is checked
// for that. The first plan that fails is made shorter and printed: testdata keeps it once its
// cause is mended.
func TestSoak(t *testing.T) {
	if *step != 0 {
		soak(t)
		return
	}
	begin := time.Now()
	total := NewStats()
	all := uint64(len(MemberAttacks) + len(HostAttacks))
	spread(t, total, *first, *seeds, min(all, all**seeds/fullSoak))
	for *seeds >= fullSoak && !t.Failed() && total.Of("delivered") < fullMessages {
		spread(t, total, *first+uint64(total.Of("seeds")), moreSeeds, 0)
	}
	var b bytes.Buffer
	total.Print(&b)
	whole := "none lost, doubled or undecryptable"
	if t.Failed() {
		whole = "and a broken promise"
	}
	fmt.Printf("%s%s, in %s on %d processors\n", b.String(), summary(total, whole), time.Since(begin).Round(time.Second), runtime.NumCPU())
	if total.Of("delivered") == 0 {
		t.Error("nothing was delivered")
	}
	if *seeds < fullSoak || t.Failed() {
		return
	}
	if n := total.Of("seeds"); n < fullSoak {
		t.Errorf("%d seeds, not %d", n, fullSoak)
	}
	if n := total.Of("delivered"); n < fullMessages {
		t.Errorf("%d messages delivered, not %d", n, fullMessages)
	}
	if n := total.kinds("attack tried: "); n != int(all) {
		t.Errorf("%d attacks were tried, not %d", n, all)
	}
}

// spread shares seeds and attacks out among the processes.
func spread(t *testing.T, total *Stats, from, seeds, attacks uint64) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range uint64(processes) {
		wg.Go(func() {
			n := (seeds + processes - 1 - i) / processes
			cmd := exec.Command(os.Args[0], "-test.run=^TestSoak$", "-test.timeout=0", "-step", fmt.Sprint(processes), "-share", fmt.Sprint(i), "-attacks", fmt.Sprint(attacks),
				"-first", fmt.Sprint(from+i), "-seeds", fmt.Sprint(n), "-tries", fmt.Sprint(*tries), "-profile", *only)
			out, err := cmd.CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
				return
			}
			stats := NewStats()
			line := regexp.MustCompile(`(?m)^counts (.*)$`).FindSubmatch(out)
			if line == nil || json.Unmarshal(line[1], stats) != nil {
				t.Errorf("a process counted nothing:\n%s", out)
				return
			}
			total.Add(stats)
		})
	}
	wg.Wait()
}

// soak is one process's part.
func soak(t *testing.T) {
	total := NewStats()
	for i := range *seeds {
		s := *first + i**step
		p := Draw(s)
		if *only != "" {
			p = DrawOf(profile(*only), s)
		}
		failure, _ := perform(t, fmt.Sprint(s), p, total)
		total.Count("seeds", 1)
		if failure == "" {
			continue
		}
		t.Errorf("broken promise of seed %d: %s", s, failure)
		if *tries < 0 {
			continue
		}
		if *tries == 0 {
			return
		}
		short := Shrink(p, *tries, func(q Plan) bool {
			f, _ := perform(t, "shorter", q, NewStats())
			return f != ""
		})
		f, _ := perform(t, "shortest", short, NewStats())
		t.Fatalf("the shortest plan that fails (%s):\n%s", f, short)
	}
	for i := *share; i < *attacks; i += *step {
		assail(t, int(i), total)
	}
	b, err := json.Marshal(total)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("counts %s\n", b)
}

// assail tries one attack, of members first and then of hosts, and takes over what came of it.
// The seeds are the first ones of TestMemberAttacks and TestHostAttacks.
func assail(t *testing.T, i int, total *Stats) {
	seed := uint64(0)
	var name, whose string
	t.Run(fmt.Sprint("attack ", i), func(t *testing.T) {
		stats := NewStats()
		if i < len(MemberAttacks) {
			name = MemberAttacks[i].Name
			stats = attack(t, seed, MemberAttacks[i]).Stats
		} else {
			i -= len(MemberAttacks)
			a := HostAttacks[i]
			seed = uint64(i * 10)
			name, whose = a.Name, " (of a host)" // two have the name of a member's
			stats = runAttack(t, a, seed, true).Stats
		}
		for k, n := range stats.n {
			if strings.HasPrefix(k, "attack ") {
				total.n[k+whose] += n
			}
		}
	})
	if t.Failed() {
		t.Fatalf("%q was not withstood with seed %d", name, seed)
	}
}

// summary is what a soak comes to, in a line.
func summary(s *Stats, whole string) string {
	healed := int64(0)
	for k, n := range s.n {
		if strings.HasPrefix(k, "well ") {
			healed += n
		}
	}
	return fmt.Sprintf("%d seeds, %d messages delivered, %s; %d faults of %d kinds, %d of %d worlds healed, %d of them after more than two minutes; %d attacks tried %d times, %d noticed, %d without effect",
		s.Of("seeds"), s.Of("delivered"), whole, s.sum("fault: "), s.kinds("fault: "), healed, s.Of("seeds"), healed-s.Of("well at once"),
		s.kinds("attack tried: "), s.sum("attack tried: "), s.kinds("attack noticed: "), s.kinds("attack refused: "))
}

// kinds is how many counts there are under a heading.
func (s *Stats) kinds(heading string) int { return len(s.under(heading)) }

// sum is what they come to.
func (s *Stats) sum(heading string) (n int64) {
	for _, k := range s.under(heading) {
		n += s.n[k]
	}
	return n
}

func (s *Stats) under(heading string) []string {
	return slices.DeleteFunc(slices.Collect(maps.Keys(s.n)), func(k string) bool { return !strings.HasPrefix(k, heading) })
}
