package page

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// program is one that visitors can download.
type program struct {
	Name     string // in the address: sotto-GOOS-GOARCH[.exe]
	File     string // under which a browser saves it
	OS, Arch string
	Label    string // for people
	Size     string
	Sum      string // SHA-256, hexadecimal

	path  string
	bytes int64
	stamp time.Time
}

// sum is the hash of a file as it was.
type sum struct {
	bytes int64
	stamp time.Time
	hex   string
}

// lookAgain is how often the directory of programs is read.
const lookAgain = 30 * time.Second

// maxProgram is how large a program may be that is offered.
const maxProgram = 1 << 30

// systems are the names that people know; a program for another is offered under its own.
var systems = map[string]string{
	"linux-amd64": "Linux (Intel, AMD)", "linux-arm64": "Linux (ARM)", "linux-arm": "Linux (ARM, 32 bit)", "linux-386": "Linux (32 bit)",
	"darwin-arm64": "macOS (Apple)", "darwin-amd64": "macOS (Intel)",
	"windows-amd64": "Windows", "windows-arm64": "Windows (ARM)", "windows-386": "Windows (32 bit)",
	"freebsd-amd64": "FreeBSD", "openbsd-amd64": "OpenBSD", "netbsd-amd64": "NetBSD",
}

// programs lists what is offered. Hashing a program takes a part of a second, once.
func (p *Page) programs() []program {
	if p.o.Off {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.looked.IsZero() && now.Sub(p.looked) < lookAgain {
		return p.list
	}
	var out []program
	add := func(name, path string) {
		if slices.ContainsFunc(out, func(x program) bool { return x.Name == name }) {
			return
		}
		x, err := p.inspect(name, path)
		if err != nil {
			p.o.Log.Warn("a program is not offered", "name", name, "err", err)
			return
		}
		out = append(out, x)
	}
	// What the operator put there counts before what runs here.
	if p.o.Dir != "" {
		entries, err := os.ReadDir(p.o.Dir)
		if err != nil {
			p.o.Log.Warn("the directory of programs could not be read", "err", err)
		}
		for _, e := range entries {
			if _, _, ok := parts(e.Name()); ok {
				add(e.Name(), filepath.Join(p.o.Dir, e.Name()))
			}
		}
	}
	if p.o.Executable != "" {
		add(ownName(), p.o.Executable)
	}
	slices.SortFunc(out, func(a, b program) int { return cmp.Compare(a.Label, b.Label) })
	p.list, p.looked = out, now
	return out
}

func ownName() string {
	name := "sotto-" + runtime.GOOS + "-" + runtime.GOARCH
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return name
}

// parts takes a program's name apart.
func parts(name string) (system, arch string, ok bool) {
	rest, ok := strings.CutPrefix(name, "sotto-")
	if !ok {
		return "", "", false
	}
	rest, exe := strings.CutSuffix(rest, ".exe")
	system, arch, ok = strings.Cut(rest, "-")
	return system, arch, ok && word(system) && word(arch) && exe == (system == "windows")
}

func word(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 16
}

// inspect looks at a file and hashes it, unless it is as it was.
func (p *Page) inspect(name, path string) (x program, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return x, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxProgram {
		return x, errors.New("it is not a file that can be offered")
	}
	x = program{Name: name, File: "sotto", path: path, bytes: info.Size(), stamp: info.ModTime(), Size: size(info.Size())}
	x.OS, x.Arch, _ = parts(name)
	if x.OS == "windows" {
		x.File = "sotto.exe"
	}
	if x.Label = systems[x.OS+"-"+x.Arch]; x.Label == "" {
		x.Label = x.OS + " " + x.Arch
	}
	known := p.sums[path]
	if known.hex == "" || known.bytes != x.bytes || !known.stamp.Equal(x.stamp) {
		hash, err := hashOf(path)
		if err != nil {
			return x, err
		}
		known = sum{x.bytes, x.stamp, hash}
		p.sums[path] = known
	}
	x.Sum = known.hex
	return x, nil
}

func hashOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, maxProgram)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// open opens the program, if it is still the one whose hash is shown.
func (x program) open() (*os.File, error) {
	f, err := os.Open(x.path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (info.Size() != x.bytes || !info.ModTime().Equal(x.stamp)) {
		err = errors.New("it has changed, and is hashed anew in a moment")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func size(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
