package sim

import (
	"slices"
	"time"

	"sotto/internal/client"
)

// role is what Mallory is in the room.
type role uint8

const (
	asMember role = iota
	asAdmin
)

// MemberAttack is one thing that a hostile member does, and what must come of it.
type MemberAttack struct {
	Name string
	Does string // in a sentence
	As   role   // what it takes

	// Told are the notices that it may cause at honest people; of those that are no
	// everyday matter one at least must come, and no other may.
	Told []string
	May  []string // what may be told besides, or not
	// Out says that she is put out of the room by it.
	Out bool
	// Within is how long it may take until the room of the others is well again.
	Within time.Duration
	// Shuts says that it shuts somebody out until the others let them in again: what is
	// written meanwhile is not for them.
	Shuts bool
	// Sleeps has one of the others sleep while it lasts.
	Sleeps bool

	Try func(m *Mallory)
	// Effect says what has come of it that must not; nil: nothing can be seen of it but
	// what is checked of every attack.
	Effect func(m *Mallory) error
}

// soon is how long a room takes to be well again when an admin is there to see to it.
const soon = 30 * time.Second

var (
	passedOver = []string{client.NoticeJunk}
	movesOn    = []string{client.NoticeMoved}
)

// MemberAttacks are all attacks of members.
var MemberAttacks = slices.Concat(junkAttacks, swapJunkAttacks, commitAttacks, adminAttacks, cursorAttacks,
	receiptAttacks, senderAttacks, contentAttacks, lyingAttacks, invitationAttacks, movingAttacks, racingAttacks)
