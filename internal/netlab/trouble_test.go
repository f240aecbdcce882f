//go:build linux

package netlab

import (
	"fmt"
	"testing"
	"time"
)

// pair is a laboratory with two people who know each other.
func pair(t *testing.T, a, b kind, seconds int) (l *Lab, ana, bo *Person) {
	t.Helper()
	l = lab(t)
	ana, err := l.add("ana", a)
	if err == nil {
		bo, err = l.add("bo", b)
	}
	if err != nil {
		t.Fatal(err)
	}
	each(t, 2, l.people, func(p *Person) error { return p.joins(seconds) })
	if err := ana.meets(bo); err != nil {
		t.Fatal(err)
	}
	return l, ana, bo
}

// talk begins a call and waits until both hear each other.
func talk(t *testing.T, ana, bo *Person, more ...string) (c *process, heard string) {
	t.Helper()
	c, heard, err := ana.calls(bo, more...)
	if err == nil {
		_, err = c.wants(news("connected"))
	}
	if err == nil {
		_, err = bo.waits.wants(news("connected"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, heard
}

// hearing is what was heard of somebody in a call that is over.
type hearing struct {
	name    string
	packets int
	last    time.Duration // from the beginning
	err     error
}

// both waits until a call of Ana's to Bo is over, and answers what each heard of the other. mine is
// what Ana has recorded.
func both(t *testing.T, c *process, mine string, bo *Person) (out []hearing) {
	t.Helper()
	if err := c.end(); err != nil {
		t.Fatal(err)
	}
	over, err := bo.waits.wants(news("over"))
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range []struct{ file, of string }{{mine, "bo"}, {over.Files[0], "ana"}} {
		h := hearing{name: side.of}
		h.packets, h.last, h.err = heard(side.file, side.of)
		t.Logf("of %s: %d packets, the last after %v", h.name, h.packets, h.last)
		out = append(out, h)
	}
	return out
}

// TestLoss lets packets be lost on the way, of media and of everything else. Calls come about
// and go on, and what was not lost is heard in its order and at its time.
func TestLoss(t *testing.T) {
	for _, percent := range []int{5, 30} {
		t.Run(fmt.Sprint(percent), func(t *testing.T) {
			_, ana, bo := pair(t, restricted, open, 6)
			if err := nft("r-ana", forward(fmt.Sprintf("numgen random mod 100 < %d drop", percent))); err != nil {
				t.Fatal(err)
			}
			c, mine := talk(t, ana, bo, "--for", "5s")
			for _, of := range both(t, c, mine, bo) {
				// 250 were said, and some of those that came may be late.
				if of.err != nil || of.packets < 250*(100-percent)/100*3/4 || percent == 30 && of.packets > 225 || of.last < 3*time.Second {
					t.Errorf("of %s %d packets were heard, the last after %v: %v", of.name, of.packets, of.last, of.err)
				}
			}
		})
	}
}

// TestRelayDies ends the home server, and with it the relay, in the middle of a call that goes
// through it. When it is back the call comes back by itself.
func TestRelayDies(t *testing.T) {
	l, ana, bo := pair(t, symmetric, symmetric, 60)
	c, _ := talk(t, ana, bo)
	l.server.stop()
	if _, err := c.wants(news("broken")); err != nil {
		t.Fatal(err)
	}
	if err := l.serve(); err != nil {
		t.Fatal(err)
	}
	back(t, c, bo, true)
}

// back waits until a call is there again on both sides, and ends it.
func back(t *testing.T, c *process, bo *Person, relayed bool) {
	t.Helper()
	began := time.Now()
	o, err := c.wants(news("connected"))
	if err != nil {
		t.Fatal(err)
	}
	if o.Relayed != relayed {
		t.Errorf("the new path is relayed: %t (%s)", o.Relayed, o.Path)
	}
	q, err := c.wants(news("quality"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.wants(func(o object) bool { return o.News == "quality" && o.Heard > q.Heard+50 }); err != nil {
		t.Fatal(err)
	}
	t.Logf("back after %v", time.Since(began).Round(100*time.Millisecond))
	c.stop()
	if _, err := bo.waits.wants(func(o object) bool { return o.News == "over" && o.End == "hung_up" }); err != nil {
		t.Fatal(err)
	}
}

// TestRoaming takes a person from one network to another in the middle of a call: the
// address is gone, another interface is there.
func TestRoaming(t *testing.T) {
	l, ana, bo := pair(t, open, restricted, 60)
	if err := l.plug("ana", "eth1", "", ""); err != nil {
		t.Fatal(err)
	}
	c, _ := talk(t, ana, bo)
	began := time.Now()
	if err := ip("ana", "link del eth0", "addr add 31.0.2.1/16 dev eth1", "route replace default via "+gateway4); err != nil {
		t.Fatal(err)
	}
	if _, err := c.wants(news("broken")); err != nil {
		t.Fatal(err)
	}
	back(t, c, bo, false)
	t.Logf("on another network for %v", time.Since(began).Round(100*time.Millisecond))
}
