package sim

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// Evil is whoever runs a host and is not honest. It sees all that passes in plain, both
// ways, and remembers it; it drops, delays, repeats, changes and invents frames and
// answers. Keys it has none: what it does, any operator could.
type Evil struct {
	h       *Host
	under   []*assault // attacks under way, oldest first
	cursors map[wire.Hash]seat
	authors map[wire.Hash]*Device        // who brought an entry, by its SHA-256
	tokens  map[wire.LogName]wire.Secret // the last that was shown
	secrets map[wire.LogName]wire.Secret // a cursor's, the last that was shown
	begun   int                          // attacks so far
}

// seat is a cursor as its host knows it.
type seat struct {
	log wire.LogName
	tag wire.Tag
}

// Corrupt makes a host one that may be evil: it keeps what it sees from now on, so that
// it is to be called before people come. It is honest until Attack.
func (h *Host) Corrupt() {
	if h.Evil == nil {
		h.Evil = &Evil{h: h, cursors: map[wire.Hash]seat{}, authors: map[wire.Hash]*Device{}, tokens: map[wire.LogName]wire.Secret{}, secrets: map[wire.LogName]wire.Secret{}}
		h.drop() // the connections of before have nobody who listens
	}
}

// assault is one attack under way.
type assault struct {
	*HostAttack
	e      *Evil
	rng    *rand.Rand
	victim *Device      // nil: everybody
	log    wire.LogName // zero: every log
	since  time.Time
	tried  int
	ended  bool
	tricks
}

// tricks are what an attack does with what passes; any may be nil. They see what goes to
// or comes from victims, in the logs that are attacked.
type tricks struct {
	up   func(p *passing)
	down func(p *passing)
	http func(d *Device, r client.Request, a *client.Answer)
	end  func()
}

// Attack begins an attack of the table now, and ends it after d; 0: never. The victim
// is one device, or nil for everybody.
func (h *Host) Attack(name string, victim *Device, d time.Duration) *assault {
	what := attackNamed(name)
	if what == nil {
		panic("sim: no attack " + name)
	}
	return h.attack(what, victim, wire.LogName{}, d)
}

func (h *Host) attack(what *HostAttack, victim *Device, log wire.LogName, d time.Duration) *assault {
	h.Corrupt()
	h.Evil.begun++
	a := &assault{HostAttack: what, e: h.Evil, rng: h.w.Draws(fmt.Sprintf("attack %d on %s", h.Evil.begun, h.Name)), victim: victim, log: log, since: h.w.now}
	if what.Everybody {
		a.victim = nil
	}
	a.tricks = what.begin(a)
	h.Evil.under = append(h.Evil.under, a)
	h.w.Stats.Count("attack begun: "+what.Name, 1)
	if what.Cuts {
		a.provoke()
	}
	if d > 0 {
		h.w.After(d, a.stop)
	}
	return a
}

// provoke cuts the victims' connections until there was something to lie about.
func (a *assault) provoke() {
	if !a.ended && a.tried == 0 {
		a.cut()
		a.e.h.w.After(20*time.Second, a.provoke)
	}
}

// stop ends an attack. What depends on it is read anew, over new connections.
func (a *assault) stop() {
	if a.ended {
		return
	}
	a.ended = true
	a.e.under = slices.DeleteFunc(a.e.under, func(x *assault) bool { return x == a })
	if a.end != nil {
		a.end()
	}
	a.cut()
}

// cut ends the connections of the victims, as a host may at any time.
func (a *assault) cut() {
	for _, l := range slices.Clone(a.e.h.lines) {
		if a.on(l.d) {
			l.cut()
		}
	}
}

// on says whether somebody is a victim.
func (a *assault) on(d *Device) bool { return a.victim == nil || a.victim == d }

// at says whether a log is attacked.
func (a *assault) at(log wire.LogName) bool {
	return a.Whole || a.log == wire.LogName{} || a.log == log
}

// try counts that something was done that an honest host does not do.
func (a *assault) try() {
	a.tried++
	a.e.h.w.Stats.Count("attack tried: "+a.Name, 1)
}

// once is true with a chance of one in n.
func (a *assault) once(n int) bool { return a.rng.IntN(n) == 0 }

// meet takes up a new connection.
func (e *Evil) meet(l *line) *passage {
	return &passage{e: e, l: l, asked: map[uint64]request{}, refs: map[uint32]wire.LogName{}}
}

// answer looks at the answer to an HTTPS request.
func (e *Evil) answer(d *Device, r client.Request, a *client.Answer) {
	for _, x := range slices.Clone(e.under) {
		if x.http != nil && x.on(d) {
			x.http(d, r, a)
		}
	}
}

// learn remembers what a request tells.
func (e *Evil) learn(p *passing) {
	switch p.op {
	case wire.OpCreate:
		c := body[wire.Create](p)
		for _, x := range c.Cursors {
			e.cursors[x.Hash] = seat{c.Log, x.Tag}
		}
	case wire.OpClaim:
		c := body[wire.Claim](p)
		e.cursors[c.Next] = e.cursors[c.Secret.Hash()]
	case wire.OpAppend:
		a := body[wire.Append](p)
		p.log = a.Log
		e.tokens[a.Log] = a.Token
		if a.Parts == 0 {
			e.authors[sha256.Sum256(a.Entry)] = p.l.d
		}
		if a.Swap != nil {
			for _, x := range a.Swap.Add {
				e.cursors[x.Hash] = seat{a.Log, x.Tag}
			}
		}
	case wire.OpWatch:
		for _, x := range body[wire.Watch](p).Places {
			p.refs[x.Ref] = e.cursors[x.Secret.Hash()].log
		}
	case wire.OpAck:
		secret := body[wire.Ack](p).Secret
		p.log = e.cursors[secret.Hash()].log
		e.secrets[p.log] = secret
	}
}

// author is who brought an entry; nil when that is not known.
func (e *Evil) author(b []byte) *Device { return e.authors[sha256.Sum256(b)] }
