package sim

import (
	"fmt"
	"strings"
	"time"
)

// Plan is a population and what happens to it. Its text form is what a failing run prints
// and what testdata keeps.
type Plan struct {
	Seed  uint64
	TTL   time.Duration // of entries
	XWing bool          // rooms use the default suite, not suite 1
	Hosts []string      // names, without the domain
	Homes []string      // of the people, in order: the host's name
	Rooms []RoomPlan
	Steps []Step
}

// RoomPlan is a room that is made at the beginning, by its first member.
type RoomPlan struct {
	Name    string
	Members []int // people; two of them without a name of the room's own are a pair
	Pair    bool
}

// Step is one thing that happens, at a time after the beginning.
type Step struct {
	At   time.Duration
	Verb string
	Args []string
}

// person is the name of one of the people.
func person(i int) string {
	names := []string{"ana", "bo", "cy", "dee", "eli", "fay", "gus", "hal", "ida", "jon", "kim", "lou"}
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("p%d", i)
}

// String is the plan as text.
func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\nttl %s\n", p.Seed, p.TTL)
	if p.XWing {
		b.WriteString("xwing\n")
	}
	fmt.Fprintf(&b, "hosts %s\npeople %s\n", strings.Join(p.Hosts, " "), strings.Join(p.Homes, " "))
	for _, r := range p.Rooms {
		kind := "room"
		if r.Pair {
			kind = "pair"
		}
		fmt.Fprintf(&b, "%s %s %s\n", kind, r.Name, strings.Trim(fmt.Sprint(r.Members), "[]"))
	}
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%s %s\n", s.At, strings.Join(append([]string{s.Verb}, s.Args...), " "))
	}
	return b.String()
}

// ParsePlan reads the text form. Lines that begin with # say nothing.
func ParsePlan(text string) (p Plan, err error) {
	for n, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if err := p.line(f); err != nil {
			return p, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return p, nil
}

func (p *Plan) line(f []string) (err error) {
	switch f[0] {
	case "seed":
		_, err = fmt.Sscan(f[1], &p.Seed)
	case "ttl":
		p.TTL, err = time.ParseDuration(f[1])
	case "xwing":
		p.XWing = true
	case "hosts":
		p.Hosts = f[1:]
	case "people":
		p.Homes = f[1:]
	case "room", "pair":
		r := RoomPlan{Name: f[1], Pair: f[0] == "pair"}
		for _, m := range f[2:] {
			var n int
			if _, err := fmt.Sscan(m, &n); err != nil {
				return err
			}
			r.Members = append(r.Members, n)
		}
		p.Rooms = append(p.Rooms, r)
	default:
		s := Step{Verb: f[1], Args: f[2:]}
		if s.At, err = time.ParseDuration(f[0]); err == nil && verbs[s.Verb] == nil {
			err = fmt.Errorf("nobody knows how to %q", s.Verb)
		}
		p.Steps = append(p.Steps, s)
	}
	return err
}
