package server

import (
	"maps"
	"sync"
	"time"

	"sotto/internal/identity"
	"sotto/internal/server/blobs"
	"sotto/internal/server/directory"
	"sotto/internal/wire"
)

// uploads counts what accounts have begun to put and not ended. It is in memory only, so that
// no disk says whose a blob is; a restart forgets it.
type uploads struct {
	mu   sync.Mutex
	open map[identity.ID]map[blobs.Name]bool
}

// take counts one more for an account, unless it has most already.
func (u *uploads) take(a identity.ID, n blobs.Name, most uint64, unfinished func(blobs.Name) bool) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	mine := u.open[a]
	if uint64(len(mine)) >= most {
		maps.DeleteFunc(mine, func(n blobs.Name, _ bool) bool { return !unfinished(n) })
	}
	if !mine[n] && uint64(len(mine)) >= most {
		return wire.Refuse(wire.CodeQuota, "this account has %d files under way already: wait until some are whole", most)
	}
	if mine == nil {
		mine = map[blobs.Name]bool{}
		u.open[a] = mine
	}
	mine[n] = true
	return nil
}

// tick forgets what has ended.
func (u *uploads) tick(unfinished func(blobs.Name) bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for a, mine := range u.open {
		maps.DeleteFunc(mine, func(n blobs.Name, _ bool) bool { return !unfinished(n) })
		if len(mine) == 0 {
			delete(u.open, a)
		}
	}
}

// upload gives the right to put a blob in pieces, and is paid for like create.
func (s *Session) upload(r wire.UploadRequest) (out wire.Done, err error) {
	a, err := s.home()
	if err != nil {
		return out, err
	}
	l := s.srv.policy.Load().limits
	known, err := s.srv.blobs.VetUpload(r, l.FileBytes)
	if err != nil || known {
		return out, err
	}
	if err := s.srv.uploads.take(a.Chain.ID(), r.Blob, l.UploadsAtOnce, s.srv.blobs.Unfinished); err != nil {
		return out, err
	}
	if err := s.spend(a, directory.Spending{Bytes: r.Size, Keep: time.Duration(r.TTL) * time.Second}); err != nil {
		return out, err
	}
	return out, s.srv.blobs.Begin(r, l.FileBytes)
}
