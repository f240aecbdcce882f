package app

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/backup"
	"sotto/internal/client"
	"sotto/internal/explain"
)

// Names in the home, of files that are there for a while.
const (
	handedFile = "handed" + backup.Extension // what a window has handed over
	madeFile   = "made" + backup.Extension   // what a window is about to get
)

var schedules = map[api.BackupSchedule]time.Duration{api.BackupOff: 0, api.BackupDaily: client.Daily, api.BackupWeekly: client.Weekly}

func backups(c *call) (out api.Backups, err error) {
	s, err := c.c.Backups()
	if err != nil {
		return out, err
	}
	out = api.Backups{
		Folder: s.Plan.Folder, Server: s.Plan.Server, Passphrase: s.Locked, Last: s.Last, Size: s.Size, Messages: s.Messages,
		Next: s.Next, Until: s.Until, Failures: s.Tries, Why: failureOf(s.Err),
	}
	for name, every := range schedules {
		if every == s.Plan.Every {
			out.Schedule = name
		}
	}
	if s.Running {
		out.Running = &api.Progress{Done: s.Done, Total: s.Of}
	}
	if s.Offer != nil {
		out.Offer = &api.BackupOffer{Time: s.Offer.Time, Size: s.Offer.Size, Messages: s.Offer.Messages}
	}
	if r := s.Restore; r != nil {
		out.Restore = &api.Restore{Progress: api.Progress{Done: r.Got, Total: r.Total}, Time: r.Time, Done: r.Done, Lost: r.Lost, Why: failureOf(r.Err)}
	}
	return out, nil
}

func failureOf(err error) *api.Failure {
	if err == nil {
		return nil
	}
	f := explainError(err)
	return &f
}

func setBackups(c *call, in api.SetBackups) (out api.Backups, err error) {
	every, ok := schedules[in.Schedule]
	if !ok {
		return out, malformed("schedule", "the schedule is off, daily or weekly")
	}
	if err := c.c.SetBackups(c.ctx, client.BackupPlan{Every: every, Folder: in.Folder, Server: in.Server, Passphrase: in.Passphrase}); err != nil {
		return out, fileFailed(err)
	}
	return backups(c)
}

// fileFailed explains what is wrong with a file or a folder that a person named.
func fileFailed(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return explain.Refuse("file", "%s: %s", p.Path, p.Err)
	}
	return err
}

func makeBackup(c *call) (out api.Backups, err error) {
	if err := c.c.BackUp(c.ctx); err != nil {
		return out, fileFailed(err)
	}
	return backups(c)
}

// backupFile makes a backup and hands it to the window, to be kept where the person likes.
func backupFile(c *call) error {
	path := filepath.Join(c.app.o.Home, madeFile)
	if _, err := c.c.BackUpTo(c.ctx, path, ""); err != nil {
		return fileFailed(err)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer os.Remove(path)
	defer f.Close()
	c.wrote = true
	h := c.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="sotto-%s%s"`, c.app.now().UTC().Format(time.DateOnly), backup.Extension))
	c.w.WriteHeader(http.StatusOK)
	_, err = io.Copy(unhurried{c.w, http.NewResponseController(c.w)}, f)
	return err
}

// backupPart takes the next part of a file that a window hands over.
func backupPart(c *call, in api.BackupPart) (out api.BackupFile, err error) {
	b, err := base64.StdEncoding.DecodeString(in.Data)
	if err != nil || in.At < 0 {
		return out, malformed("data", "this is no part of a file in base64")
	}
	path := filepath.Join(c.app.o.Home, handedFile)
	how := os.O_RDWR | os.O_CREATE
	if in.At == 0 {
		how |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, how, 0o600)
	if err != nil {
		return out, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return out, err
	}
	if size != in.At {
		return out, malformed("at", "the next part begins at %d", size)
	}
	if _, err := f.Write(b); err != nil {
		return out, err
	}
	out.Size = size + int64(len(b))
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return out, err
	}
	r, err := backup.NewReader(f)
	if err != nil {
		return out, err
	}
	out.Words, out.Passphrase = r.Words(), r.Passphrase()
	return out, nil
}

func restoreBackup(c *call, in api.RestoreBackup) (out api.Backups, err error) {
	if err := c.restore(in); err != nil {
		return out, fileFailed(err)
	}
	return backups(c)
}

// restore begins to restore a backup.
func (c *call) restore(in api.RestoreBackup) error {
	secret := client.RestoreSecret{Words: in.Words, Passphrase: in.Passphrase}
	switch in.From {
	case api.RestoreServer:
		return c.c.RestoreServer(c.ctx, in.Words)
	case api.RestoreHanded:
		return c.c.RestoreFile(c.ctx, filepath.Join(c.app.o.Home, handedFile), secret, true)
	case api.RestoreFile:
		if !filepath.IsAbs(in.File) {
			return malformed("file", "the file is named from the root")
		}
		return c.c.RestoreFile(c.ctx, in.File, secret, false)
	}
	return malformed("from", "a backup is restored from server, handed or file")
}

// mayTake says, before an account is recovered, whether a backup could be taken then.
func (c *call) mayTake(from api.RestoreFrom, words string) error {
	switch from {
	case "", api.RestoreServer:
		return nil
	case api.RestoreHanded:
		_, err := c.c.CheckBackup(filepath.Join(c.app.o.Home, handedFile), client.RestoreSecret{Words: words})
		return fileFailed(err)
	}
	return malformed("backup", "a backup is taken from server or handed")
}
