package command

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"sotto/internal/backup"
	"sotto/internal/client"
)

// BackupMade is what `backup` and `backup check` print of a backup.
type BackupMade struct {
	Type     string `json:"type"` // "backup"
	File     string `json:"file,omitempty"`
	Account  string `json:"account,omitempty"` // a handle
	Made     string `json:"made,omitempty"`
	Messages int64  `json:"messages"`
	People   int    `json:"people,omitempty"`
	Bytes    int64  `json:"bytes"`
}

// BackupState is what `backup status` prints.
type BackupState struct {
	Type       string `json:"type"`     // "backups"
	Schedule   string `json:"schedule"` // off, daily, weekly
	To         string `json:"to,omitempty"`
	Passphrase bool   `json:"passphrase"` // files have one
	Last       string `json:"last,omitempty"`
	File       string `json:"file,omitempty"`
	Messages   int64  `json:"messages,omitempty"`
	Bytes      int64  `json:"bytes,omitempty"`
	Next       string `json:"next,omitempty"`
	Until      string `json:"until,omitempty"`    // at the home server, if it is not renewed
	Failures   int    `json:"failures,omitempty"` // in a row
	Why        string `json:"why,omitempty"`
	Offered    string `json:"offered,omitempty"` // when the one at the home server was made that this device may take
}

// toServer says in a target that it is the home server.
const toServer = "server"

// BackupSecret is how a backup gets, or opens with, a passphrase.
type BackupSecret struct {
	Passphrase           bool   `help:"Ask a terminal for the passphrase of the backup."`
	BackupPassphraseFile string `help:"The file that holds the passphrase of the backup." placeholder:"FILE" complete:"file"`
}

// read is the passphrase, "" where none is asked for. A new one is typed twice.
func (o BackupSecret) read(ctx context.Context, x *IO, fresh bool) (string, error) {
	if o.BackupPassphraseFile != "" {
		b, err := passphraseFile(x.path(o.BackupPassphraseFile))
		defer clear(b)
		return string(b), err
	}
	if !o.Passphrase {
		return "", nil
	}
	first, err := x.ask(ctx, "Passphrase of the backup: ")
	defer clear(first)
	if err == nil && fresh {
		again, e := x.ask(ctx, "Once more: ")
		if err = e; err == nil && !bytes.Equal(first, again) {
			err = fail("wrong passphrase", "the two are not the same; nothing was done")
		}
		clear(again)
	}
	return string(first), err
}

// Backup makes a backup, or says when and where they are made.
type Backup struct {
	File     string `arg:"" optional:"" help:"The file to write. Without it the backup goes where the schedule says." complete:"file"`
	Schedule string `enum:",off,daily,weekly" default:"" help:"Make backups by itself while sotto runs: off, daily, weekly." placeholder:"WHEN"`
	To       string `help:"Where these go: a folder, or the word server for your home server." placeholder:"DIR" complete:"dir"`
	BackupSecret
}

// Run makes it.
func (o Backup) Run(ctx context.Context, d *Device, x *IO) error {
	passphrase, err := o.read(ctx, x, true)
	if err != nil {
		return err
	}
	switch {
	case o.File != "" && (o.Schedule != "" || o.To != ""):
		return Usage("a backup goes into a file now, or to where the schedule says")
	case o.File != "":
		return o.once(ctx, d, x, passphrase)
	case o.Schedule != "" || o.To != "" || passphrase != "":
		return o.plan(ctx, d, x, passphrase)
	}
	_ = d.sync(ctx, x) // a folder needs no server
	if err := d.Client.BackUp(ctx); err != nil {
		return err
	}
	s, err := d.Client.Backups()
	if err != nil {
		return err
	}
	x.say(BackupMade{Type: "backup", File: s.Path, Made: stamp(s.Last), Messages: s.Messages, Bytes: s.Size}, "Backed up: %s, %s.", count(int(s.Messages), plural(int(s.Messages), "message", "messages")), size(uint64(s.Size)))
	return nil
}

// once writes one file.
func (o Backup) once(ctx context.Context, d *Device, x *IO, passphrase string) error {
	path, err := filepath.Abs(x.path(o.File))
	if err != nil {
		return err
	}
	r, err := d.Client.BackUpTo(ctx, path, passphrase)
	if err != nil {
		return backupFailed(o.File, err)
	}
	sayBackup(x, path, r, "Backed up")
	return nil
}

func sayBackup(x *IO, path string, r backup.Report, what string) {
	x.say(BackupMade{Type: "backup", File: path, Account: r.Handle, Made: stamp(r.Time), Messages: r.Messages, People: r.People, Bytes: r.Size},
		"%s: %s of %s, %s, %s.", what, count(int(r.Messages), plural(int(r.Messages), "message", "messages")), r.Handle, people(r.People), size(uint64(r.Size)))
}

// backupFailed is an error with the name of the file that the person gave, where it is about that.
func backupFailed(name string, err error) error {
	if bare(err) != err {
		return fail("file", "%s: %s", name, bare(err))
	}
	return err
}

// plan changes the schedule. What is not said stays as it is.
func (o Backup) plan(ctx context.Context, d *Device, x *IO, passphrase string) error {
	s, err := d.Client.Backups()
	if err != nil {
		return err
	}
	p := s.Plan
	p.Passphrase = passphrase
	switch o.Schedule {
	case "off":
		p.Every = 0
	case "daily":
		p.Every = client.Daily
	case "weekly":
		p.Every = client.Weekly
	}
	switch o.To {
	case "":
	case toServer:
		p.Server, p.Folder = true, ""
	default:
		p.Server = false
		if p.Folder, err = filepath.Abs(x.path(o.To)); err != nil {
			return err
		}
	}
	if err := d.Client.SetBackups(ctx, p); err != nil {
		return backupFailed(o.To, err)
	}
	return BackupStatus{}.Run(ctx, d, x)
}

// BackupStatus tells how backups stand.
type BackupStatus struct{}

var schedules = map[time.Duration]string{0: "off", client.Daily: "daily", client.Weekly: "weekly"}

// Run prints it.
func (BackupStatus) Run(_ context.Context, d *Device, x *IO) error {
	s, err := d.Client.Backups()
	if err != nil {
		return err
	}
	v := BackupState{
		Type: "backups", Schedule: schedules[s.Plan.Every], To: s.Plan.Folder, Passphrase: s.Locked, Last: stamp(s.Last), File: s.Path,
		Messages: s.Messages, Bytes: s.Size, Next: stamp(s.Next), Until: stamp(s.Until), Failures: s.Tries,
	}
	to := "into " + line(s.Plan.Folder)
	if s.Plan.Server {
		v.To, to = toServer, "at your home server"
	}
	text := "Backups are not made by themselves. sotto backup FILE makes one."
	if s.Plan.Every != 0 {
		text = fmt.Sprintf("A backup is made %s %s, while sotto runs and when something has changed.", v.Schedule, to)
	}
	if s.Last != 0 {
		text += fmt.Sprintf("\nThe last one: %s, %s, %s.", strings.TrimSpace(clock(s.Last, 0)), count(int(s.Messages), plural(int(s.Messages), "message", "messages")), size(uint64(s.Size)))
	}
	if s.Err != nil {
		v.Why = Explain(s.Err).Text
		text += "\nIt has failed since: " + v.Why
	}
	if s.Offer != nil {
		v.Offered = stamp(s.Offer.Time)
		text += fmt.Sprintf("\nAt your home server there is one of %s with %s: sotto restore --from-server takes it.", strings.TrimSpace(clock(s.Offer.Time, 0)), count(int(s.Offer.Messages), plural(int(s.Offer.Messages), "message", "messages")))
	}
	x.say(v, "%s", text)
	return nil
}

// BackupCheck reads a backup and says what it holds.
type BackupCheck struct {
	File      string `arg:"" help:"The backup." complete:"file"`
	WordsFile string `help:"The file that holds the 24 words. Without a passphrase, a terminal is asked otherwise." placeholder:"FILE" complete:"file"`
	BackupSecret
}

func (BackupCheck) creates() {}

// Run reads it.
func (o BackupCheck) Run(ctx context.Context, d *Device, x *IO) error {
	secret, err := openWithSecret(ctx, x, o.BackupSecret, o.WordsFile)
	if err != nil {
		return err
	}
	r, err := d.Client.CheckBackup(x.path(o.File), secret)
	if err != nil {
		return backupFailed(o.File, err)
	}
	sayBackup(x, x.path(o.File), r, "This backup is whole")
	return nil
}

// openWithSecret is what opens a backup: a passphrase where one is asked for, else the words.
func openWithSecret(ctx context.Context, x *IO, o BackupSecret, wordsFile string) (s client.RestoreSecret, err error) {
	if o.Passphrase || o.BackupPassphraseFile != "" {
		s.Passphrase, err = o.read(ctx, x, false)
		return s, err
	}
	s.Words, err = x.words(ctx, wordsFile, "Your 24 words: ")
	return s, err
}
