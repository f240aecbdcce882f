package directory

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sotto/internal/wire"
)

// Retire notes that this server will be switched off at a time, and why. nil takes it back.
func (d *Directory) Retire(r *wire.Retiring) error {
	if r != nil {
		switch {
		case len(r.Reason) > wire.MaxReason || !utf8.ValidString(r.Reason) || strings.ContainsFunc(r.Reason, unicode.IsControl):
			return wire.Refuse(wire.CodeMalformed, "a reason is a line of at most %d bytes", wire.MaxReason)
		case r.On > uint64(d.o.Now().Add(wire.MaxRetiring).UnixMilli()):
			return wire.Refuse(wire.CodeMalformed, "say it later: the day is more than ten years away")
		case r.On <= uint64(d.o.Now().UnixMilli()):
			return wire.Refuse(wire.CodeMalformed, "the day on which the server is switched off is one to come")
		}
	}
	b := d.db.NewBatch()
	if r == nil {
		b.Shrinks()
		b.Delete([]byte(rowRetiring))
	} else {
		b.Set([]byte(rowRetiring), wire.Marshal(*r))
	}
	if err := d.db.CommitWait(b); err != nil {
		return err
	}
	d.retiring.Store(r)
	return nil
}

// Retiring is when this server will be switched off; nil: nobody said so.
func (d *Directory) Retiring() *wire.Retiring { return d.retiring.Load() }

// Retired refuses what would begin here after that.
func (d *Directory) Retired(now time.Time) error {
	if r := d.retiring.Load(); r != nil && uint64(now.UnixMilli()) >= r.On {
		return wire.Refuse(wire.CodeRetired, "this server is switched off soon and takes nothing new")
	}
	return nil
}

func (d *Directory) loadRetiring() error {
	v, ok, err := d.db.Get([]byte(rowRetiring))
	if err != nil || !ok {
		return err
	}
	r := new(wire.Retiring)
	if err := wire.Unmarshal(v, r); err != nil {
		return err
	}
	d.retiring.Store(r)
	return nil
}
