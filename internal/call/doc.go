// Package call is a side of a call without a window: the peer that a browser is else, with
// Pion. It plays files and records them, and keeps the call alive when the network changes.
// The layout of the media, the data channel and the renewals are section 34 of
// docs/protocol.md.
//
// It knows neither the client nor HTTP: what a side says to the other goes through
// Signalling, what the other side says comes by Receive. The command line and tests use it.
//
// A Peer has one queue of steps and one goroutine that runs them. Every field of a Peer
// belongs to that goroutine, but for counters, which are atomic. Pion's callbacks, timers
// and callers post steps.
package call

import (
	"context"
	"errors"
	"time"

	"sotto/internal/mediafile"
)

// Limits of what the other side may send.
const (
	MaxState      = 4 << 10  // bytes of a text on the data channel
	MaxSDP        = 32 << 10 // bytes of a description
	MaxCandidates = 64       // of a side in a round
	maxCandidate  = 1 << 10  // bytes
)

// How long a call waits. They are those of section 34.
const (
	patience  = 3 * time.Second  // a broken path before it is renewed
	politer   = 2 * time.Second  // how much longer the callee's side waits
	again     = 8 * time.Second  // a renewal that brings no path before the next
	resay     = 2 * time.Second  // a renewal that could not be told before the next try
	giveUp    = 45 * time.Second // without a path
	byeLasts  = 5 * time.Second  // a goodbye that no end follows
	looksAt   = time.Second      // how often the network is looked at
	gathering = 40 * time.Millisecond
)

// Candidate is an ICE candidate, RFC 8839, as RTCIceCandidate has it.
type Candidate struct {
	Mid       string
	Line      int
	Candidate string // "": the last one of its round
}

// Media is what the other side says: descriptions and candidates of a round. Round 0 is that
// of offer and answer, the others are renewals.
type Media struct {
	Round      int
	Offer      string
	Answer     string
	Candidates []Candidate
}

// End is why a call is over.
type End string

// The ends that a peer knows.
const (
	HungUp End = "hung_up"
	Failed End = "failed" // no path between the two
)

// Signalling brings to the other side what this one says. Its calls are made one after
// another, each when the one before it has returned.
type Signalling interface {
	Offer(ctx context.Context, sdp string) error
	Answer(ctx context.Context, sdp string) error
	Renew(ctx context.Context, sdp string) (round int, err error)
	Renewed(ctx context.Context, round int, sdp string) error
	Candidates(ctx context.Context, round int, list []Candidate) error
	End(ctx context.Context, why End) error
}

// Server is a STUN or TURN server.
type Server struct {
	URLs                 []string
	Username, Credential string
}

// Servers are what helps a call to its path.
type Servers struct {
	List []Server
	Only bool // relayed paths only
}

// Options of a peer.
type Options struct {
	Signalling Signalling
	Servers    func(context.Context) (Servers, error) // asked at the beginning and for each renewal
	Loopback   bool                                   // candidates of loopback, for calls on one machine

	Play   [Lines]mediafile.Reader // what is said and shown; nil: nothing
	Record *Recorder               // nil: nothing is kept
	Tell   func(Event)             // called on the peer's queue: may not block
}

// State is what a side says of itself on the data channel.
type State struct {
	Mic, Camera, Screen, Hold bool
}

// Event is something that happened to a call.
type Event struct {
	Kind  Kind
	Path  Path  // of Connected
	State State // of Told: the other side's
	End   End   // of Over
	Err   error // of Over and Broken, where there is one
}

// Kind of an event.
type Kind string

// The kinds.
const (
	Connected Kind = "connected" // media flow
	Broken    Kind = "broken"    // they do not; the call tries to come back by itself
	Told      Kind = "told"      // the other side says what it has on
	Played    Kind = "played"    // every file was played to its end
	Over      Kind = "over"      // the last event
)

// ErrLayout is the error of a description that is not of a call.
var ErrLayout = errors.New("the other side's description is not that of a call")
