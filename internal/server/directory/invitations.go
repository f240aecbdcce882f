package directory

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"io"
	"strings"
	"time"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

var codeAlphabet = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz023456789").WithPadding(base32.NoPadding)

// Invite makes n codes for the operator, each good for one registration within a
// lifetime; 0 is the longest. The directory keeps hashes.
func (d *Directory) Invite(n int, lifetime time.Duration) (codes []string, until time.Time, err error) {
	if n < 1 || n > 1000 {
		return nil, until, wire.Refuse(wire.CodeMalformed, "make between 1 and 1000 invitations at once")
	}
	if until, err = d.invitationEnd(lifetime); err != nil {
		return nil, until, err
	}
	b := d.db.NewBatch()
	for range n {
		code, err := d.newCode()
		if err != nil {
			b.Drop()
			return nil, until, err
		}
		b.Set(invitationKey(code), wire.Marshal(invitationRow{Until: uint64(until.Unix())}))
		codes = append(codes, code)
	}
	return codes, until, d.db.CommitWait(b)
}

// InviteBy makes a code for a person, who may have so many open and make so many in a
// week.
func (d *Directory) InviteBy(name string, lifetime time.Duration, open, week uint64) (code string, until time.Time, err error) {
	if open == 0 || week == 0 {
		return "", until, wire.Refuse(wire.CodeQuota, "on this server only the operator invites: ask there for a code")
	}
	if until, err = d.invitationEnd(lifetime); err != nil {
		return "", until, err
	}
	defer d.lock(name).Unlock()
	a, err := d.load(name)
	if err != nil {
		return "", until, err
	}
	id, now := a.Chain.ID(), d.o.Now()
	standing, err := d.openInvitations(id, now)
	if err != nil {
		return "", until, err
	}
	if standing >= open {
		return "", until, wire.Refuse(wire.CodeQuota, "you have %d invitations that nobody has used yet; wait until one is used, or its time is over", standing)
	}
	row, err := d.week(id, now)
	if err != nil {
		return "", until, err
	}
	if row.Codes >= week {
		e := wire.Refuse(wire.CodeQuota, "you have made %d invitations this week; make more from Monday on", row.Codes)
		e.After = nextWeek(now)
		return "", until, e
	}
	if code, err = d.newCode(); err != nil {
		return "", until, err
	}
	row.Codes++
	by := wire.Hash(id)
	key := invitationKey(code)
	b := d.db.NewBatch()
	b.Set(key, wire.Marshal(invitationRow{uint64(until.Unix()), &by}))
	b.Set(invitedKey(id, key), wire.Marshal(untilRow{uint64(until.Unix())}))
	b.Set(weekKey(id), wire.Marshal(row))
	return code, until, d.change(name, b)
}

// invitationEnd is when a code with a lifetime is over, 0 the longest.
func (d *Directory) invitationEnd(lifetime time.Duration) (time.Time, error) {
	if lifetime == 0 {
		lifetime = wire.MaxInvitationLifetime
	}
	if lifetime < wire.MinInvitationLifetime || lifetime > wire.MaxInvitationLifetime {
		return time.Time{}, wire.Refuse(wire.CodeMalformed, "an invitation is good for a minute at least and 30 days at most")
	}
	return d.o.Now().Add(lifetime).Truncate(time.Second), nil
}

// newCode draws a code: 80 bits, in four groups that people can read out.
func (d *Directory) newCode() (string, error) {
	var raw [10]byte
	if _, err := io.ReadFull(d.o.Rand, raw[:]); err != nil {
		return "", err
	}
	s := codeAlphabet.EncodeToString(raw[:])
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:], nil
}

// openInvitations counts the codes of an account that are good and not used.
func (d *Directory) openInvitations(id [32]byte, now time.Time) (n uint64, err error) {
	p := string(invitedKey(id, nil))
	err = d.db.Scan([]byte(p), end(p), func(_, v []byte) (bool, error) {
		var row untilRow
		err := wire.Unmarshal(v, &row)
		if err == nil && uint64(now.Unix()) < row.Until {
			n++
		}
		return true, err
	})
	return n, err
}

// week is how many codes an account has made in the week of now.
func (d *Directory) week(id [32]byte, now time.Time) (row weekRow, err error) {
	b, ok, err := d.db.Get(weekKey(id))
	if err == nil && ok {
		err = wire.Unmarshal(b, &row)
	}
	if this := weekOf(now); row.Week != this {
		row = weekRow{Week: this}
	}
	return row, err
}

// nextWeek is how long it is until the next one begins.
func nextWeek(now time.Time) time.Duration {
	monday := time.Unix((int64(weekOf(now)+1)*7-3)*86400, 0)
	return monday.Sub(now)
}

// invitationKey forgives capitals, spaces and missing dashes.
func invitationKey(code string) []byte {
	code = strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(code))
	h := sha256.Sum256([]byte("sotto invitation v1\x00" + code))
	return append([]byte(prefixInvitation), h[:]...)
}

// invitedKey is the account's part of an invitation, by the invitation's key.
func invitedKey(id [32]byte, invitation []byte) []byte {
	return append(append([]byte(prefixInvited), id[:]...), strings.TrimPrefix(string(invitation), prefixInvitation)...)
}

func weekKey(id [32]byte) []byte { return append([]byte(prefixWeek), id[:]...) }

// dropInvitations puts into b that an account's open codes are good no more. The caller
// holds invitations, until b is durable.
func (d *Directory) dropInvitations(b *engine.Batch, id [32]byte) error {
	p := string(invitedKey(id, nil))
	return d.db.Scan([]byte(p), end(p), func(k, _ []byte) (bool, error) {
		b.Delete(append([]byte(prefixInvitation), k[len(p):]...))
		b.Delete(append([]byte(nil), k...))
		return true, nil
	})
}

// spendInvitation puts the spending of a code into b. Codes are found by their hash,
// and the hashes compared in constant time: timing tells nothing about other codes. What
// said who made it goes with it, so that nothing ties who invited to who came.
func (d *Directory) spendInvitation(b *engine.Batch, code string) error {
	refused := wire.Refuse(wire.CodeInvitation, "this server takes new accounts by invitation: ask its operator, or somebody who has an account here, for a code that nobody has used")
	if code == "" || len(code) > 64 {
		return refused
	}
	key, found := invitationKey(code), 0
	var row invitationRow
	err := d.db.Scan(key, end(string(key)), func(k, v []byte) (bool, error) {
		found = subtle.ConstantTimeCompare(k, key)
		return false, wire.Unmarshal(v, &row)
	})
	if err != nil {
		return err
	}
	if found != 1 || uint64(d.o.Now().Unix()) >= row.Until {
		return refused
	}
	b.Delete(key)
	if row.By != nil {
		b.Delete(invitedKey(*row.By, key))
	}
	return nil
}
