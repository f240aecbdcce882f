//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// talks are two people of whom one calls the other.
type talks struct{ from, to *Person }

// TestPairs lets every two kinds of networks call each other. All connect, and directly
// wherever that can be.
func TestPairs(t *testing.T) {
	began := time.Now()
	l, list := lab(t), kinds
	if *long {
		list = append([]kind{addressed}, kinds...)
	}
	var callers, callees []*Person
	for i, k := range list {
		for side, to := range []*[]*Person{&callers, &callees} {
			p, err := l.add(fmt.Sprintf("%c%d", 'a'+side, i), k)
			if err != nil {
				t.Fatal(err)
			}
			*to = append(*to, p)
		}
	}
	each(t, 3, l.people, func(p *Person) error { return p.joins(2) })
	if t.Failed() {
		t.FailNow()
	}
	// In a round everybody is in one call. The nth neighbours of all are all pairs once (twice
	// where there is a half).
	last := len(list) / 2
	if *long {
		last = len(list) - 1
	}
	var rounds [][]talks
	for n := 0; n <= last; n++ {
		var round []talks
		for i := range list {
			if n*2 == len(list) && i >= n && !*long {
				break
			}
			round = append(round, talks{callers[i], callees[(i+n)%len(list)]})
		}
		rounds = append(rounds, round)
		each(t, 3, round, func(x talks) error { return x.from.meets(x.to) })
	}
	if t.Failed() {
		t.FailNow()
	}
	t.Logf("%d people know each other after %v", len(l.people), time.Since(began).Round(time.Millisecond))
	calls := 0
	for _, round := range rounds {
		each(t, len(round), round, func(x talks) error { return x.try(t) })
		calls += len(round)
	}
	t.Logf("%d calls after %v", calls, time.Since(began).Round(time.Millisecond))
}

// errRelayed is the error of a call that was relayed and could have been direct.
var errRelayed = errors.New("it was relayed")

// try makes the call. Where it was relayed for no reason it makes it again: a machine that is
// too busy to look at every path in two seconds takes the one that it has.
func (x talks) try(t *testing.T) error {
	err := x.check()
	for n := 0; n < 2 && errors.Is(err, errRelayed); n++ {
		t.Logf("once more: %v", err)
		err = x.check()
	}
	return err
}

// check makes the call, and looks at its path and at what both have heard.
func (x talks) check() error {
	name := x.from.kind.name + " calls " + x.to.kind.name
	c, mine, err := x.from.calls(x.to, "--for", "2s")
	if err != nil {
		return err
	}
	here, err := c.wants(news("connected"))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := c.end(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	there, err := x.to.waits.wants(news("connected"))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	over, err := x.to.waits.wants(news("over"))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	switch relayed := here.Relayed || there.Relayed; {
	case relayed && direct(x.from.kind.name, x.to.kind.name):
		return fmt.Errorf("%s: %w (%s here, %s there)", name, errRelayed, here.Path, there.Path)
	case !relayed && !direct(x.from.kind.name, x.to.kind.name):
		return fmt.Errorf("%s: it was direct (%s here, %s there), which cannot be", name, here.Path, there.Path)
	}
	if len(over.Files) != 1 {
		return fmt.Errorf("%s: %d recordings there", name, len(over.Files))
	}
	for _, side := range []struct{ file, of string }{{mine, x.to.name}, {over.Files[0], x.from.name}} {
		if n, _, err := heard(side.file, side.of); err != nil || n < 60 {
			return fmt.Errorf("%s: %d packets of %s were heard of 100: %w", name, n, side.of, err)
		}
	}
	return nil
}
