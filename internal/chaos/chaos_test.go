//go:build linux && chaos

package chaos

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
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
	if netns.Inside() {
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "chaos-build")
		if err == nil {
			defer os.RemoveAll(dir)
			bin := filepath.Join(dir, "sotto")
			args := []string{"build", "-trimpath", "-o", bin}
			if raceEnabled {
				args = append(args, "-race")
			}
			build := exec.Command("go", append(args, "sotto/cmd/sotto")...)
			var out []byte
			if out, err = build.CombinedOutput(); err != nil {
				err = fmt.Errorf("building sotto: %w\n%s", err, out)
			} else {
				var code int
				if code, err = netns.Enter(built + "=" + bin); err == nil {
					return code
				}
			}
		}
		fmt.Fprintln(os.Stderr, err)
		return 1
	}())
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
