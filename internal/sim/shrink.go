package sim

import "slices"

// Shrink finds a short plan that still fails: it leaves out steps, then people and rooms,
// as long as the rest fails. fails carries a plan out. It tries at most tries plans.
func Shrink(p Plan, tries int, fails func(Plan) bool) Plan {
	try := func(q Plan) bool {
		if tries <= 0 {
			return false
		}
		tries--
		return fails(q)
	}
	for size := (len(p.Steps) + 1) / 2; size > 0; {
		shorter := false
		for from := 0; from < len(p.Steps); {
			q := p
			q.Steps = slices.Delete(slices.Clone(p.Steps), from, min(from+size, len(p.Steps)))
			if try(q) {
				p, shorter = q, true
				continue
			}
			from += size
		}
		if !shorter || size > 1 {
			size /= 2
		}
	}
	for i := 0; i < len(p.Rooms); {
		q := p
		q.Rooms = slices.Delete(slices.Clone(p.Rooms), i, i+1)
		if !p.names(p.Rooms[i].Name) && try(q) {
			p = q
			continue
		}
		i++
	}
	for i := range p.Rooms {
		for j := 1; j < len(p.Rooms[i].Members); {
			q := p
			q.Rooms = slices.Clone(p.Rooms)
			q.Rooms[i].Members = slices.Delete(slices.Clone(p.Rooms[i].Members), j, j+1)
			if !p.Rooms[i].Pair && try(q) {
				p = q
				continue
			}
			j++
		}
	}
	return p
}

// names says whether a step speaks of something.
func (p Plan) names(what string) bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return slices.Contains(s.Args, what) })
}
