//go:build linux && chaos

package chaos

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sotto/internal/netns"
)

var (
	long  = flag.Duration("for", 0, "how long TestLong runs")
	seed  = flag.Uint64("seed", 0, "the seed of TestLong; 0: the time")
	round = flag.Duration("round", 15*time.Second, "how long things go wrong before they are mended and judged")
	rough = flag.Bool("rough", false, "let things go wrong from the beginning")
	only  = flag.String("theme", "", "the theme of every round of TestLong")
	tell  = flag.Bool("tell", false, "print everything that happens")
)

// built is where TestMain has built sotto.
const built = "SOTTO_CHAOS_BINARY"

// TestMain builds sotto and goes where networks can be made.
func TestMain(m *testing.M) {
	var flags []string
	if raceEnabled {
		flags = []string{"-race"}
	}
	os.Exit(netns.Main(m, built, flags...))
}

func run(t *testing.T, o Options) {
	t.Helper()
	o.Binary = os.Getenv(built)
	if *tell {
		o.Log = os.Stdout
	}
	r, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("chaos, seed %d\n%s", o.Seed, r.Table)
	if len(r.Faults) == 0 {
		return
	}
	_ = os.WriteFile(filepath.Join(r.Wreck, "journal"), []byte(r.Journal), 0o600)
	t.Errorf("%d faults with seed %d; all that happened and everybody's disks are in %s\n%s\n\nat last:\n%s",
		len(r.Faults), o.Seed, r.Wreck, strings.Join(r.Faults, "\n"), strings.Join(r.Last, "\n"))
}

// TestChaos runs for as long as is asked for, else for a short while with seeds that every
// change has to pass.
func TestChaos(t *testing.T) {
	if *long == 0 {
		for _, seed := range []uint64{1, 2, 3} {
			run(t, Options{Seed: seed, Round: 6 * time.Second, Timeout: 4 * time.Second, Theme: everything().name})
		}
		return
	}
	if *seed == 0 {
		*seed = uint64(time.Now().Unix())
	}
	run(t, Options{Seed: *seed, For: *long, Round: *round, Timeout: 6 * time.Second, Theme: *only, Rough: *rough})
}
