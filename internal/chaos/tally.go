//go:build linux && chaos

package chaos

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// tally counts what a run did.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
	most   map[string]int64 // memory of the largest process of a kind, bytes
	calm   time.Duration    // the longest time until everybody had everything
}

func newTally() *tally { return &tally{counts: map[string]int{}, most: map[string]int64{}} }

func (t *tally) add(what string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[what] += n
}

// process counts one that has ended.
func (t *tally) process(p *process) {
	what := "commands"
	switch {
	case slices.Contains(p.args, "server"):
		return
	case slices.Contains(p.args, "--follow"):
		what = "followers"
	}
	t.add(what, 1)
	if p.killed.Load() {
		t.add(what+" killed", 1)
	}
}

// peak notes the most memory that a process which runs has had. It answers that in bytes.
func (t *tally) peak(kind string, p *process) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	var kb int64
	for line := range strings.Lines(string(b)) {
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			break
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.most[kind] = max(t.most[kind], kb<<10)
	return kb << 10
}

// table is the tally for people.
func (t *tally) table(took time.Duration, net traffic) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	row := func(what string, n any) { fmt.Fprintf(&b, "  %-28s %10v\n", what, n) }
	for _, what := range slices.Sorted(maps.Keys(t.counts)) {
		row(what, t.counts[what])
	}
	row("packets", net.packets)
	row("packets lost", net.lost)
	row("connections cut", net.cuts)
	for _, kind := range slices.Sorted(maps.Keys(t.most)) {
		row("most memory, "+kind, fmt.Sprintf("%d MB", t.most[kind]/1e6))
	}
	row("longest way to calm", t.calm.Round(time.Millisecond))
	row("time", took.Round(time.Second))
	return b.String()
}

func (t *tally) set(what string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[what] = n
}

// longest notes how long it took until everybody had everything.
func (t *tally) longest(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calm = max(t.calm, d)
}
