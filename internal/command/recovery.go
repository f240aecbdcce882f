package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"sotto/internal/client"
	"sotto/internal/recovery"
)

// RecoveryState is what `recovery status` prints.
type RecoveryState struct {
	Type   string   `json:"type"` // "recovery"
	Set    bool     `json:"set"`
	At     string   `json:"at,omitempty"`
	Record bool     `json:"record"`           // the home server holds the sealed record as this device knows it
	People int      `json:"people,omitempty"` // after a recovery: who is not back yet
	Rooms  []string `json:"rooms,omitempty"`  // and which rooms
}

// RecoveryWords is what `recovery words` prints before it asks for some of them.
type RecoveryWords struct {
	Type   string   `json:"type"`   // "words"
	Words  []string `json:"words"`  // 24
	Places []int    `json:"places"` // that are to be typed back, one on a line, from 1
}

// RecoveryStatus tells how the 24 words stand.
type RecoveryStatus struct{}

// Run prints it.
func (RecoveryStatus) Run(_ context.Context, d *Device, x *IO) error {
	r, err := d.Client.Recovery()
	if err != nil {
		return err
	}
	v := RecoveryState{Type: "recovery", Set: r.Set, At: stamp(r.At), Record: r.Record}
	text := "Your 24 words are not written down: without them, whoever loses every device loses the account. sotto recovery words makes them."
	if r.Set {
		text = "Your 24 words were written down " + clock(r.At, 0) + "."
		if !r.Record {
			text += "\nThe record of your people and conversations is still to be written at your home server."
		}
	}
	if r.Back != nil {
		v.People, v.Rooms = r.Back.People, r.Back.Rooms
		if v.People > 0 {
			text += fmt.Sprintf("\nNot back yet: %s, whose servers have not answered.", people(v.People))
		}
		for _, title := range v.Rooms {
			text += "\nNot back yet: " + line(title) + ", until a member says yes."
		}
	}
	x.say(v, "%s", text)
	return nil
}

// RecoveryMake makes the 24 words, and sets them when some were typed back.
type RecoveryMake struct {
	OldWordsFile string `help:"The file that holds the 24 words of this account, where it has some: only with these are they replaced. Otherwise a terminal is asked." placeholder:"FILE" complete:"file"`
}

// Run makes, asks and sets.
func (o RecoveryMake) Run(ctx context.Context, d *Device, x *IO) error {
	r, err := d.Client.Recovery()
	if err != nil {
		return err
	}
	old := ""
	if r.Set || o.OldWordsFile != "" {
		if old, err = x.words(ctx, o.OldWordsFile, "The 24 words that you have: "); err != nil {
			return err
		}
	}
	make, cancel := context.WithTimeout(ctx, x.Timeout)
	list, err := d.Client.MakeWords(make, old)
	cancel()
	if err != nil {
		return err
	}
	defer d.Client.DropWords()
	if r, err = d.Client.Recovery(); err != nil {
		return err
	}
	x.say(RecoveryWords{Type: "words", Words: list[:], Places: r.Places}, "Write these down on paper, and keep it where nobody finds it:\n\n%s\nThen type some of them back.", columns(list))
	in := newTyping(x.In)
	var typed []string
	for _, place := range r.Places {
		if !x.JSON {
			x.printf("Word %d:\n", place)
		}
		word, err := in.next(ctx)
		if err != nil {
			return err
		}
		typed = append(typed, strings.TrimSpace(word))
	}
	set, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	if err := d.Client.ConfirmWords(set, typed); err != nil {
		return err
	}
	_ = d.Client.Sync(set)
	x.say(Done{"done", "words set", ""}, "These are the words of your account now.")
	return nil
}

// columns are the words in two columns, with their numbers.
func columns(list [recovery.Count]string) string {
	var b strings.Builder
	for i := range recovery.Count / 2 {
		fmt.Fprintf(&b, "  %2d %-10s  %2d %s\n", i+1, list[i], i+1+recovery.Count/2, list[i+recovery.Count/2])
	}
	return b.String()
}

// Recover makes this device the only one of an account, by its 24 words.
type Recover struct {
	Handle    string `arg:"" help:"The account: name@host."`
	WordsFile string `help:"The file that holds the 24 words. Otherwise a terminal is asked." placeholder:"FILE" complete:"file"`
	Name      string `help:"What this device is to be called." placeholder:"TEXT"`
	Backup    string `help:"The backup to take then: a file that opens with the same words, or the word server for the one at your home server." placeholder:"FILE" complete:"file"`
}

func (Recover) creates() {}

// Run recovers.
func (o Recover) Run(ctx context.Context, d *Device, x *IO) error {
	words, err := x.words(ctx, o.WordsFile, "Your 24 words: ")
	if err != nil {
		return err
	}
	secret := client.RestoreSecret{Words: words}
	if o.Backup != "" && o.Backup != toServer { // before anything is done: the file may be another one
		if _, err := d.Client.CheckBackup(x.path(o.Backup), secret); err != nil {
			return backupFailed(o.Backup, err)
		}
	}
	soon, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	if err := d.Client.Recover(soon, o.Handle, words, o.Name); err != nil {
		return err
	}
	_ = d.Client.Sync(soon) // what is not back yet comes when sotto next runs
	if err := showAccount(d, x); err != nil || o.Backup == "" {
		return err
	}
	if o.Backup == toServer {
		return Restore{FromServer: true, WordsFile: o.WordsFile}.server(ctx, d, x)
	}
	return restoreFile(ctx, d, x, o.Backup, secret)
}

// maxWordsFile is more than 24 words take in any form.
const maxWordsFile = 4096

// words are 24 words from a file, or typed at a terminal, where nobody sees them.
func (x *IO) words(ctx context.Context, file, prompt string) (string, error) {
	if file == "" {
		typed, err := x.ask(ctx, prompt)
		if err != nil {
			return "", fail("words needed", "the 24 words are needed: name a file that holds them, or use a terminal")
		}
		defer clear(typed)
		return string(typed), nil
	}
	f, err := os.Open(x.path(file))
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxWordsFile+1))
	if err != nil {
		return "", err
	}
	defer clear(b)
	if len(b) > maxWordsFile {
		return "", errors.New("this file is too long to hold 24 words")
	}
	return string(b), nil
}
