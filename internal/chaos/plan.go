//go:build linux && chaos

package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// act is one thing that is planned. What its numbers mean depends on the verb.
type act struct {
	wait    time.Duration // before it
	verb    string
	who     int // a device, or a server after the devices
	whom    int
	room    int
	n, size int
	last    time.Duration // how long it lasts; pause between lines
	kill    time.Duration // after which the command is killed; 0: it is not
	weather Weather
	yes     bool
}

func (a act) String() string {
	return strings.TrimSpace(fmt.Sprintf("+%v %s who=%d whom=%d room=%d n=%d size=%d last=%v kill=%v %t %v",
		a.wait.Round(time.Millisecond), a.verb, a.who, a.whom, a.room, a.n, a.size, a.last.Round(time.Millisecond), a.kill.Round(time.Millisecond), a.yes, a.weather))
}

// part is what one hand does, one act after the other.
type part struct {
	name string
	acts []act
}

// stage is what a plan is made for.
type stage struct {
	devices, servers, groups, pairs int
}

// plan is what happens in a round. The same seed, round, theme and stage make the same plan.
func plan(seed uint64, round int, t theme, s stage, d time.Duration) []part {
	h := hands{seed: seed, round: round, last: d}
	for i := range s.devices {
		h.add("voice", i, func(r *rand.Rand) act { return speak(r, t, s, i) })
		h.add("murmur", i, func(r *rand.Rand) act { return murmur(r, t, s, i) })
		h.add("ear", i, func(r *rand.Rand) act { return listen(r, t, i) })
	}
	for i := range s.groups {
		h.add("admin", i, func(r *rand.Rand) act { return manage(r, t, s, i) })
	}
	return append(h.parts, misfortunes(seed, round, t, s, d)...)
}

// misfortunes are what befalls machines in a round.
func misfortunes(seed uint64, round int, t theme, s stage, d time.Duration) []part {
	h := hands{seed: seed, round: round, last: d, n: 1 << 16}
	for i := range s.devices + s.servers {
		for _, f := range fates {
			h.add(f.name, i, func(r *rand.Rand) act { return f.next(r, t, s, i) })
		}
	}
	return h.parts
}

// hands draws the parts of a round, each from a source of its own.
type hands struct {
	seed  uint64
	round int
	last  time.Duration
	n     uint64
	parts []part
}

// add draws one part: next answers one act after the other, and none at the end.
func (h *hands) add(name string, who int, next func(r *rand.Rand) act) {
	h.n++
	r := rand.New(rand.NewPCG(h.seed, uint64(h.round)<<32|h.n))
	p := part{name: fmt.Sprintf("%s %d", name, who)}
	for at := time.Duration(0); ; {
		a := next(r)
		if at += a.wait; at > h.last || a.verb == "" {
			break
		}
		p.acts = append(p.acts, a)
	}
	if len(p.acts) > 0 {
		h.parts = append(h.parts, p)
	}
}

// soon is a time around mean, often much less and at times much more.
func soon(r *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(r.ExpFloat64() * float64(mean))
}

func chance(r *rand.Rand, share float64) bool { return r.Float64() < share }

// mortal is when a command is killed, if it is: commands take from 20 ms to seconds.
func mortal(r *rand.Rand, t theme) time.Duration {
	if !chance(r, t.kills) {
		return 0
	}
	return time.Millisecond + soon(r, time.Duration(20+r.IntN(300))*time.Millisecond)
}

// speak is what a person does: mostly write.
func speak(r *rand.Rand, t theme, s stage, who int) act {
	a := act{wait: soon(r, 250*time.Millisecond), who: who, room: r.IntN(s.groups + s.pairs), kill: mortal(r, t)}
	if chance(r, 0.6) {
		a.room = r.IntN(s.groups)
	}
	switch n := r.IntN(100); {
	case n < 45:
		a.verb, a.n = "send", 1
	case n < 75:
		a.verb, a.n, a.size, a.last = "send", 2+r.IntN(20), r.IntN(400), soon(r, 15*time.Millisecond)
	case n < 78:
		a.verb, a.n, a.size = "send", 3, 20_000+r.IntN(80_000)
	case n < 86:
		a.verb = "reply"
	case n < 93:
		a.verb = "edit"
	case n < 96:
		a.verb = "delete"
	default:
		a.verb = "read"
	}
	return a
}

// murmur is what another window of the same person does meanwhile.
func murmur(r *rand.Rand, t theme, s stage, who int) act {
	a := act{wait: soon(r, time.Second), who: who, room: r.IntN(s.groups + s.pairs), kill: mortal(r, t)}
	switch n := r.IntN(100); {
	case n < 40:
		a.verb, a.n, a.size = "send", 1+r.IntN(3), r.IntN(200)
	case n < 75:
		a.verb = "read"
	case n < 90:
		a.verb = "rooms"
	default:
		a.verb = "list"
	}
	return a
}

// listen is what happens to a person's followers.
func listen(r *rand.Rand, t theme, who int) act {
	a := act{wait: soon(r, time.Duration(1.5*float64(time.Second)/max(t.relays, 1))), who: who, n: r.IntN(2), verb: "follow"}
	if chance(r, 0.45) {
		a.verb = "hush"
		if chance(r, t.axes) {
			a.verb = "axe"
		}
	}
	return a
}

// manage is what the admins of a group do.
func manage(r *rand.Rand, t theme, s stage, group int) act {
	a := act{wait: soon(r, 2*time.Second), room: group, whom: r.IntN(s.devices), n: r.IntN(1 << 20), kill: mortal(r, t)}
	switch n := r.IntN(100); {
	case n < 40:
		a.verb = "remove"
	case n < 80:
		a.verb = "add"
	case n < 85:
		a.verb = "leave"
	default:
		a.verb = "rename"
	}
	return a
}
