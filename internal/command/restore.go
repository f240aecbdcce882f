package command

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"sotto/internal/client"
)

// Restored is what `restore`, and `recover` with a backup, print: as it goes on with --json,
// and at the end.
type Restored struct {
	Type     string `json:"type"` // "restored"
	Messages int64  `json:"messages"`
	Of       int64  `json:"of,omitempty"`
	Made     string `json:"made,omitempty"`
	Done     bool   `json:"done"`
	Lost     int    `json:"lost,omitempty"` // parts that were gone or damaged
}

// Restore takes what a backup of this account holds. What is here already stays.
type Restore struct {
	File       string `arg:"" optional:"" help:"The backup." complete:"file"`
	FromServer bool   `help:"Take the one at your home server."`
	WordsFile  string `help:"The file that holds the 24 words. Without a passphrase, a terminal is asked otherwise." placeholder:"FILE" complete:"file"`
	BackupSecret
}

// Run takes it, and waits until it is here.
func (o Restore) Run(ctx context.Context, d *Device, x *IO) error {
	if (o.File == "") != o.FromServer {
		return Usage("name the file of the backup, or --from-server")
	}
	if o.FromServer {
		return o.server(ctx, d, x)
	}
	secret, err := openWithSecret(ctx, x, o.BackupSecret, o.WordsFile)
	if err != nil {
		return err
	}
	return restoreFile(ctx, d, x, o.File, secret)
}

func (o Restore) server(ctx context.Context, d *Device, x *IO) error {
	if err := d.sync(ctx, x); err != nil {
		return err
	}
	s, err := d.Client.Backups()
	if err != nil {
		return err
	}
	words := ""
	if s.Offer == nil || o.WordsFile != "" {
		if words, err = x.words(ctx, o.WordsFile, "Your 24 words: "); err != nil {
			return err
		}
	}
	if err := d.Client.RestoreServer(ctx, words); err != nil {
		return err
	}
	return restored(ctx, d, x)
}

func restoreFile(ctx context.Context, d *Device, x *IO, name string, secret client.RestoreSecret) error {
	path, err := filepath.Abs(x.path(name))
	if err != nil {
		return err
	}
	if err := d.Client.RestoreFile(ctx, path, secret, false); err != nil {
		return backupFailed(name, err)
	}
	return restored(ctx, d, x)
}

// restoreTold is how often it is told how far a restore is.
const restoreTold = time.Second

// restored waits until a restore is over, and tells how far it is.
func restored(ctx context.Context, d *Device, x *IO) error {
	for {
		step, cancel := context.WithTimeout(ctx, restoreTold)
		s, err := d.Client.WaitRestored(step)
		cancel()
		switch {
		case err == nil && s.Err != nil:
			return s.Err
		case err == nil && !s.Done:
			return fail("not restored", "the backup was not restored to its end")
		case err == nil:
			tail := ""
			if s.Lost > 0 {
				tail = fmt.Sprintf(" %s gone or damaged.", count(s.Lost, plural(s.Lost, "part was", "parts were")))
			}
			x.say(Restored{Type: "restored", Messages: s.Got, Of: s.Total, Made: stamp(s.Time), Done: true, Lost: s.Lost},
				"Restored: %s, as they were on %s.%s", count(int(s.Got), plural(int(s.Got), "message", "messages")), strings.TrimSpace(clock(s.Time, 0)), tail)
			return nil
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		b, err := d.Client.Backups()
		if err != nil {
			return err
		}
		if r := b.Restore; r != nil {
			x.say(Restored{Type: "restored", Messages: r.Got, Of: r.Total, Made: stamp(r.Time)}, "%d of %d messages", r.Got, r.Total)
		}
	}
}
