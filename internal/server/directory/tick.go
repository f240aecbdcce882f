package directory

import (
	"time"

	"sotto/internal/wire"
)

// Tick erases invitations, rests, kept handles, what accounts that moved away had here, and counts whose time is up, and once a day the
// one-time key packages. One goroutine calls it.
func (d *Directory) Tick(now time.Time) error {
	if today := dayOf(now); today != d.aged {
		if err := d.dropOld(now); err != nil {
			return err
		}
		d.aged = today
	}
	if err := d.emptyMoved(now); err != nil {
		return err
	}
	var over [][]byte
	for _, x := range []struct {
		prefix string
		done   func(v []byte) (bool, error)
	}{
		{prefixInvitation, func(v []byte) (bool, error) {
			var row invitationRow
			err := wire.Unmarshal(v, &row)
			return uint64(now.Unix()) >= row.Until, err
		}},
		{prefixInvited, past(now)},
		{prefixRest, past(now)},
		{prefixKept, func(v []byte) (bool, error) {
			var row keptRow
			err := wire.Unmarshal(v, &row)
			return uint64(now.Unix()) >= row.Until, err
		}},
		{prefixQuota, func(v []byte) (bool, error) {
			var row quotaRow
			err := wire.Unmarshal(v, &row)
			today := uint64(dayOf(now))
			return row.Day+1 < today && len(row.standing(today)) == 0, err
		}},
		{prefixWeek, func(v []byte) (bool, error) {
			var row weekRow
			err := wire.Unmarshal(v, &row)
			return row.Week+1 < weekOf(now), err
		}},
	} {
		err := d.db.Scan([]byte(x.prefix), end(x.prefix), func(k, v []byte) (bool, error) {
			yes, err := x.done(v)
			if yes {
				over = append(over, append([]byte(nil), k...))
			}
			return len(over) < 10_000, err
		})
		if err != nil {
			return err
		}
	}
	if len(over) == 0 {
		return nil
	}
	b := d.db.NewBatch()
	b.Shrinks()
	for _, k := range over {
		b.Delete(k)
	}
	return d.db.CommitWait(b)
}

// past says of a row that holds a time only whether it is over.
func past(now time.Time) func(v []byte) (bool, error) {
	return func(v []byte) (bool, error) {
		var row untilRow
		err := wire.Unmarshal(v, &row)
		return uint64(now.Unix()) >= row.Until, err
	}
}
