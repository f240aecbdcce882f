package sim

import (
	"slices"
	"time"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// silent is an attack that never answers some requests.
func silent(ops ...wire.Op) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{up: func(p *passing) {
			if slices.Contains(ops, p.op) {
				p.drop = true
				a.try()
			}
		}}
	}
}

// late is an attack that answers everything later.
func late(d time.Duration) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{
			down: func(p *passing) {
				p.wait = d
				a.try()
			},
		}
	}
}

// stallAttacks are hosts that do only half of what they should.
var stallAttacks = []*HostAttack{
	{Name: "appends never answered", Does: "takes no entries and does not say so", Shows: ByQueued, Ends: true, begin: silent(wire.OpAppend)},
	{Name: "watches never answered", Does: "never answers a watch", Shows: ByQueued, Cuts: true, Ends: true, begin: silent(wire.OpWatch)},
	{Name: "acks never answered", Does: "never answers an acknowledgement", Shows: ByTrouble, Ends: true, begin: silent(wire.OpAck)},
	{Name: "hellos never answered", Does: "takes connections and says nothing", Shows: ByTrouble, Cuts: true, Ends: true, begin: silent(wire.OpHello)},
	{Name: "an hour late", Does: "says everything an hour late", Whole: true, Shows: ByTrouble, Ends: true, begin: late(time.Hour)},
	{Name: "ten seconds late", Does: "says everything ten seconds late", Everybody: true, Whole: true, Shows: ByNothing, begin: late(10 * time.Second)},
	{
		Name: "every other answer", Does: "answers every other request", Shows: ByTrouble, Ends: true,
		begin: func(a *assault) tricks {
			return tricks{down: func(p *passing) {
				if p.answer && a.once(2) {
					p.drop = true
					a.try()
				}
			}}
		},
	},
	{
		Name: "cut again and again", Does: "ends connections all the time", Shows: ByTrouble, Ends: true,
		begin: func(a *assault) tricks {
			return tricks{up: func(p *passing) {
				if a.once(20) {
					a.try()
					l := p.l
					a.e.h.w.Turn(l.cut)
				}
			}}
		},
	},
}

// helloAttacks are hosts that try to have devices speak otherwise than they should.
var helloAttacks = []*HostAttack{
	greeting("an older version", "chooses a version that is older than the only one", func(h *wire.Hello) { h.Lowest, h.Highest, h.Version = 0, 0, 0 }),
	greeting("a later version", "chooses a version that is later than the device's", func(h *wire.Hello) { h.Lowest, h.Highest, h.Version = 2, 9, 2 }),
	{
		Name: "operations unknown", Does: "says that it does not know what a device asks for", Shows: ByQueued, Ends: true,
		begin: refusing(wire.CodeUnknownOp, wire.OpAppend, wire.OpClaim, wire.OpAck, wire.OpCredit),
	},
	{
		Name: "events unknown", Does: "tells what this version does not know", Shows: ByTrouble, Ends: true,
		begin: func(a *assault) tricks {
			return tricks{down: onEntries(func(p *passing, _ *wire.EntryEvent) {
				p.invent(wire.Op(99), wire.Done{})
				a.try()
			})}
		},
	},
	{
		Name: "suspended", Does: "says to one of its accounts that it is suspended", AtHome: true, Cuts: true, Shows: ByTrouble, Ends: true,
		begin: refusing(wire.CodeSuspended, wire.OpAuth),
	},
	{
		Name: "not authenticated", Does: "says to one of its accounts that it is another", AtHome: true, Cuts: true, Shows: ByTrouble, Ends: true,
		begin: refusing(wire.CodeNotAuthenticated, wire.OpAuth),
	},
	{
		Name: "blobs of another", Does: "serves other bytes than the blob that is asked for", Everybody: true, Crowd: true, Told: []string{client.NoticeFailed}, Ends: true, Mends: 26 * time.Hour,
		begin: onBlobs(func(a *assault, ans *client.Answer, last []byte) {
			if ans.Body = slices.Clone(last); last == nil {
				ans.Body = make([]byte, 40_000)
			}
		}),
	},
	{
		Name: "blobs broken", Does: "changes a byte of a blob, or leaves some out", Everybody: true, Crowd: true, Told: []string{client.NoticeFailed}, Ends: true, Mends: 26 * time.Hour,
		begin: onBlobs(func(a *assault, ans *client.Answer, _ []byte) {
			ans.Body[a.rng.IntN(len(ans.Body))] ^= 1
			if a.once(2) {
				ans.Body = ans.Body[:a.rng.IntN(len(ans.Body))]
			}
		}),
	},
	{
		Name: "blobs gone", Does: "says that it has not the blobs that it took", Everybody: true, Crowd: true, Told: []string{client.NoticeFailed}, Ends: true, Mends: 26 * time.Hour,
		begin: onBlobs(func(_ *assault, ans *client.Answer, _ []byte) {
			*ans = client.Answer{Status: 404, Code: wire.CodeNoBlob, Body: wire.Marshal(wire.Failure{Sentence: "no"})}
		}),
	},
}

// onBlobs is an attack in the blobs that a host serves; last is the one before.
func onBlobs(f func(a *assault, ans *client.Answer, last []byte)) func(*assault) tricks {
	return func(a *assault) tricks {
		var last []byte
		return tricks{http: func(_ *Device, r client.Request, ans *client.Answer) {
			if r.Method != "GET" || len(r.Path) < 10 || r.Path[:10] != "/v1/blobs/" || ans.Status != 200 {
				return
			}
			real := slices.Clone(ans.Body)
			f(a, ans, last)
			last = real
			a.try()
		}}
	}
}

// greeting is an attack in the answer to hello.
func greeting(name, does string, f func(*wire.Hello)) *HostAttack {
	return &HostAttack{
		Name: name, Does: does, Shows: ByTrouble, Cuts: true, Ends: true,
		begin: func(a *assault) tricks {
			return tricks{down: func(p *passing) {
				if p.is(wire.OpHello) {
					change(p, f)
					a.try()
				}
			}}
		},
	}
}
