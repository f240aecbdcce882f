package client

import (
	"cmp"
	"context"
	"path/filepath"

	"sotto/internal/files"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// FileState is how a file stands on this device.
type FileState string

// The states of a file.
const (
	FileOffered FileState = "offered" // it can be had
	FileWaits   FileState = "waiting" // on its way; nothing moves at this moment
	FileMoves   FileState = "moving"  // on its way
	FilePaused  FileState = "paused"
	FileStored  FileState = "stored" // of ours: the server has it
	FileHere    FileState = "here"   // it was fetched
	FileFailed  FileState = "failed"
	FileExpired FileState = "expired" // it cannot be had any more
)

// FileInfo is a file of a message as this device has it.
type FileInfo struct {
	room.File
	Room    room.ID
	Message mimi.MessageID
	Part    int64
	Account identity.ID // who sent it
	At      int64       // Unix milliseconds
	Own     bool        // it was sent from this device
	Shown   string      // a name that is safe to show and to keep
	Danger  files.Danger
	Preview []byte
	State   FileState
	Done    int64 // bytes of the ciphertext that are over
	Rate    int64 // bytes in a second, as of now
	Path    string
	Why     string
	Code    string
}

// Left is how many seconds it takes at this rate; -1 when nobody can say.
func (f FileInfo) Left() int64 {
	if f.State != FileMoves || f.Rate <= 0 {
		return -1
	}
	return (int64(f.Sealed) - f.Done + f.Rate - 1) / f.Rate
}

// Files are the files of a room, or of all, newest first: those of at most limit messages said
// before a time; 0 for now.
func (c *Client) Files(id *room.ID, before int64, limit int) (out []FileInfo, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			list, err := tx.MessagesWithFiles(id, cmp.Or(before, 1<<62), limit)
			for _, m := range list {
				if c.selfRooms[m.Room] || m.Flags&(store.FlagHidden|store.FlagDeleted) != 0 {
					continue
				}
				some, err := c.filesOf(tx, m)
				if err != nil {
					return err
				}
				out = append(out, some...)
			}
			return err
		})
	})
	return out, err
}

// FilesOf are the files of a message.
func (c *Client) FilesOf(id mimi.MessageID) (out []FileInfo, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			m, err := tx.FindMessage(id)
			if err != nil || m == nil {
				return cmp.Or(err, ErrGone)
			}
			out, err = c.filesOf(tx, *m)
			return err
		})
	})
	return out, err
}

func (c *Client) filesOf(tx store.Tx, m store.Message) ([]FileInfo, error) {
	if len(m.Content) == 0 {
		return nil, nil
	}
	content, err := mimi.Parse(m.Content)
	if err != nil {
		return nil, nil // it was kept by a version that knew more
	}
	all, previews := room.Files(content)
	if len(all) == 0 {
		return nil, nil
	}
	ways, err := tx.TransfersOf(m.ID)
	if err != nil {
		return nil, err
	}
	var out []FileInfo
	for i, f := range all {
		info := FileInfo{
			File: f, Room: m.Room, Message: m.ID, Part: int64(i), Account: m.Account, At: m.At, Preview: previews[i],
			Shown: files.SafeName(f.Name), Danger: files.DangerOf(f.Name, f.Type), State: FileOffered,
		}
		for _, x := range ways {
			if x.Part == info.Part {
				c.way(&info, x)
			}
		}
		if (info.State == FileOffered || info.State == FileStored) && f.Until != 0 && c.now().Unix() >= int64(f.Until) {
			info.State = FileExpired
		}
		out = append(out, info)
	}
	return out, nil
}

// way fills in how a file's way stands. One that comes here stands before the one that it went.
func (c *Client) way(info *FileInfo, x store.Transfer) {
	info.Own = info.Own || x.Sends
	if x.Sends && info.State != FileOffered {
		return
	}
	info.Done, info.Why, info.Code = x.Done, x.Why, x.Code
	switch x.State {
	case store.TransferRuns:
		info.State = FileWaits
		if m := c.moves[x.ID]; m != nil {
			info.State, info.Done, info.Rate = FileMoves, m.done, int64(m.rate)
		}
	case store.TransferPaused:
		info.State = FilePaused
	case store.TransferFailed:
		info.State = FileFailed
	case store.TransferGone, store.TransferLeaving:
		info.State = FileExpired
	case store.TransferWhole:
		info.State = FileStored
		if b, err := fetchBodyOf(x); !x.Sends && err == nil {
			info.State, info.Path = FileHere, filepath.Join(b.Dir, b.Placed)
		}
	}
	if b, err := sendBodyOf(x); x.Sends && err == nil {
		info.Path = b.Path
	}
}

// GetFile begins to fetch a file of a message into a folder. It goes on after a restart.
func (c *Client) GetFile(id mimi.MessageID, part int64, dir string) error {
	err := ErrClosed
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error {
			m, f, err := c.fileOf(tx, id, part)
			if err != nil {
				return err
			}
			if c.now().Unix() >= int64(f.Until) && f.Until != 0 {
				return ErrFileGone
			}
			old, err := tx.TransferOf(id, part, false)
			if err != nil {
				return err
			}
			if old != nil && old.State == store.TransferRuns {
				if b, err := fetchBodyOf(*old); err == nil && b.Dir == dir {
					*after = append(*after, c.hurryFiles)
					return nil
				}
			}
			if old != nil {
				c.dropFetch(after, *old)
			}
			_, err = tx.AddTransfer(c.newFetch(*m, part, f, dir))
			*after = append(*after, c.pumpFiles)
			return err
		})
	})
	return err
}

// fileOf finds a file of a message that is shown.
func (c *Client) fileOf(tx store.Tx, id mimi.MessageID, part int64) (*store.Message, room.File, error) {
	m, err := tx.FindMessage(id)
	if err != nil || m == nil || m.Flags&store.FlagDeleted != 0 {
		return nil, room.File{}, cmp.Or(err, ErrGone)
	}
	content, err := mimi.Parse(m.Content)
	if err != nil {
		return nil, room.File{}, ErrNoSuch
	}
	all, _ := room.Files(content)
	if part < 0 || part >= int64(len(all)) {
		return nil, room.File{}, ErrNoSuch
	}
	return m, all[part], nil
}

// dropFetch removes what there is of a file that is not to come any more.
func (c *Client) dropFetch(after *[]func(), x store.Transfer) {
	b, err := fetchBodyOf(x)
	if err != nil || x.State == store.TransferWhole {
		return
	}
	*after = append(*after, func() {
		if m := c.moves[x.ID]; m != nil {
			m.stop()
		}
		c.beside(func() error { _ = c.o.Disk.Remove(filepath.Join(b.Dir, b.Partial)); return nil }, func(error) {})
	})
}

// PauseFile stops the way of a message's file for now, and lets it go on.
func (c *Client) PauseFile(id mimi.MessageID, part int64, on bool) error {
	return c.changeFile(id, part, func(tx store.Tx, after *[]func(), x store.Transfer) error {
		switch {
		case on && x.State == store.TransferRuns:
			x.State = store.TransferPaused
		case !on && (x.State == store.TransferPaused || x.State == store.TransferFailed):
			x.State = store.TransferRuns
		default:
			return nil
		}
		x.Due, x.Tries, x.Why, x.Code = 0, 0, "", ""
		if m := c.moves[x.ID]; m != nil {
			x.Done, x.Body = m.row.Done, m.row.Body
		}
		if err := tx.SetTransfer(x); err != nil {
			return err
		}
		if x.Sends && !on {
			return c.queueAgain(tx, after, id)
		}
		return nil
	})
}

// queueAgain lets a message wait for its files again.
func (c *Client) queueAgain(tx store.Tx, after *[]func(), id mimi.MessageID) error {
	m, err := tx.FindMessage(id)
	if err != nil || m == nil || m.State != store.Failed {
		return err
	}
	m.State, m.Why, m.Code = store.Queued, "", ""
	*after = append(*after, func() { c.emit(Event{Kind: EventState, Room: m.Room, Message: m}) })
	return tx.SetMessageState(m.Room, m.ID, store.Queued)
}

// sendFilesAgain lets the files of a message that did not get to their server try again, and says
// whether there are such.
func (c *Client) sendFilesAgain(tx store.Tx, after *[]func(), id mimi.MessageID) (unsent bool, err error) {
	ways, err := tx.TransfersOf(id)
	for _, x := range ways {
		if !x.Sends || x.State == store.TransferWhole {
			continue
		}
		unsent = true
		x.State, x.Due, x.Tries, x.Why, x.Code = store.TransferRuns, 0, 0, "", ""
		if err := tx.SetTransfer(x); err != nil {
			return false, err
		}
	}
	if unsent {
		*after = append(*after, c.pumpFiles)
	}
	return unsent, err
}

// CancelFile ends the way of a file to here, and removes what there is of it. One that goes from
// here ends with its message.
func (c *Client) CancelFile(id mimi.MessageID, part int64) error {
	return c.changeFile(id, part, func(tx store.Tx, after *[]func(), x store.Transfer) error {
		if x.Sends {
			return wire.Refuse(wire.CodeMalformed, "take the message back: its files go with it")
		}
		c.dropFetch(after, x)
		return tx.DropTransfer(x.ID)
	})
}

// changeFile changes the way of a file: the one to here before the one from here.
func (c *Client) changeFile(id mimi.MessageID, part int64, change func(store.Tx, *[]func(), store.Transfer) error) error {
	err := ErrClosed
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error {
			x, err := tx.TransferOf(id, part, false)
			if err == nil && (x == nil || x.State == store.TransferWhole) {
				var sends *store.Transfer
				if sends, err = tx.TransferOf(id, part, true); sends != nil {
					x = sends
				}
			}
			if err != nil || x == nil {
				return cmp.Or(err, ErrNoSuch)
			}
			*after = append(*after, func() {
				if m := c.moves[x.ID]; m != nil {
					m.stop()
				}
				c.emit(Event{Kind: EventFile, Room: x.Room, ID: id, Part: part})
				c.pumpFiles()
			})
			return change(tx, after, *x)
		})
	})
	return err
}

// FileSettled waits until a file is not on its way any more, or waits for its host, and answers
// it as it is then. Each is told how it goes on.
func (c *Client) FileSettled(ctx context.Context, id mimi.MessageID, part int64) (f FileInfo, err error) {
	err = c.wait(ctx, func(done func(error)) {
		c.until(func() (bool, error) {
			over := true
			err := c.read(func(tx store.Tx) error {
				m, err := tx.FindMessage(id)
				if err != nil || m == nil {
					return cmp.Or(err, ErrGone)
				}
				all, err := c.filesOf(tx, *m)
				if err != nil || part < 0 || part >= int64(len(all)) {
					return cmp.Or(err, ErrNoSuch)
				}
				f = all[part]
				over = f.State != FileMoves && f.State != FileWaits
				return nil
			})
			return over, err
		}, done)
	})
	return f, err
}
