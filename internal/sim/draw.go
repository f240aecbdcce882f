package sim

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Profile is a kind of plan: how many people, how much they write, and what befalls them.
type Profile struct {
	Name    string
	People  [2]int // at least and at most
	Hosts   int
	Steps   [2]int
	Gap     time.Duration // between steps, on average
	Burst   int           // texts that somebody writes at once, at most
	Weights map[string]int
}

// Profiles are the kinds of plans that random runs are made of.
var Profiles = []Profile{
	{Name: "busy", People: [2]int{6, 12}, Hosts: 1, Steps: [2]int{12, 24}, Gap: 500 * time.Millisecond, Burst: 100,
		Weights: map[string]int{"write": 30, "react": 2, "read": 2, "weather": 1, "cut": 1}},
	{Name: "crowd", People: [2]int{10, 14}, Hosts: 2, Steps: [2]int{12, 24}, Gap: time.Second, Burst: 100,
		Weights: map[string]int{"write": 30, "react": 1, "read": 2, "cut": 2, "cutin": 2, "weather": 2, "lost": 1, "off": 1, "hostcrash": 1}},
	{Name: "network", People: [2]int{4, 8}, Hosts: 2, Steps: [2]int{30, 60}, Gap: time.Second, Burst: 8,
		Weights: map[string]int{"write": 20, "react": 2, "read": 2, "cut": 4, "cutin": 6, "weather": 3, "lost": 3, "down": 3, "answers": 1, "hostmute": 1, "hostslow": 1, "sleep": 2, "rename": 1}},
	{Name: "crash", People: [2]int{3, 6}, Hosts: 2, Steps: [2]int{30, 60}, Gap: time.Second, Burst: 6,
		Weights: map[string]int{"write": 20, "react": 2, "read": 1, "crash": 4, "disk": 6, "hostcrash": 3, "hostdisk": 4, "hoststop": 1, "off": 2, "hostfull": 1, "rename": 1, "cut": 1}},
	{Name: "churn", People: [2]int{5, 9}, Hosts: 2, Steps: [2]int{30, 50}, Gap: 2 * time.Second, Burst: 5,
		Weights: map[string]int{"write": 20, "read": 1, "rename": 3, "commits": 2, "add": 4, "remove": 4, "admin": 2, "leave": 1, "cut": 2, "crash": 1, "off": 1, "hostcrash": 1}},
	{Name: "old", People: [2]int{3, 6}, Hosts: 2, Steps: [2]int{25, 40}, Gap: 3 * time.Second, Burst: 5,
		Weights: map[string]int{"write": 20, "read": 1, "copy": 3, "goback": 2, "clone": 1, "backup": 3, "restore": 2, "hostcrash": 1, "off": 1, "rename": 1}},
	{Name: "sleepers", People: [2]int{3, 6}, Hosts: 2, Steps: [2]int{15, 25}, Gap: 10 * time.Minute, Burst: 6,
		Weights: map[string]int{"write": 20, "read": 2, "sleep": 3, "off": 3, "skew": 2, "rename": 1, "hostcrash": 1, "longoff": 2}},
	{Name: "dying", People: [2]int{3, 6}, Hosts: 3, Steps: [2]int{12, 20}, Gap: time.Minute, Burst: 5,
		Weights: map[string]int{"write": 20, "rename": 1, "hostdie": 1, "off": 1, "cut": 1}},
	{Name: "storm", People: [2]int{5, 10}, Hosts: 2, Steps: [2]int{40, 80}, Gap: time.Second, Burst: 8,
		Weights: map[string]int{"write": 30, "react": 3, "read": 2, "cut": 2, "cutin": 3, "weather": 2, "lost": 2, "down": 2, "answers": 1, "crash": 2, "disk": 3, "hostcrash": 1, "hostdisk": 2,
			"off": 1, "sleep": 1, "rename": 2, "commits": 1, "skew": 1, "hostfull": 1}},
	{Name: "devices", People: [2]int{3, 4}, Hosts: 2, Steps: [2]int{30, 50}, Gap: 4 * time.Second, Burst: 4,
		Weights: map[string]int{"write": 20, "react": 1, "read": 2, "link": 9, "unlink": 7, "words": 2, "recover": 1, "cut": 2, "cutin": 2, "off": 2, "crash": 2, "disk": 3, "lost": 1,
			"sleep": 1, "hostcrash": 1, "hostdisk": 1, "rename": 2, "commits": 1}},
	{Name: "own", People: [2]int{2, 3}, Hosts: 2, Steps: [2]int{25, 40}, Gap: 20 * time.Second, Burst: 4,
		Weights: map[string]int{"write": 20, "read": 1, "link": 9, "unlink": 5, "words": 2, "recover": 2, "longoff": 1, "skew": 1, "copy": 2, "goback": 1, "clone": 1, "backup": 2, "restore": 1,
			"hostcrash": 1, "hostfull": 1, "weather": 2, "answers": 1, "crash": 1, "add": 1, "remove": 1}},
}

// Races are plans in which admins add and remove people at the moments at which others
// change the room too.
var Races = Profile{Name: "races", People: [2]int{6, 9}, Hosts: 2, Steps: [2]int{40, 60}, Gap: 300 * time.Millisecond, Burst: 2,
	Weights: map[string]int{"write": 6, "commits": 8, "add": 14, "remove": 12, "rename": 4, "weather": 2}}

// Draw makes the plan of a seed. The profile is chosen by the seed too.
func Draw(seed uint64) Plan { return DrawOf(Profiles[seed%uint64(len(Profiles))], seed) }

// DrawOf makes the plan of a seed and a profile.
func DrawOf(f Profile, seed uint64) Plan {
	rng := rand.New(rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "plan %s %d", f.Name, seed))))
	p := Plan{Seed: seed, TTL: 48 * time.Hour, XWing: rng.IntN(20) == 0}
	for i := range f.Hosts {
		p.Hosts = append(p.Hosts, string(rune('a'+i)))
	}
	n := f.People[0] + rng.IntN(f.People[1]-f.People[0]+1)
	for range n {
		p.Homes = append(p.Homes, p.Hosts[rng.IntN(len(p.Hosts))])
	}
	all := rng.Perm(n)
	p.Rooms = append(p.Rooms, RoomPlan{Name: "all", Members: all})
	if n > 4 {
		p.Rooms = append(p.Rooms, RoomPlan{Name: "some", Members: rng.Perm(n)[:3+rng.IntN(n-3)]})
	}
	pair := rng.Perm(n)[:2]
	p.Rooms = append(p.Rooms, RoomPlan{Name: "pair", Members: pair, Pair: true})
	d := drawing{rng: rng, f: f, p: &p, own: map[string]int{}}
	for range f.Steps[0] + rng.IntN(f.Steps[1]-f.Steps[0]+1) {
		d.at += time.Duration(rng.ExpFloat64() * float64(f.Gap)).Round(time.Microsecond)
		d.step()
	}
	return p
}

// drawing is a plan that is being made.
type drawing struct {
	rng *rand.Rand
	f   Profile
	p   *Plan
	at  time.Duration
	own map[string]int // further devices of people
}

// maxOwn is how many devices somebody has besides the first, in all.
const maxOwn = 3

func (d *drawing) who() string { return person(d.rng.IntN(len(d.p.Homes))) }

// device is one of somebody's devices.
func (d *drawing) device(who string) string {
	if n := d.own[who]; n > 0 {
		if i := d.rng.IntN(n + 1); i > 0 {
			return further(who, i)
		}
	}
	return who
}

// further is the name of one of somebody's devices besides the first, from 1.
func further(who string, i int) string { return fmt.Sprint(who, i+1) }
func (d *drawing) host() string        { return d.p.Hosts[d.rng.IntN(len(d.p.Hosts))] }

// member is a room and one of its members at the beginning.
func (d *drawing) member() (room RoomPlan, who string) {
	room = d.p.Rooms[d.rng.IntN(len(d.p.Rooms))]
	return room, person(room.Members[d.rng.IntN(len(room.Members))])
}

// span draws a time, short ones far more often than long ones.
func (d *drawing) span(least, most time.Duration) string {
	x := d.rng.Float64()
	return (least + time.Duration(x*x*x*float64(most-least))).Round(time.Millisecond).String()
}

func (d *drawing) add(verb string, args ...string) {
	d.p.Steps = append(d.p.Steps, Step{At: d.at, Verb: verb, Args: args})
}

func (d *drawing) one(of ...string) string { return of[d.rng.IntN(len(of))] }

func (d *drawing) step() {
	verbs := make([]string, 0, len(d.f.Weights))
	total := 0
	for v, n := range d.f.Weights {
		verbs = append(verbs, v)
		total += n
	}
	slices.Sort(verbs)
	x := d.rng.IntN(total)
	for _, v := range verbs {
		if x -= d.f.Weights[v]; x < 0 {
			d.draw(v)
			return
		}
	}
}

func (d *drawing) draw(verb string) {
	room, who := d.member()
	who = d.device(who)
	switch verb {
	case "write":
		d.add("write", who, room.Name, fmt.Sprint(1+d.rng.IntN(d.f.Burst)))
	case "react":
		d.add("react", who, room.Name, d.one("react", "edit", "delete", "reply"))
	case "read":
		d.add("read", who)
	case "rename":
		if !room.Pair {
			d.add("rename", who, room.Name, fmt.Sprintf("%s-%d", room.Name, d.rng.IntN(1000)))
		}
	case "commits":
		d.add("commits", "all")
	case "add", "remove", "admin":
		if !room.Pair {
			d.add(verb, person(room.Members[0]), room.Name, d.who())
		}
	case "link", "unlink", "words", "recover":
		d.devices(verb, who)
	case "leave":
		if !room.Pair && !strings.HasPrefix(who, person(room.Members[0])) {
			d.add("leave", who, room.Name)
		}
	default:
		d.befall(verb, who)
	}
}

// devices draws what somebody does with devices; a linking often meets with something.
func (d *drawing) devices(verb, by string) {
	who := strings.TrimRight(by, "0123456789")
	switch {
	case verb == "words":
		d.add(verb, by)
	case verb == "unlink":
		if x := d.device(who); x != by {
			d.add(verb, by, x)
		}
	case verb == "link" && d.own[who] > 0 && d.rng.IntN(2) == 0: // again, if it was not linked
		d.add(verb, by, further(who, 1+d.rng.IntN(d.own[who])))
	case d.own[who] == maxOwn:
	case verb == "recover":
		d.own[who]++
		d.add(verb, by, further(who, d.own[who]), d.one("lost", "thief"))
	default:
		d.own[who]++
		fresh := further(who, d.own[who])
		d.add(verb, by, fresh)
		for range max(0, d.rng.IntN(4)-1) {
			d.at += time.Duration(d.rng.IntN(5000)) * time.Millisecond
			d.befall(d.one("cut", "cutin", "disk", "disk", "crash", "off", "lost", "hostcrash", "hostdisk"), d.one(by, fresh))
		}
	}
}

// befall draws what happens to somebody's device, or to a host.
func (d *drawing) befall(verb, who string) {
	switch verb {
	case "cut", "copy", "goback":
		d.add(verb, who)
	case "cutin":
		d.add("cutin", who, d.one("up", "down"), fmt.Sprint(1+d.rng.IntN(6)))
	case "weather":
		d.add("weather", who, d.span(0, time.Second), d.span(0, 2*time.Second), fmt.Sprint(500+d.rng.IntN(50_000)), d.span(time.Second, time.Minute))
	case "lost", "down", "clone":
		d.add(verb, who, d.span(time.Second, 5*time.Minute))
	case "answers":
		d.add("answers", who, fmt.Sprint(d.rng.IntN(40)))
	case "skew":
		d.add("skew", who, d.one("", "-")+d.span(time.Second, 6*time.Hour))
	case "sleep", "off", "crash":
		d.add(verb, who, d.span(time.Second, 20*time.Minute))
	case "longoff":
		d.add("off", who, d.span(10*time.Hour, 60*time.Hour))
	case "disk":
		d.add("disk", who, fmt.Sprint(1+d.rng.IntN(60)), d.one("crash", "crash", "full", "fail", "lie"), d.span(time.Second, time.Minute))
	case "hostcrash", "hoststop", "hostfull", "hostmute":
		d.add(verb, d.host(), d.span(time.Second, 2*time.Minute))
	case "hostdisk":
		d.add("hostdisk", d.host(), fmt.Sprint(1+d.rng.IntN(30)), d.one("crash", "crash", "fail", "lie"), d.span(time.Second, time.Minute))
	case "hostslow":
		d.add("hostslow", d.host(), d.span(0, 3*time.Second), d.span(time.Second, time.Minute))
	case "backup", "restore":
		d.add(verb, d.host())
	case "hostdie":
		d.add("hostdie", d.p.Hosts[len(d.p.Hosts)-1])
	default:
		panic("nobody draws " + verb)
	}
}
