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

// InvitationLifetime is how long a code is good.
const InvitationLifetime = 30 * 24 * time.Hour

var codeAlphabet = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz023456789").WithPadding(base32.NoPadding)

// Invite makes n codes, each good for one registration. The directory keeps hashes.
func (d *Directory) Invite(n int) ([]string, error) {
	if n < 1 || n > 1000 {
		return nil, wire.Refuse(wire.CodeMalformed, "make between 1 and 1000 invitations at once")
	}
	until := wire.Marshal(untilRow{uint64(d.o.Now().Add(InvitationLifetime).Unix())})
	b, codes := d.db.NewBatch(), make([]string, n)
	for i := range codes {
		var raw [10]byte
		if _, err := io.ReadFull(d.o.Rand, raw[:]); err != nil {
			return nil, err
		}
		s := codeAlphabet.EncodeToString(raw[:])
		codes[i] = s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
		b.Set(invitationKey(codes[i]), until)
	}
	return codes, d.db.CommitWait(b)
}

// invitationKey forgives capitals, spaces and missing dashes.
func invitationKey(code string) []byte {
	code = strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(code))
	h := sha256.Sum256([]byte("sotto invitation v1\x00" + code))
	return append([]byte(prefixInvitation), h[:]...)
}

// spendInvitation puts the spending of a code into b. Codes are found by their hash,
// and the hashes compared in constant time: timing tells nothing about other codes.
func (d *Directory) spendInvitation(b *engine.Batch, code string) error {
	refused := wire.Refuse(wire.CodeInvitation, "this server takes new accounts by invitation: ask its operator for a code that nobody has used")
	if code == "" || len(code) > 64 {
		return refused
	}
	key, found := invitationKey(code), 0
	var row untilRow
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
	return nil
}

// Tick erases invitations, rests and quotas whose time is up, and once a day the
// one-time key packages. One goroutine calls it.
func (d *Directory) Tick(now time.Time) error {
	if today := dayOf(now); today != d.aged {
		if err := d.dropOld(now); err != nil {
			return err
		}
		d.aged = today
	}
	var over [][]byte
	gather := func(prefix string, done func(v []byte) (bool, error)) error {
		return d.db.Scan([]byte(prefix), end(prefix), func(k, v []byte) (bool, error) {
			yes, err := done(v)
			if yes {
				over = append(over, append([]byte(nil), k...))
			}
			return len(over) < 10_000, err
		})
	}
	past := func(v []byte) (bool, error) {
		var row untilRow
		err := wire.Unmarshal(v, &row)
		return uint64(now.Unix()) >= row.Until, err
	}
	yesterday := func(v []byte) (bool, error) {
		var row quotaRow
		err := wire.Unmarshal(v, &row)
		return row.Day+1 < uint64(now.Unix())/86400, err
	}
	if err := gather(prefixInvitation, past); err != nil {
		return err
	}
	if err := gather(prefixRest, past); err != nil {
		return err
	}
	if err := gather(prefixQuota, yesterday); err != nil {
		return err
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
