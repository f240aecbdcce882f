package server

import (
	"sotto/internal/server/directory"
	"sotto/internal/wire"
)

// recover lets a device in by the recovery key. Anybody may ask, so what fails is metered
// with the failed authentications.
func (s *Session) recover(id uint64, body []byte) {
	var q wire.Recover
	err := wire.Unmarshal(body, &q)
	if err == nil && s.name != "" {
		err = wire.Refuse(wire.CodeOrder, "this connection is authenticated")
	}
	s.grow(id, err, func() (*directory.Account, []wire.DeviceName, error) { return s.srv.dir.Recover(q) })
}

// grow answers what adds to a chain without a device of the account: err is what is wrong with
// the request itself, and what fails is metered with the failed authentications.
func (s *Session) grow(id uint64, err error, add func() (*directory.Account, []wire.DeviceName, error)) {
	p, now := s.srv.policy.Load(), s.srv.o.Now()
	if err == nil {
		err = p.badAuths.full(s.addr, now)
	}
	if err != nil {
		s.refuse(id, err)
		return
	}
	a, revoked, err := add()
	if err != nil {
		_ = p.badAuths.take(s.addr, now)
		s.refuse(id, err)
		return
	}
	s.stated(id, a, revoked)
}

// putRecord keeps the account's recovery record. It counts as bytes of files do, so that
// nobody writes without end.
func (s *Session) putRecord(r wire.Record) (wire.Done, error) {
	switch {
	case len(r.Sealed) == 0:
		return wire.Done{}, wire.Refuse(wire.CodeMalformed, "a recovery record needs its bytes")
	case len(r.Sealed) > wire.MaxRecord:
		return wire.Done{}, wire.Refuse(wire.CodeTooLarge, "a recovery record is at most %d bytes", wire.MaxRecord)
	}
	a, err := s.home()
	if err == nil {
		err = s.spend(a, directory.Spending{Bytes: uint64(len(r.Sealed))})
	}
	if err != nil {
		return wire.Done{}, err
	}
	return wire.Done{}, s.srv.dir.SetRecord(a.Name, s.device, r.Sealed)
}

// getRecord answers the account's recovery record, to any of its devices.
func (s *Session) getRecord(wire.Done) (out wire.Record, err error) {
	a, err := s.account()
	if err != nil {
		return out, err
	}
	out.Sealed, err = s.srv.dir.Record(a.Name)
	return out, err
}

// backup answers where the account's backup is, and puts another place there. It counts as
// bytes of files do.
func (s *Session) backup(q wire.Backup) (out wire.Backup, err error) {
	switch {
	case len(q.Sealed) > wire.MaxBackup:
		return out, wire.Refuse(wire.CodeTooLarge, "a pointer to a backup is at most %d bytes", wire.MaxBackup)
	case q.Sealed != nil && q.Replaces == nil:
		return out, wire.Refuse(wire.CodeMalformed, "a pointer to a backup names what it replaces")
	}
	a, err := s.account()
	if err == nil && q.Replaces == nil {
		out.Sealed, err = s.srv.dir.Backup(a.Name)
		return out, err
	}
	if err == nil {
		err = s.spend(a, directory.Spending{Bytes: uint64(len(q.Sealed))})
	}
	if err == nil {
		err = s.srv.dir.SetBackup(a.Name, s.device, q)
	}
	return wire.Backup{Sealed: q.Sealed}, err
}
