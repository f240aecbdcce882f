// Package backup is an account's past outside of its devices: the file that a person keeps,
// and what stands at the home server for who has the 24 words. What it holds are the chunks of
// package archive; this package seals them, says whom they are for, and notices what was cut
// off, changed or put in their place. The format has a version of its own (docs/protocol.md
// section 30); a reader takes every version up to its own, and none beyond.
//
// The client makes and reads backups, on whichever device the person sits at. The package
// knows no network and no clock, and never holds more than one chunk.
package backup

import (
	"errors"

	"sotto/internal/archive"
)

// Version is that of the format which is written. It goes up with that of the chunks.
const Version = archive.Version

// Extension ends the name of a backup.
const Extension = ".sotto-backup"

// Limits of a reader.
const (
	maxHeader = 4 << 10 // bytes of a header
	maxAbout  = 4 << 10 // bytes of the record that says whose a backup is
)

// What can be wrong with a backup, or with what is to open it.
var (
	ErrNone          = errors.New("this is no backup of sotto")
	ErrNewer         = errors.New("this backup was written by a newer sotto: update this one")
	ErrCut           = errors.New("this backup is not whole: its end is missing, or something was put behind it")
	ErrDamaged       = errors.New("this backup is damaged: what it holds is not what was written")
	ErrInvalid       = errors.New("this backup makes no sense: it was not made by sotto")
	ErrForged        = errors.New("this backup was not made by a device of this account")
	ErrOther         = errors.New("this is the backup of another account")
	ErrWords         = errors.New("these 24 words do not open this backup: they may have been replaced before it was made, or after")
	ErrPassphrase    = errors.New("this passphrase does not open this backup")
	ErrNotWords      = errors.New("this backup does not open with 24 words: it has a passphrase")
	ErrNotPassphrase = errors.New("this backup has no passphrase: it opens with the 24 words of its account")
	ErrNoWay         = errors.New("nobody could open such a backup: write your 24 words down first, or give a passphrase")
	ErrShort         = errors.New("a passphrase has at least 8 characters, and no line breaks")
)
