package sim

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// deed is a device that links another one, or unlinks it.
type deed struct{ verb, by, whom string }

// deedsOf are all orders in which somebody links further devices and unlinks some again, each
// once, until so many were linked and so many unlinked: by whom, and whom. Devices are named in
// the order in which they come, since it makes no difference what they are called.
func deedsOf(who string, links, unlinks int) (out [][]deed) {
	var walk func(have []string, links, unlinks, next int, so []deed)
	walk = func(have []string, links, unlinks, next int, so []deed) {
		if links == 0 && unlinks == 0 {
			out = append(out, slices.Clone(so))
			return
		}
		for _, by := range have {
			if links > 0 {
				fresh := further(who, next)
				walk(append(slices.Clone(have), fresh), links-1, unlinks, next+1, append(so, deed{"link", by, fresh}))
			}
			for _, whom := range have {
				if unlinks > 0 && whom != by {
					left := slices.DeleteFunc(slices.Clone(have), func(x string) bool { return x == whom })
					walk(left, links, unlinks-1, next, append(so, deed{"unlink", by, whom}))
				}
			}
		}
	}
	walk([]string{who}, links, unlinks, 1, nil)
	return out
}

// mingled are all ways in which two sequences become one.
func mingled(a, b []deed) (out [][]deed) {
	if len(a) == 0 || len(b) == 0 {
		return [][]deed{slices.Concat(a, b)}
	}
	for _, x := range mingled(a[1:], b) {
		out = append(out, append([]deed{a[0]}, x...))
	}
	for _, x := range mingled(a, b[1:]) {
		out = append(out, append([]deed{b[0]}, x...))
	}
	return out
}

// order is one order in which three devices of Ana and two of Bo are linked and unlinked.
type order struct {
	n     uint64
	deeds []deed
}

// orders are all of them. The first part has each order of Ana's devices with each of Bo's, and
// the ways in which those mingle in turns; the rest are all other ways.
func orders() (out []order) {
	var rest [][]deed
	turn := 0
	for _, a := range deedsOf("ana", 2, 2) {
		for _, b := range deedsOf("bo", 1, 1) {
			all := mingled(a, b)
			for i, x := range all {
				if i == turn%len(all) {
					out = append(out, order{deeds: x})
				} else {
					rest = append(rest, x)
				}
			}
			turn += 4 // prime to the 15 ways
		}
	}
	for _, x := range rest {
		out = append(out, order{deeds: x})
	}
	for i := range out {
		out[i].n = uint64(i)
	}
	return out
}

// firstOrders is how many orders the first part has.
func firstOrders() int { return len(deedsOf("ana", 2, 2)) * len(deedsOf("bo", 1, 1)) }

// plan has the devices do it while everybody writes in a group and in a pair, calmly, so that
// each deed is done before the next; or with faults, and hardly waiting for each other.
func (o order) plan(faults bool) Plan {
	rng := rand.New(rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "order %d %v", o.n, faults))))
	p := Plan{Seed: o.n, TTL: 48 * time.Hour, Hosts: []string{"a", "b"}, Homes: []string{"a", "b"},
		Rooms: []RoomPlan{{Name: "all", Members: []int{0, 1}}, {Name: "pair", Members: []int{1, 0}, Pair: true}}}
	d := drawing{rng: rng, p: &p, own: map[string]int{}}
	have := []string{"ana", "bo"}
	write := func() {
		for _, who := range have {
			d.at += 100 * time.Millisecond
			d.add("write", who, d.one("all", "pair"), "1")
		}
	}
	write()
	for _, x := range o.deeds {
		d.at += time.Second
		d.add(x.verb, x.by, x.whom)
		switch {
		case faults:
			d.at += time.Duration(rng.IntN(6000)) * time.Millisecond
			d.befall(d.one("cut", "cutin", "disk", "disk", "crash", "off", "lost", "sleep", "hostcrash", "hostdisk", "answers"), d.one(have...))
			write()
			d.at += time.Duration(rng.IntN(10_000)) * time.Millisecond
		default:
			d.at += 500 * time.Millisecond
			write() // while it is under way
			d.at += 20 * time.Second
		}
		if x.verb == "link" {
			have = append(have, x.whom)
		} else {
			have = slices.DeleteFunc(have, func(y string) bool { return y == x.whom })
		}
		write()
	}
	return p
}
