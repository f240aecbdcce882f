//go:build linux && chaos

package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Weather is how a link treats what passes it.
type Weather struct {
	Delay, Jitter      time.Duration
	Loss, Twice, Early float64 // shares of packets: lost, doubled, ahead of those before them
	Rate               int     // bytes a second; 0: as fast as it comes
	Queue              int     // bytes that wait for the rate; what is more is lost
}

func (w Weather) String() string {
	out := []string{}
	add := func(yes bool, format string, args ...any) {
		if yes {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	add(w.Delay > 0, "%v±%v", w.Delay, w.Jitter)
	add(w.Loss > 0, "loss %.0f%%", 100*w.Loss)
	add(w.Twice > 0, "doubles %.0f%%", 100*w.Twice)
	add(w.Early > 0, "reorders %.0f%%", 100*w.Early)
	add(w.Rate > 0, "%d kB/s", w.Rate/1000)
	if len(out) == 0 {
		return "clear"
	}
	return strings.Join(out, ", ")
}

// link is one direction of a port.
type link struct {
	Weather
	rng  *rand.Rand
	dark bool
	free time.Time // when what passed before is through the rate
	last time.Time // when the last packet that keeps its place arrives
}

// pass says when a packet of so many bytes arrives: never, once or twice.
func (l *link) pass(now time.Time, size int) []time.Time {
	if l.dark || l.Loss > 0 && l.rng.Float64() < l.Loss {
		return nil
	}
	at := now
	if l.Rate > 0 {
		if l.free.Before(now) {
			l.free = now
		}
		if waiting := l.free.Sub(now).Seconds() * float64(l.Rate); waiting > float64(l.Queue) {
			return nil
		}
		l.free = l.free.Add(time.Duration(float64(size) / float64(l.Rate) * float64(time.Second)))
		at = l.free
	}
	at = at.Add(l.Delay)
	if l.Jitter > 0 {
		at = at.Add(time.Duration(l.rng.Int64N(int64(2*l.Jitter))) - l.Jitter)
	}
	if l.Early == 0 || l.rng.Float64() >= l.Early {
		if at.Before(l.last) {
			at = l.last
		}
		l.last = at
	} else if at = at.Add(-l.Delay / 2); at.Before(now) {
		at = now
	}
	out := []time.Time{at}
	if l.Twice > 0 && l.rng.Float64() < l.Twice {
		out = append(out, at.Add(l.Delay/4))
	}
	return out
}
