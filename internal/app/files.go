package app

import (
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/explain"
	"sotto/internal/files"
	"sotto/internal/room"
	"sotto/mimi"
)

var fileKinds = map[uint8]string{room.FilePlain: "file", room.FileVoice: "voice", room.FileVideo: "video"}

// fileOf is a file as it crosses.
func fileOf(f client.FileInfo, own bool) api.File {
	out := api.File{
		Number: int(f.Part) + 1, Message: f.Message.String(), Room: text(f.Room[:]), Account: text(f.Account[:]), Own: own, Time: f.At,
		Name: f.Shown, Type: f.File.Type, Size: f.Size, Kind: fileKinds[f.FileDetails.Kind], Width: f.Width, Height: f.Height, Duration: f.Duration,
		Wave: base64.StdEncoding.EncodeToString(f.Wave), Preview: base64.StdEncoding.EncodeToString(f.Preview), Danger: string(f.Danger), Until: int64(f.Until) * 1000,
		State: string(f.State), Done: f.Done, Total: int64(f.Sealed), Rate: f.Rate, Left: max(f.Left(), 0), Path: f.Path, Why: f.Why, Code: f.Code,
	}
	if out.Kind == "" {
		out.Kind = "file" // of a later version
	}
	return out
}

// files are those of a message that is shown.
func (v *viewer) files(s client.Shown) (out []api.File) {
	if s.Kind != mimi.KindAttachment && s.Kind != mimi.KindReply || len(s.Content) == 0 {
		return nil
	}
	list, err := v.c.FilesOf(s.ID)
	if err != nil {
		return nil // it vanished meanwhile
	}
	for _, f := range list {
		out = append(out, fileOf(f, f.Account == v.self.Account))
	}
	return out
}

// file tells how a file goes on.
func (b *batch) file(e client.Event) {
	list, err := b.in.Client.FilesOf(e.ID)
	if err != nil || e.Part >= int64(len(list)) {
		return
	}
	f := fileOf(list[e.Part], list[e.Part].Account == b.v.self.Account)
	b.send(api.Event{Type: api.EventFile, Room: f.Room, ID: f.Message, File: &f})
}

func listFiles(c *call, in api.FileList) (out []api.File, err error) {
	var only *room.ID
	if in.Room != "" {
		id, err := roomID("room", in.Room)
		if err != nil {
			return nil, err
		}
		only = &id
	}
	if in.Limit < 0 || in.Limit > 200 || in.Before < 0 {
		return nil, malformed("limit", "at most 200 messages at a time")
	}
	if in.Limit == 0 {
		in.Limit = 60
	}
	self, err := c.c.Self()
	if err != nil {
		return nil, err
	}
	list, err := c.c.Files(only, in.Before, in.Limit)
	for _, f := range list {
		out = append(out, fileOf(f, f.Account == self.Account))
	}
	return out, err
}

func sendFiles(c *call, in api.NewFiles) (api.Message, error) {
	if len(in.Text) > maxText || in.Keep < 0 || in.Keep > 90*86400 {
		return api.Message{}, malformed("keep", "a file can be had for a second to 90 days")
	}
	s := client.SendFiles{Text: in.Text, Keep: time.Duration(in.Keep) * time.Second}
	if in.Reply != "" {
		to, err := messageID("reply", in.Reply)
		if err != nil {
			return api.Message{}, err
		}
		s.Reply = &to
	}
	for _, f := range in.Files {
		x, err := newFile(f)
		if err != nil {
			return api.Message{}, err
		}
		s.Files = append(s.Files, x)
	}
	m, err := c.c.SendFiles(c.ctx, in.To, s)
	if err != nil {
		return api.Message{}, noFile(err)
	}
	v, err := c.viewer()
	if err != nil {
		return api.Message{}, err
	}
	return v.find(m.ID)
}

func newFile(f api.NewFile) (out client.SendFile, err error) {
	if (f.Path == "") == (f.Handed == "") || f.Path != "" && !filepath.IsAbs(f.Path) {
		return out, malformed("files", "a file is named from the root, or was handed over")
	}
	out = client.SendFile{Path: f.Path, Handed: f.Handed, Name: f.Name, Type: f.Type, Raw: f.Raw}
	out.Details = room.FileDetails{Width: f.Width, Height: f.Height, Duration: f.Duration}
	found := f.Kind == ""
	for kind, name := range fileKinds {
		if name == f.Kind {
			out.Details.Kind, found = kind, true
		}
	}
	wave, err := base64.StdEncoding.DecodeString(f.Wave)
	if err != nil || len(wave) > room.MaxWave || !found {
		return out, malformed("files", "a file is of kind file, voice or video, and its waveform has at most %d bytes", room.MaxWave)
	}
	if len(wave) > 0 {
		out.Details.Wave = wave
	}
	if f.Preview != "" {
		if out.Preview, err = base64.StdEncoding.DecodeString(f.Preview); err != nil || room.CheckPicture(out.Preview) != nil {
			return out, malformed("files", "a preview is a PNG, JPEG or WebP of at most 32 KiB")
		}
	}
	return out, nil
}

func filePart(c *call, in api.FilePart) (out api.HandedFile, err error) {
	b, err := base64.StdEncoding.DecodeString(in.Data)
	if err != nil || in.At < 0 {
		return out, malformed("data", "this is no part of a file in base64")
	}
	out.ID, out.Size, err = c.c.HandFile(in.ID, in.At, b)
	return out, err
}

// fileID is the file that the path names.
func (c *call) fileID() (mimi.MessageID, int64, error) {
	id, err := c.message()
	n, bad := strconv.ParseInt(c.r.PathValue("file"), 10, 32)
	if err == nil && (bad != nil || n < 1) {
		err = malformed("file", "a file of a message is named by its number, from 1")
	}
	return id, n - 1, err
}

// theFile is a file of the path as it is now.
func (c *call) theFile() (api.File, error) {
	id, part, err := c.fileID()
	if err != nil {
		return api.File{}, err
	}
	list, err := c.c.FilesOf(id)
	if err == nil && part >= int64(len(list)) {
		err = client.ErrNoSuch
	}
	if err != nil {
		return api.File{}, noFile(err)
	}
	self, err := c.c.Self()
	return fileOf(list[part], list[part].Account == self.Account), err
}

func getFile(c *call, in api.GetFile) (out api.File, err error) {
	id, part, err := c.fileID()
	if err != nil {
		return out, err
	}
	if !filepath.IsAbs(in.Folder) {
		return out, malformed("folder", "the folder is named from the root")
	}
	if err := c.c.GetFile(id, part, filepath.Clean(in.Folder)); err != nil {
		return out, noFile(err)
	}
	return c.theFile()
}

func changeFile(c *call, in api.FileChange) (out api.File, err error) {
	id, part, err := c.fileID()
	if err == nil {
		err = c.c.PauseFile(id, part, in.Paused)
	}
	if err != nil {
		return out, noFile(err)
	}
	return c.theFile()
}

func cancelFile(c *call) error {
	id, part, err := c.fileID()
	if err == nil {
		err = c.c.CancelFile(id, part)
	}
	return noFile(err)
}

// noFile gives what a file may be refused for its code.
func noFile(err error) error {
	for why, code := range map[error]string{
		client.ErrNoSuch: "no such file", client.ErrFileGone: "file gone", client.ErrManyFiles: "too many files", client.ErrNoFiles: "malformed", client.ErrFileMoved: "file", files.ErrPicture: "file",
	} {
		if errors.Is(err, why) {
			return explain.Refuse(code, "%s", why)
		}
	}
	return fileFailed(err)
}

// inline are the types that a window may show by itself. Everything else is handed out as a
// file to save.
func inline(mediaType string) bool {
	switch bare, _, err := mime.ParseMediaType(mediaType); {
	case err != nil:
		return false
	case bare == "image/png", bare == "image/jpeg", bare == "image/gif", bare == "image/webp", bare == "image/avif":
		return true
	default:
		return strings.HasPrefix(bare, "audio/") || strings.HasPrefix(bare, "video/")
	}
}

// fileContent writes what a file holds.
func fileContent(c *call) error {
	id, part, err := c.fileID()
	if err != nil {
		return err
	}
	r, err := c.c.OpenFile(c.ctx, id, part)
	if err != nil {
		return noFile(err)
	}
	defer r.Close()
	f := r.File()
	name := files.SafeName(f.Name)
	h := c.w.Header()
	h.Set("Content-Type", files.Unknown)
	how := "attachment"
	if files.DangerOf(f.Name, f.Type) == files.Safe && inline(f.Type) {
		h.Set("Content-Type", f.Type)
		how = "inline"
	}
	h.Set("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	c.wrote = true
	http.ServeContent(c.w, c.r, "", time.Time{}, r)
	return nil
}
