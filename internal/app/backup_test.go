package app

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sotto/internal/app/api"
	"sotto/internal/play"
)

// hand hands a file over in parts.
func (d *desk) hand(b []byte) (out api.BackupFile) {
	for at := 0; at == 0 || at < len(b); at += 3000 {
		d.must("POST", "/backups/parts", api.BackupPart{At: int64(at), Data: base64.StdEncoding.EncodeToString(b[at:min(at+3000, len(b))])}, &out)
	}
	return out
}

// What was said is backed up at one window, at the home server and as a file, and restored at
// others.
func TestBackups(t *testing.T) {
	w := play.New(t)
	ana := deskOf(w, "ana")
	var room api.Room
	ana.must("POST", "/rooms/self", nil, &room)
	ana.must("POST", "/messages", api.NewMessage{To: room.ID, Text: "to be kept"}, nil)
	var s api.Backups
	ana.must("GET", "/backups", nil, &s)
	if s.Schedule != api.BackupOff || s.Last != 0 || s.Restore != nil {
		t.Errorf("%+v", s)
	}
	ana.refused("PUT", "/backups", api.SetBackups{Schedule: "hourly"}, "malformed")
	ana.refused("PUT", "/backups", api.SetBackups{Schedule: api.BackupDaily, Server: true}, "no key")
	ana.refused("PUT", "/backups", api.SetBackups{Schedule: api.BackupDaily, Folder: filepath.Join(t.TempDir(), "none")}, "file")
	ana.refused("GET", "/backups/file", nil, "no key")
	ana.refused("POST", "/backups/now", nil, "no backup")
	var made api.NewWords
	ana.must("POST", "/recovery/words", api.MakeWords{}, &made)
	var typed []string
	for _, p := range made.Places {
		typed = append(typed, made.Words[p-1])
	}
	ana.must("POST", "/recovery/confirm", api.ConfirmWords{Words: typed}, nil)
	words := strings.Join(made.Words, " ")
	ana.must("PUT", "/backups", api.SetBackups{Schedule: api.BackupDaily, Server: true}, &s)
	ana.must("POST", "/backups/now", nil, &s)
	if s.Schedule != api.BackupDaily || !s.Server || s.Last == 0 || s.Messages == 0 || s.Next == 0 || s.Until == 0 || s.Why != nil {
		t.Errorf("%+v", s)
	}
	status, file, h := ana.do(ana.request("GET", "/backups/file", nil))
	if status != 200 || !strings.Contains(h.Get("Content-Disposition"), ".sotto-backup") {
		t.Fatalf("%d %s", status, file)
	}
	download := ana.request("GET", "/backups/file?key="+ana.key, nil)
	download.Header.Del(keyHeader)
	if status, _, _ := ana.do(download); status != 200 {
		t.Errorf("a link that is followed: %d", status)
	}
	if _, err := os.Stat(filepath.Join(ana.app.o.Home, madeFile)); err == nil {
		t.Error("the file is left in the home")
	}

	// On a new machine: first from the file, which is looked at before anything is done.
	fresh := newDesk(w, "new")
	fresh.refused("POST", "/backups/parts", api.BackupPart{Data: "!"}, "malformed")
	fresh.refused("POST", "/backups/parts", api.BackupPart{Data: base64.StdEncoding.EncodeToString([]byte("Dear Bo, this is no backup"))}, "not a backup")
	recover := api.RecoverAccount{Handle: ana.handle(), Words: words, Backup: api.RestoreHanded}
	fresh.hand(file[:len(file)-1])
	fresh.refused("POST", "/account/recover", recover, "cut backup")
	if f := fresh.hand(file); f.Size != int64(len(file)) || !f.Words || f.Passphrase {
		t.Errorf("%+v", f)
	}
	fresh.refused("POST", "/backups/parts", api.BackupPart{At: 7, Data: ""}, "malformed")
	fresh.must("POST", "/account/recover", recover, nil)
	fresh.kept()
	fresh.eventually("the file is gone", func() bool {
		_, err := os.Stat(filepath.Join(fresh.app.o.Home, handedFile))
		return os.IsNotExist(err)
	})
	fresh.refused("POST", "/backups/restore", api.RestoreBackup{From: api.RestoreFile, File: "here", Words: words}, "malformed")
	fresh.refused("POST", "/backups/restore", api.RestoreBackup{From: "there"}, "malformed")

	// Another one takes the backup at the home server.
	third := newDesk(w, "third")
	third.must("POST", "/account/recover", api.RecoverAccount{Handle: ana.handle(), Words: words, Backup: api.RestoreServer}, nil)
	third.kept()
}

// kept waits until what was to be kept is back.
func (d *desk) kept() {
	d.t.Helper()
	d.eventually("it is restored", func() bool {
		var s api.Backups
		d.must("GET", "/backups", nil, &s)
		return s.Restore != nil && s.Restore.Done
	})
	var found api.Found
	d.must("GET", "/search?q=kept", nil, &found)
	if len(found.Hits) != 1 {
		d.t.Errorf("a search finds %d", len(found.Hits))
	}
}
