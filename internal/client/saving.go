package client

import (
	"errors"
	"io/fs"
	"path/filepath"

	"sotto/internal/archive"
	"sotto/internal/backup"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// saving is a backup under way. It reads one chunk after the other; where they go is its sink's.
type saving struct {
	c     *Client
	sink  sink
	place archive.Place
	begun int64
	end   func(error)
}

// sink takes the chunks of a backup. Each of its methods calls done once, on the queue.
type sink interface {
	take(chunk archive.Chunk, done func(error))
	finish(done func(error))
	abort() // what was begun is not to be whole
}

// save begins to read for a sink. end is called once.
func (c *Client) save(k sink, end func(error)) {
	s := &saving{c: c, sink: k, begun: c.nowMS(), end: end}
	c.saving = s
	c.emit(Event{Kind: EventBackup})
	s.step()
}

func (s *saving) stop(err error) {
	s.c.saving = nil
	if err != nil {
		s.sink.abort()
	}
	s.end(err)
	s.c.emit(Event{Kind: EventBackup})
	s.c.settle()
}

// step reads the next chunk and hands it over.
func (s *saving) step() {
	chunk, next, err := s.c.pastChunk(s.place)
	if err != nil {
		s.stop(err)
		return
	}
	s.sink.take(chunk, func(err error) {
		switch {
		case err != nil:
			s.stop(err)
		case chunk.Last:
			s.sink.finish(s.stop)
		default:
			s.place = next
			s.c.emit(Event{Kind: EventBackup})
			s.step()
		}
	})
}

// pastChunk reads the next chunk of this device's past. The last one holds nothing.
func (c *Client) pastChunk(p archive.Place) (chunk archive.Chunk, next archive.Place, err error) {
	if p.Done() {
		return archive.Chunk{Index: p.Index, Last: true, Total: p.Messages}, p, nil
	}
	err = c.read(func(tx store.Tx) error {
		self, err := c.pastSelf(tx)
		if err != nil {
			return err
		}
		chunk, next, err = archive.Read(tx, p, self)
		return err
	})
	return chunk, next, err
}

// pastSelf is what a past holds of this person.
func (c *Client) pastSelf(tx store.Tx) (self archive.Self, err error) {
	self.Account = c.chain.ID()
	if self.Settings, _, err = tx.Fact(factSettings); err == nil {
		self.Labels, err = c.labels(tx)
	}
	return self, err
}

// backUp makes a backup where the plan says. wanted is one that the person asked for: it is
// made also when nothing has changed.
func (c *Client) backUp(plan backupPlan, state backupState, wanted bool, done func(error)) {
	begun := c.nowMS()
	end := func(next backupState, err error) {
		if err != nil {
			c.backupFailed(err, done)
			return
		}
		next.Looked, next.Tries, next.Why, next.Code = begun, 0, "", 0
		done(c.write(func(tx store.Tx) error { return tx.SetFact(factBackupState, wire.Marshal(next)) }))
	}
	if plan.Server {
		c.saveServer(state, end)
		return
	}
	run := &fileRun{path: filepath.Join(plan.Folder, backup.Name(plan.Mark, c.now())), mark: plan.Mark, lock: plan.Lock, keep: backupsKept}
	if !wanted {
		run.last, run.lastPath = state.Sum, state.Path
		if c.wordsChanged(plan, state) {
			run.lastPath = ""
		}
	}
	words := c.wordsHash()
	c.saveFile(run, func(r backup.Report, sum wire.Hash, err error) {
		switch {
		case errors.Is(err, errSame):
			err = nil
		case err == nil:
			state = backupState{Time: begun, Size: r.Size, Messages: r.Messages, Sum: sum, Path: run.path, Words: words, Pointer: state.Pointer, Index: state.Index}
		}
		end(state, err)
	})
}

// backupFailed notes that a backup could not be made. It is told once it has not succeeded for
// a while: a folder may be on a disk that is not always there.
func (c *Client) backupFailed(why error, done func(error)) {
	c.log.Warn("a backup failed", "why", why)
	if errors.Is(why, ErrClosed) {
		done(why)
		return
	}
	moved := errors.Is(why, wire.Refuse(wire.CodeBackupMoved, ""))
	err := c.update(func(tx store.Tx, after *[]func()) error {
		plan, state, err := c.backupFacts(tx)
		if err != nil {
			return err
		}
		state.Tries, state.Tried, state.Why, state.Code = state.Tries+1, c.nowMS(), reasonOf(why), 0
		if refused(why) {
			state.Code = uint64(wire.CodeOf(why))
		}
		switch {
		case moved: // another device keeps it now: that is enough
			plan.Every, state = 0, backupState{Tries: 1, Tried: c.nowMS(), Why: state.Why, Code: state.Code}
			if err := tx.SetFact(factBackup, wire.Marshal(plan)); err != nil {
				return err
			}
			err = c.notice(tx, after, nil, NoticeFailed, said.Of("backup.moved"))
		case state.Tries == backupTold:
			err = c.notice(tx, after, nil, NoticeFailed, said.Of("backup.failed", "why", state.Why).Because(codeOf(why)))
		}
		return errors.Join(err, tx.SetFact(factBackupState, wire.Marshal(state)))
	})
	if moved && err == nil {
		var rest []kept
		if err = c.read(func(tx store.Tx) (err error) { rest, err = c.allKept(tx); return err }); err == nil {
			c.eraseKept(rest, func() { done(why) })
			return
		}
	}
	done(errors.Join(why, err))
}

// reasonOf is what went wrong, without the name of a file.
func reasonOf(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
