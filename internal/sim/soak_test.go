package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"sync"
	"testing"
	"time"
)

// processes is how many worlds run side by side. A process holds one at a time, because
// its randomness is one for all of it.
const processes = 2

// TestSoak carries out the plans of many seeds, and prints what happened in all of them.
// The first plan that fails is made shorter and printed: testdata keeps it once its cause
// is mended.
func TestSoak(t *testing.T) {
	if *step != 0 {
		soak(t)
		return
	}
	begin := time.Now()
	total := NewStats()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range uint64(processes) {
		wg.Go(func() {
			n := (*seeds + processes - 1 - i) / processes
			cmd := exec.Command(os.Args[0], "-test.run=^TestSoak$", "-test.timeout=0", "-step", fmt.Sprint(processes), "-first", fmt.Sprint(*first+i),
				"-seeds", fmt.Sprint(n), "-tries", fmt.Sprint(*tries), "-profile", *only)
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
	var b bytes.Buffer
	total.Print(&b)
	fmt.Printf("%s%d seeds, %d messages delivered, in %s on %d processors\n", b.String(), total.Of("seeds"), total.Of("delivered"), time.Since(begin).Round(time.Second), runtime.NumCPU())
	if total.Of("delivered") == 0 {
		t.Error("nothing was delivered")
	}
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
	b, err := json.Marshal(total)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("counts %s\n", b)
}
