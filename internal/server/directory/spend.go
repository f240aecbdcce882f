package directory

import (
	"errors"
	"slices"
	"time"

	"sotto/internal/wire"
)

// Spending is what an account asks for: how many logs, how many bytes of blobs, and for how
// long these are to stand.
type Spending struct {
	Logs, Bytes uint64
	Keep        time.Duration
}

// Allowance is what an account may ask for in a day, and how many bytes of blobs may stand.
type Allowance struct{ Logs, Bytes, Kept uint64 }

// standing are the counts of days that are not over.
func (r quotaRow) standing(today uint64) []kept {
	return slices.DeleteFunc(slices.Clone(r.Keeps), func(k kept) bool { return k.Day < today })
}

// keep counts bytes that end on a day.
func (r *quotaRow) keep(day, bytes uint64) {
	i, found := slices.BinarySearchFunc(r.Keeps, day, func(k kept, day uint64) int { return int(int64(k.Day) - int64(day)) })
	if !found {
		r.Keeps = slices.Insert(r.Keeps, i, kept{Day: day})
	}
	r.Keeps[i].Bytes += bytes
}

// Spend counts what an account asks for against what it may. Numbers only: which logs and
// which blobs they were is kept nowhere, so a blob that is erased early still counts until the
// day that it was to end.
func (d *Directory) Spend(a *Account, s Spending, may Allowance) error {
	defer d.lock(a.Name).Unlock()
	id := a.Chain.ID()
	key := append([]byte(prefixQuota), id[:]...)
	var row quotaRow
	v, ok, err := d.db.Get(key)
	if err != nil {
		return err
	}
	if ok {
		if err := wire.Unmarshal(v, &row); err != nil {
			return err
		}
	}
	now := d.o.Now()
	today := uint64(dayOf(now))
	row.Keeps = row.standing(today)
	if row.Day != today {
		row.Day, row.Logs, row.Bytes = today, 0, 0
	}
	row.Logs, row.Bytes = row.Logs+s.Logs, row.Bytes+s.Bytes
	if s.Bytes > 0 {
		row.keep(uint64(dayOf(now.Add(s.Keep))), s.Bytes)
	}
	standing := uint64(0)
	for _, k := range row.Keeps {
		standing += k.Bytes
	}
	switch {
	case row.Logs > may.Logs, row.Bytes > may.Bytes:
		return wire.Refuse(wire.CodeQuota, "this account has used up what it may create in a day; try again tomorrow")
	case s.Bytes > 0 && standing > may.Kept:
		return wire.Refuse(wire.CodeQuota, "this account's files take up all the room that it has here; try again when some have ended")
	}
	if _, err := d.load(a.Name); errors.Is(err, errNoHandle) {
		return err // deleted meanwhile: leave no row behind
	}
	b := d.db.NewBatch()
	b.Set(key, wire.Marshal(row))
	return d.db.CommitWait(b)
}
