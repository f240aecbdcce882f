package sim

import (
	"slices"
	"time"
)

// HostAttack is one way in which a host can be dishonest, and how it shows.
type HostAttack struct {
	Name string
	Does string // what it does, for people

	Everybody bool // it is done to everybody; else to one device, the victim
	Crowd     bool // it needs a room so large that its members travel in a blob
	AtHome    bool // the victim's account lives at the host
	Whole     bool // it cannot be done to one log alone
	Cuts      bool // it begins with cutting connections: it lives in how they begin

	Shows  Shows
	Told   []string      // the kinds of notices of which a victim gets one
	Within time.Duration // of its beginning it has shown; 0: two minutes
	Mends  time.Duration // in which all rooms work again after its end; 0: three hours

	AtEnd bool // it shows when it ends, or when a room is quiet: until then nothing passes by which people could know
	Ends  bool // only an end of it mends what it does: until then the host refuses its service
	Loses bool // a victim that loses its place does not get what others write until it is back

	begin func(*assault) tricks
}

// Shows is how people learn of an attack.
type Shows uint8

// The ways to learn of an attack.
const (
	ByNotice  Shows = iota // one of the notices in Told
	ByNothing              // it has no effect, and nobody needs to know
	ByTrouble              // the host is shown as one that cannot be reached
	ByQueued               // messages stay queued, and say so
	ByError                // what a person does is refused with the reason
)

// HostAttacks are all attacks of a host that clients are held against.
var HostAttacks = slices.Concat(entryAttacks, viewAttacks, placeAttacks, answerAttacks, didAttacks, inboxAttacks, directoryAttacks, stallAttacks, helloAttacks)

// attackNamed finds an attack; nil when there is none.
func attackNamed(name string) *HostAttack {
	for _, a := range HostAttacks {
		if a.Name == name {
			return a
		}
	}
	return nil
}
