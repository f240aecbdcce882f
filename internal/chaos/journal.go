//go:build linux && chaos

package chaos

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// journal is what happened in a run, in order.
type journal struct {
	mu     sync.Mutex
	began  time.Time
	moment int64
	lines  []string
	faults []string
	out    io.Writer // also told, line by line; nil: nobody
}

func newJournal(out io.Writer) *journal { return &journal{began: time.Now(), out: out} }

// say notes a line.
func (j *journal) say(who, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.note(who, fmt.Sprintf(format, args...))
}

func (j *journal) note(who, text string) {
	line := fmt.Sprintf("%8.3f %-8s %s", time.Since(j.began).Seconds(), who, strings.TrimRight(text, "\n"))
	j.lines = append(j.lines, line)
	if j.out != nil {
		fmt.Fprintln(j.out, line)
	}
}

// fault notes that something is not as sotto promises.
func (j *journal) fault(who, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if slices.Contains(j.faults, who+": "+text) {
		return
	}
	j.faults = append(j.faults, who+": "+text)
	j.note(who, "FAULT "+text)
}

// tick is a new moment. Of two things, the one with the lower moment was first.
func (j *journal) tick() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.moment++
	return j.moment
}

// broken are the faults so far.
func (j *journal) broken() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.faults)
}

// last are the last n lines.
func (j *journal) last(n int) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines[max(0, len(j.lines)-n):])
}

// all is the whole journal.
func (j *journal) all() string { return strings.Join(j.last(1<<30), "\n") + "\n" }
