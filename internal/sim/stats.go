package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Stats counts what happened, over one world or many.
type Stats struct{ n map[string]int64 }

// NewStats counts nothing yet.
func NewStats() *Stats { return &Stats{map[string]int64{}} }

// Count adds to a count.
func (s *Stats) Count(what string, n int64) { s.n[what] += n }

// Fault counts a fault that struck.
func (s *Stats) Fault(what string) { s.n["fault: "+what]++ }

// Of is a count.
func (s *Stats) Of(what string) int64 { return s.n[what] }

// Add adds all counts of another.
func (s *Stats) Add(o *Stats) {
	for k, v := range o.n {
		s.n[k] += v
	}
}

// MarshalJSON and UnmarshalJSON carry counts from one process to another.
func (s *Stats) MarshalJSON() ([]byte, error) { return json.Marshal(s.n) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Stats) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &s.n) }

// Print writes the counts, those of a kind together.
func (s *Stats) Print(w io.Writer) {
	for _, k := range slices.SortedFunc(maps.Keys(s.n), func(a, b string) int {
		if x, y := strings.Contains(a, ": "), strings.Contains(b, ": "); x != y {
			if x {
				return 1
			}
			return -1
		}
		return strings.Compare(a, b)
	}) {
		fmt.Fprintf(w, "%12d  %s\n", s.n[k], k)
	}
}
