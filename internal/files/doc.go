// Package files is what a device does with files of this machine: it reads what is sent, and
// writes what came where it can do no harm. Names from outside become safe ones, nothing is
// written over or opened, and what came is marked as coming from outside where the system has
// such a mark.
//
// The client uses it for transfers, the app and the command line for what they show. It knows
// no message, no network and no key.
package files
