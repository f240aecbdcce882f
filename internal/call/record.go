package call

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"sotto/internal/mediafile"
)

// Recorder keeps what the other side says and shows. Files are made when there is something
// for them: of the name that was given for the microphone, and beside it for the others.
// A file that is there already is never written over.
type Recorder struct {
	names [Lines]string

	mu     sync.Mutex
	begun  time.Time
	lines  [Lines]recording
	closed bool
}

// recording is a file that is being written.
type recording struct {
	write func(data []byte, at time.Duration) error
	close func() error
	mime  string
}

// Names are the files of a recording that is named path: for talk.ogg they are talk.ogg,
// talk.ivf, talk.screen.ivf and talk.screen.ogg.
func Names(path string) ([Lines]string, error) {
	stem, ok := strings.CutSuffix(path, ".ogg")
	if !ok || stem == "" || strings.HasSuffix(stem, "/") {
		return [Lines]string{}, fmt.Errorf("%q: a recording's name ends in .ogg", path)
	}
	return [Lines]string{path, stem + ".ivf", stem + ".screen.ivf", stem + ".screen.ogg"}, nil
}

// NewRecorder is a recorder for a name, of which no file is there.
func NewRecorder(path string) (*Recorder, error) {
	names, err := Names(path)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := os.Lstat(name); err == nil {
			return nil, fmt.Errorf("%s is there already", name)
		}
	}
	return &Recorder{names: names}, nil
}

// now is how long the recording runs. Its first call begins it.
func (r *Recorder) now() time.Duration {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun.IsZero() {
		r.begun = time.Now()
	}
	return time.Since(r.begun)
}

func (r *Recorder) write(l Line, mime string, data []byte, at time.Duration) error {
	if r == nil || mime == webrtc.MimeTypeH264 { // IVF has no place for it
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	if r.lines[l].write == nil {
		if err := r.open(l, mime); err != nil {
			return err
		}
	}
	if r.lines[l].mime != mime {
		return nil
	}
	return r.lines[l].write(data, at)
}

func (r *Recorder) open(l Line, mime string) error {
	f, err := os.OpenFile(r.names[l], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if !l.Sound() {
		v := mediafile.NewPictures(f, mime)
		r.lines[l] = recording{v.Write, func() error { return errors.Join(v.Close(), f.Close()) }, mime}
		return nil
	}
	s, err := mediafile.NewSound(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r.lines[l] = recording{s.Write, s.Close, mime}
	return nil
}

// Close ends the files.
func (r *Recorder) Close() (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for l := range r.lines {
		if r.lines[l].close != nil {
			err = errors.Join(err, r.lines[l].close())
		}
	}
	r.lines = [Lines]recording{}
	return err
}

// Files are those that were made.
func (r *Recorder) Files() (out []string) {
	for _, name := range r.names {
		if _, err := os.Lstat(name); err == nil {
			out = append(out, name)
		}
	}
	return out
}
