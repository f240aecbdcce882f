package app

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sotto/internal/app/api"
	"sotto/internal/play"
)

// A window hands a recording over in parts and sends it; another one shows it while it lies at
// the server, jumps in it, saves it, and hears how that goes on.
func TestFiles(t *testing.T) {
	w := play.New(t)
	ana := deskOf(w, "ana")
	var notes api.Room
	ana.must("POST", "/rooms/self", nil, &notes)
	content := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	var handed api.HandedFile
	for at := 0; at < len(content); at += 100_000 {
		part := content[at:min(at+100_000, len(content))]
		ana.must("POST", "/files/parts", api.FilePart{ID: handed.ID, At: int64(at), Data: base64.StdEncoding.EncodeToString(part)}, &handed)
	}
	if handed.Size != int64(len(content)) {
		t.Fatalf("%+v", handed)
	}
	ana.refused("POST", "/files/parts", api.FilePart{ID: handed.ID, At: 5, Data: "AAAA"}, "wrong offset")
	ana.refused("POST", "/files/parts", api.FilePart{ID: "0123", Data: "AAAA"}, "malformed")
	ana.refused("POST", "/messages/files", api.NewFiles{To: notes.ID, Files: []api.NewFile{{Handed: "0123"}}}, "malformed")
	ana.refused("POST", "/messages/files", api.NewFiles{To: notes.ID, Files: []api.NewFile{{Path: "relative.txt"}}}, "malformed")
	ana.refused("POST", "/messages/files", api.NewFiles{To: notes.ID, Files: []api.NewFile{{Path: filepath.Join(t.TempDir(), "none")}}}, "file")
	ana.refused("POST", "/messages/files", api.NewFiles{To: notes.ID, Files: []api.NewFile{}}, "malformed")

	e := ana.listen()
	wave := base64.StdEncoding.EncodeToString([]byte{1, 200, 30})
	var m api.Message
	ana.must("POST", "/messages/files", api.NewFiles{To: notes.ID, Text: "listen", Files: []api.NewFile{{Handed: handed.ID, Name: "../hello.ogg", Kind: "voice", Duration: 1500, Wave: wave}}}, &m)
	if len(m.Files) != 1 || m.Kind != "attachment" || m.Text != "listen" {
		t.Fatalf("%+v", m)
	}
	f := m.Files[0]
	if f.Name != "hello.ogg" || f.Type != "audio/ogg" || f.Kind != "voice" || f.Duration != 1500 || f.Wave != wave || f.Size != uint64(len(content)) || !f.Own || f.Number != 1 {
		t.Errorf("%+v", f)
	}
	e.wait("the file is stored", func(e api.Event) bool { return e.Type == api.EventFile && e.File != nil && e.File.State == "stored" })

	path := "/messages/" + m.ID + "/files/1"
	status, got, h := ana.do(ana.request("GET", path, nil))
	if status != 200 || !bytes.Equal(got, content) || h.Get("Content-Type") != "audio/ogg" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Fatalf("%d %d %v", status, len(got), h)
	}
	for _, r := range []struct {
		ask  string
		want []byte
	}{{"bytes=100000-100009", content[100_000:100_010]}, {"bytes=-7", content[len(content)-7:]}, {"bytes=319999-", content[319_999:]}, {"bytes=16380-16390", content[16380:16391]}} {
		q := ana.request("GET", path, nil)
		q.Header.Set("Range", r.ask)
		if status, got, _ := ana.do(q); status != 206 || !bytes.Equal(got, r.want) {
			t.Errorf("%s: %d %q", r.ask, status, got)
		}
	}
	folder := filepath.Join(t.TempDir(), "music")
	ana.refused("POST", path, api.GetFile{Folder: "music"}, "malformed")
	ana.refused("POST", "/messages/"+m.ID+"/files/2", api.GetFile{Folder: folder}, "no such file")
	ana.refused("GET", "/messages/"+m.ID+"/files/0", nil, "malformed")
	ana.must("POST", path, api.GetFile{Folder: folder}, &f)
	there := e.wait("the file is here", func(e api.Event) bool { return e.Type == api.EventFile && e.File != nil && e.File.State == "here" })
	if saved, err := os.ReadFile(there.File.Path); err != nil || !bytes.Equal(saved, content) || filepath.Dir(there.File.Path) != folder {
		t.Error(err, there.File.Path)
	}
	var list []api.File
	ana.must("GET", "/files?room="+notes.ID, nil, &list)
	if len(list) != 1 || list[0].State != "here" {
		t.Errorf("%+v", list)
	}
	ana.must("PATCH", path, api.FileChange{Paused: true}, &f) // nothing to pause any more
	if f.State != "here" {
		t.Error(f.State)
	}
}
