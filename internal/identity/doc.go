// Package identity holds who somebody is: chains of signed statements, the
// credential in a leaf, the keys of a device, safety numbers. Clients and servers
// use it alike. It knows no storage, no HTTP, and no clock but the one it is given.
//
// An account is named by the hash of its genesis statement; a handle is only its
// address.
package identity

import (
	"errors"
	"fmt"

	"sotto/internal/wire"
)

// What can be wrong with a chain.
var (
	ErrChain = errors.New("the chain of this account does not verify")
	// ErrFork is two signed statements for one place: somebody who holds a key of the
	// account shows different people different things.
	ErrFork = errors.New("two different statements stand at the same place of this chain")
)

var errOther = fmt.Errorf("%w: a chain of somebody else", ErrChain)

func forkAt(place int) error { return fmt.Errorf("%w (place %d)", ErrFork, place) }

// ID is an account's identity: the hash of its genesis statement.
type ID = wire.Hash
