package sim

import (
	"slices"
	"strings"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/wire"
	"sotto/mls"
)

// onLookups is an attack in what the directory says of a handle.
func onLookups(f func(a *assault, l *wire.Lookup) bool) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{http: func(_ *Device, r client.Request, ans *client.Answer) {
			if r.Method != "GET" || !strings.HasPrefix(r.Path, "/v1/directory/") || ans.Status != 200 {
				return
			}
			var l wire.Lookup
			if wire.Unmarshal(ans.Body, &l) == nil && f(a, &l) {
				ans.Body = wire.Marshal(l)
				a.try()
			}
		}}
	}
}

// onClaims is an attack in the key packages that the directory gives out.
func onClaims(f func(a *assault, r client.Request, c *wire.ClaimedPackages) bool) func(*assault) tricks {
	return func(a *assault) tricks {
		return tricks{http: func(_ *Device, r client.Request, ans *client.Answer) {
			if r.Method != "POST" || ans.Status != 200 {
				return
			}
			var c wire.ClaimedPackages
			if wire.Unmarshal(ans.Body, &c) == nil && len(c.Packages) > 0 && f(a, r, &c) {
				ans.Body = wire.Marshal(c)
				a.try()
			}
		}}
	}
}

// forger makes what a host without keys of others can make: keys of its own.
type forger struct {
	a    *assault
	keys *identity.Keys
}

func newForger(a *assault) *forger {
	keys, err := identity.NewKeys(newReader(a.e.h.w, "forger "+a.Name))
	if err != nil {
		panic(err)
	}
	return &forger{a, keys}
}

// pack makes a key package with the forger's key and a credential of anybody's.
func (f *forger) pack(suite mls.CipherSuite, cred identity.Credential) []byte {
	now := f.a.e.h.w.now
	kp, err := mls.NewKeyPackage(newReader(f.a.e.h.w, "forged "+f.a.Name), mls.KeyPackageParams{
		Suite: suite, Signer: f.keys.Signature, Credential: mls.BasicCredential(cred.Marshal()),
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), Supported: []uint16{room.ExtContext},
	})
	if err != nil {
		panic(err)
	}
	return kp.Public.Marshal()
}

// chainOf is the chain of a handle as the host's own directory has it.
func (f *forger) chainOf(handle string) *identity.Chain {
	h, err := wire.ParseHandle(handle)
	if err != nil {
		panic(err)
	}
	a := f.a.e.h.request(client.Request{Method: "GET", Path: "/v1/directory/" + h.Name}, f.a.e.h.w.Devices[0].addr)
	var l wire.Lookup
	if err := wire.Unmarshal(a.Body, &l); err != nil {
		panic(err)
	}
	chain, err := identity.Verify(l.Chain)
	if err != nil {
		panic(err)
	}
	return chain
}

// claimedFrom is the handle whose key packages a request claims.
func claimedFrom(h *Host, r client.Request) string {
	return strings.TrimSuffix(strings.TrimPrefix(r.Path, "/v1/directory/"), "/key-packages") + "@" + h.Name
}

// forging is an attack with key packages of the host's own making.
func forging(f func(f *forger, chain *identity.Chain, p *wire.ClaimedPackage)) func(*assault) tricks {
	return onClaims(func(a *assault, r client.Request, c *wire.ClaimedPackages) bool {
		x := newForger(a)
		f(x, x.chainOf(claimedFrom(a.e.h, r)), &c.Packages[0])
		return true
	})
}

// directoryAttacks are lies about who is behind a handle.
var directoryAttacks = []*HostAttack{
	{
		Name: "a key package of its own", Does: "gives out a key package of its own making, with a credential of its own", Everybody: true, Shows: ByError,
		begin: forging(func(f *forger, chain *identity.Chain, p *wire.ClaimedPackage) {
			h, _ := wire.ParseHandle(chain.Handle())
			own, err := identity.Verify([][]byte{f.keys.Genesis(h, f.a.e.h.w.now)})
			if err != nil {
				panic(err)
			}
			p.KeyPackage = f.pack(f.a.e.h.w.Suite, identity.CredentialOf(own, f.keys.Name))
		}),
	},
	{
		Name: "a forged credential", Does: "gives out a key package of its own making, with the credential of the device", Everybody: true, Shows: ByError,
		begin: forging(func(f *forger, chain *identity.Chain, p *wire.ClaimedPackage) {
			p.KeyPackage = f.pack(f.a.e.h.w.Suite, identity.CredentialOf(chain, p.Device))
		}),
	},
	{
		Name: "a device of its own", Does: "gives out a key package of a device that it says the account has", Everybody: true, Shows: ByError,
		begin: forging(func(f *forger, chain *identity.Chain, p *wire.ClaimedPackage) {
			p.Device, p.KeyPackage = f.keys.Name, f.pack(f.a.e.h.w.Suite, identity.CredentialOf(chain, f.keys.Name))
		}),
	},
	{
		Name: "another's key package", Does: "gives out a key package of another account", Everybody: true, Shows: ByError,
		begin: func(a *assault) tricks {
			var last map[string]wire.ClaimedPackage
			return onClaims(func(a *assault, r client.Request, c *wire.ClaimedPackages) bool {
				if last == nil {
					last = map[string]wire.ClaimedPackage{}
				}
				who := claimedFrom(a.e.h, r)
				other := a.e.h.w.other(a.e.h, who)
				had, ok := last[other]
				last[who] = c.Packages[0]
				if ok {
					c.Packages[0].KeyPackage = had.KeyPackage
				}
				return ok
			})(a)
		},
	},
	{
		Name: "a key package twice", Does: "gives out one key package again and again", Everybody: true, Told: []string{client.NoticeFailed}, Ends: true, Mends: 26 * time.Hour,
		begin: func(a *assault) tricks {
			first := map[string]wire.ClaimedPackage{}
			return onClaims(func(a *assault, r client.Request, c *wire.ClaimedPackages) bool {
				had, ok := first[r.Path]
				if !ok {
					first[r.Path] = c.Packages[0]
					return false
				}
				c.Packages[0] = had
				return true
			})(a)
		},
	},
	{
		Name: "a key package of another suite", Does: "gives out a key package of another suite than asked for", Everybody: true, Shows: ByError,
		begin: forging(func(f *forger, chain *identity.Chain, p *wire.ClaimedPackage) {
			p.KeyPackage = f.pack(mls.XWing, identity.CredentialOf(chain, p.Device))
		}),
	},
	{
		Name: "a key package broken", Does: "gives out a key package in which a byte is changed", Everybody: true, Shows: ByError,
		begin: onClaims(func(a *assault, _ client.Request, c *wire.ClaimedPackages) bool {
			b := c.Packages[0].KeyPackage
			b[a.rng.IntN(len(b))] ^= 1
			return true
		}),
	},
	{
		Name: "no key packages", Does: "says that nobody has a key package", Everybody: true, Shows: ByError,
		begin: onClaims(func(_ *assault, _ client.Request, c *wire.ClaimedPackages) bool {
			c.Packages = nil
			return true
		}),
	},
	{
		Name: "a device added", Does: "adds a device of its own to a chain, with a signature that is none", Everybody: true, Shows: ByError,
		begin: onLookups(func(a *assault, l *wire.Lookup) bool {
			f := newForger(a)
			chain := f.chainOf(l.Handle)
			s := f.keys.AddDevice(chain, f.keys, a.e.h.w.now) // signed by the device that it adds
			l.Chain = append(l.Chain, s)
			l.Devices = append(l.Devices, wire.Inbox{Device: f.keys.Name})
			return true
		}),
	},
	{
		Name: "a statement changed", Does: "changes a byte of a chain", Everybody: true, Shows: ByError,
		begin: onLookups(func(a *assault, l *wire.Lookup) bool {
			l.Chain[0][a.rng.IntN(len(l.Chain[0]))] ^= 1
			return true
		}),
	},
	{
		Name: "another's chain", Does: "shows the chain of another account under a handle", Everybody: true, Shows: ByError,
		begin: onLookups(func(a *assault, l *wire.Lookup) bool {
			other := newForger(a).chainOf(a.e.h.w.other(a.e.h, l.Handle))
			l.Chain = other.Statements(0)
			return true
		}),
	},
	{
		Name: "another account", Does: "puts an account of its own behind a handle that people know", Everybody: true, Shows: ByError,
		begin: onLookups(func(a *assault, l *wire.Lookup) bool {
			f := newForger(a)
			h, _ := wire.ParseHandle(l.Handle)
			l.Chain = [][]byte{f.keys.Genesis(h, a.e.h.w.now)}
			l.Devices = []wire.Inbox{{Device: f.keys.Name}}
			return true
		}),
	},
	{
		Name: "no such handle", Does: "says that there is nobody of a name", Everybody: true, Shows: ByError,
		begin: func(a *assault) tricks {
			return tricks{http: func(_ *Device, r client.Request, ans *client.Answer) {
				if strings.HasPrefix(r.Path, "/v1/directory/") {
					*ans = client.Answer{Status: 404, Code: wire.CodeNoHandle, Body: wire.Marshal(wire.Failure{Sentence: "no"})}
					a.try()
				}
			}}
		},
	},
	{
		Name: "answers of another kind", Does: "answers lookups and claims with bytes that are something else", Everybody: true, Shows: ByError,
		begin: func(a *assault) tricks {
			return tricks{http: func(_ *Device, r client.Request, ans *client.Answer) {
				*ans = client.Answer{Status: []int{200, 302, 500, 0}[a.rng.IntN(4)], Body: slices.Repeat([]byte{0xa1}, a.rng.IntN(100))}
				a.try()
			}}
		},
	},
	{
		Name: "inboxes elsewhere", Does: "names inboxes that are none in its directory", Everybody: true, Told: []string{client.NoticeFailed}, Ends: true, Mends: 26 * time.Hour,
		begin: onLookups(func(a *assault, l *wire.Lookup) bool {
			for i := range l.Devices {
				l.Devices[i].Inbox[0] ^= 1
			}
			return len(l.Devices) > 0
		}),
	},
}

// other is the handle of somebody else at a host, the first there is.
func (w *World) other(h *Host, handle string) string {
	for _, d := range w.Devices {
		if d.Home == h && d.Handle != handle {
			return d.Handle
		}
	}
	return handle
}
