//go:build linux && chaos

package chaos

import (
	"math/rand/v2"
	"time"
)

// fate is something that befalls a machine, by chance.
type fate struct {
	name string
	next func(r *rand.Rand, t theme, s stage, who int) act
}

var fates = []fate{
	{"weather", func(r *rand.Rand, t theme, s stage, who int) act {
		return befall(r, t.weather, act{verb: "weather", who: who, weather: bad[r.IntN(len(bad))], last: soon(r, 4*time.Second)})
	}},
	{"cut", func(r *rand.Rand, t theme, s stage, who int) act {
		// Most of what a command says fits into some thousand bytes.
		return befall(r, t.cuts, act{verb: "cut", who: who, n: int(r.ExpFloat64() * 6000), yes: chance(r, 0.7)})
	}},
	{"dark", func(r *rand.Rand, t theme, s stage, who int) act {
		a := act{verb: "dark", who: who, whom: s.devices + r.IntN(s.servers), last: soon(r, 2500*time.Millisecond)}
		switch {
		case chance(r, 0.3):
			a.verb = "unplug"
		case chance(r, 0.4):
			a.verb = "split"
		}
		return befall(r, t.dark, a)
	}},
	{"roam", func(r *rand.Rand, t theme, s stage, who int) act {
		if who >= s.devices {
			return act{}
		}
		return befall(r, t.roams, act{verb: "roam", who: who})
	}},
	{"nap", func(r *rand.Rand, t theme, s stage, who int) act {
		return befall(r, t.naps, act{verb: "nap", who: who, last: soon(r, 2*time.Second)})
	}},
	{"crash", func(r *rand.Rand, t theme, s stage, who int) act {
		if who < s.devices {
			return act{}
		}
		return befall(r, t.crashes, act{verb: "crash", who: who, last: soon(r, 700*time.Millisecond), yes: chance(r, 0.75)})
	}},
	{"full", func(r *rand.Rand, t theme, s stage, who int) act {
		a := act{verb: "full", who: who, n: r.IntN(200_000), last: soon(r, 2*time.Second)}
		if who >= s.devices && chance(r, 0.5) {
			a.n += 64 << 20 // what the database wants to keep free
		}
		return befall(r, t.full, a)
	}},
}

// befall is a when it comes so often in a minute.
func befall(r *rand.Rand, often float64, a act) act {
	if often == 0 {
		return act{}
	}
	a.wait = soon(r, time.Duration(float64(time.Minute)/often))
	a.last = min(a.last, 20*time.Second)
	return a
}
