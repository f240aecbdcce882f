//go:build linux

package netlab

import (
	"path/filepath"
	"testing"
	"time"
)

// behind is a laboratory with Ana behind a link, and Bo.
func behind(t *testing.T, w weather) (ana, bo *Person, k *link) {
	t.Helper()
	l := lab(t)
	ana, k, err := l.addBehind("ana", w)
	if err == nil {
		t.Cleanup(k.close)
		bo, err = l.add("bo", open)
	}
	if err != nil {
		t.Fatal(err)
	}
	each(t, 2, l.people, func(p *Person) error { return p.joins(60) })
	if err := ana.meets(bo); err != nil {
		t.Fatal(err)
	}
	return ana, bo, k
}

// TestJitter lets every packet be late, some by more than those after them. What is heard is
// in order, and nothing of it is lost.
func TestJitter(t *testing.T) {
	ana, bo, k := behind(t, weather{})
	k.become(weather{delay: 100 * time.Millisecond, jitter: 30 * time.Millisecond})
	c, mine := talk(t, ana, bo, "--for", "5s")
	for _, of := range both(t, c, mine, bo) {
		if of.err != nil || of.packets < 200 {
			t.Errorf("of %s %d packets were heard of 250: %v", of.name, of.packets, of.err)
		}
	}
}

// TestNarrow shows a film of 800 kbit/s over a link that has 300 from some moment on. What is
// sent falls below that, and what is sent does not wait long.
func TestNarrow(t *testing.T) {
	ana, bo, k := behind(t, weather{delay: 20 * time.Millisecond})
	film := filepath.Join(ana.dir, "film.ivf")
	if err := writeFilm(film, "ana", 30*90, 30, 800_000/8/30); err != nil {
		t.Fatal(err)
	}
	c, _ := talk(t, ana, bo, "--play", film)
	if _, err := c.wants(func(o object) bool { return o.News == "quality" && o.Rate > 700_000 }); err != nil {
		t.Fatal(err)
	}
	k.become(weather{delay: 20 * time.Millisecond, rate: 300_000, queue: 3 * time.Second})
	if _, err := c.wants(func(o object) bool { return o.News == "quality" && o.Rate < 300_000 && o.Thinned > 0 }); err != nil {
		t.Fatal(err)
	}
	k.become(weather{delay: 20 * time.Millisecond, rate: 300_000, queue: 3 * time.Second}) // what waited until here is not counted
	settled := 0
	for settled < 3 { // about ten seconds
		o, err := c.wants(news("quality"))
		if err != nil {
			t.Fatal(err)
		}
		settled++
		t.Logf("sent %d bits a second, %.0f ms there and back, %d pictures left out, longest wait %v", o.Rate, o.Delay, o.Thinned, k.longest())
		if o.Rate > 330_000 {
			t.Errorf("%d bits a second are sent where 300000 pass", o.Rate)
		}
	}
	if wait := k.longest(); wait > time.Second {
		t.Errorf("a packet waited %v", wait)
	}
	c.stop()
	over, err := bo.waits.wants(news("over"))
	if err != nil {
		t.Fatal(err)
	}
	if n, _, err := heard(over.Files[0], "ana"); err != nil || n < 400 {
		t.Errorf("%d packets of sound were heard: %v", n, err)
	}
}
