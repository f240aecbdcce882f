package sim

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var (
	seed    = flag.Uint64("seed", 0, "TestSeed: the seed to carry out")
	plan    = flag.String("plan", "", "TestSeed: a file with the plan to carry out")
	seeds   = flag.Uint64("seeds", 54, "TestSoak: how many seeds")
	first   = flag.Uint64("first", 20_000, "TestSoak: the first one")
	step    = flag.Uint64("step", 0, "TestSoak: from one to the next, here; 0: all of them, in two processes")
	share   = flag.Uint64("share", 0, "TestSoak: which of the processes this one is, with -step")
	attacks = flag.Uint64("attacks", 0, "TestSoak: how many attacks the processes try, with -step")
	only    = flag.String("profile", "", "TestSoak: the profile of all plans; empty: chosen by the seed")
	tries   = flag.Int("tries", 60, "TestSoak: how many plans the search for a shorter one may try; 0: it ends with the first that fails; -1: it goes on")
)

// tally counts what attacks came to, over all worlds of one test.
type tally struct{ tried, noticed, refused, attacks int64 }

// add takes the counts of one attack.
func (c *tally) add(name string, s *Stats) {
	c.attacks++
	c.tried += s.Of("attack tried: " + name)
	c.noticed += min(1, s.Of("attack noticed: "+name))
	c.refused += min(1, s.Of("attack refused: "+name))
}

func (c *tally) print(whose string) {
	fmt.Printf("%d attacks of %s, tried %d times: %d noticed, %d without effect\n", c.attacks, whose, c.tried, c.noticed, c.refused)
}

// perform carries a plan out in a test of its own.
func perform(t *testing.T, name string, p Plan, into *Stats) (failure, trace string) {
	t.Run(name, func(t *testing.T) {
		r := Perform(t, p)
		failure, trace = r.Failure(), r.Trace()
		into.Add(r.Stats)
		into.Count("virtual hours", int64(r.Now().Sub(Epoch).Hours()))
	})
	return failure, trace
}

// TestSeed carries out one seed, or one plan, and says what came of it.
func TestSeed(t *testing.T) {
	p := Draw(*seed)
	if *plan != "" {
		b, err := os.ReadFile(*plan)
		if err != nil {
			t.Fatal(err)
		}
		if p, err = ParsePlan(string(b)); err != nil {
			t.Fatal(err)
		}
	}
	total := NewStats()
	failure, trace := perform(t, "run", p, total)
	fmt.Print(p)
	total.Print(os.Stdout)
	fmt.Println(trace)
	if failure != "" {
		t.Error(failure)
	}
}

// TestReplay says that a seed does the same thing each time, byte for byte.
func TestReplay(t *testing.T) {
	for i := range uint64(len(Profiles)) {
		_, a := perform(t, fmt.Sprint(i), Draw(i), NewStats())
		_, b := perform(t, fmt.Sprint(i, " again"), Draw(i), NewStats())
		if a != b {
			t.Errorf("%s: seed %d went two ways: %s and %s", Profiles[i].Name, i, a, b)
		}
	}
}

func TestPlanText(t *testing.T) {
	for i := range uint64(50) {
		p := Draw(i)
		q, err := ParsePlan(p.String())
		if err != nil || q.String() != p.String() {
			t.Fatalf("%v\n%s\n%s", err, p, q)
		}
	}
}

// TestKept carries out the plans in testdata, each of which failed once.
func TestKept(t *testing.T) {
	files, err := filepath.Glob("testdata/*.plan")
	if err != nil || len(files) == 0 {
		t.Fatal("no plans are kept", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParsePlan(string(b))
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if failure, _ := perform(t, strings.TrimSuffix(filepath.Base(f), ".plan"), p, NewStats()); failure != "" {
			t.Errorf("%s: %s", f, failure)
		}
	}
}
