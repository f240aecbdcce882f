package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

func page(t *testing.T, o Options) *Page {
	t.Helper()
	o.Host = func() string { return "example.org" }
	o.Log = slog.New(slog.DiscardHandler)
	if o.Admit == nil {
		o.Admit = func(*http.Request) error { return nil }
	}
	o.Refuse = func(w http.ResponseWriter, err error) { http.Error(w, err.Error(), http.StatusTooManyRequests) }
	o.Patient = func(w http.ResponseWriter) http.ResponseWriter { return w }
	return New(o)
}

func get(p *Page, method, path string) *http.Response {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w.Result()
}

func body(t *testing.T, r *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPage: the page asks nothing of anybody else, and holds nothing that its policy forbids.
func TestPage(t *testing.T) {
	p := page(t, Options{})
	for _, path := range []string{"/i", "/i/", "/i/page.css", "/i/page.js", "/i/mark.svg"} {
		r := get(p, "GET", path)
		if r.StatusCode != 200 || r.Header.Get("Content-Security-Policy") != Policy || r.Header.Get("ETag") == "" ||
			r.Header.Get("Set-Cookie") != "" || !strings.Contains(r.Header.Get("Cache-Control"), "max-age") {
			t.Errorf("%s: %d %v", path, r.StatusCode, r.Header)
		}
		b := body(t, r)
		if out := regexp.MustCompile(`(?i)https?://[a-z0-9]`).Find(bytes.ReplaceAll(b, []byte("http://www.w3.org/2000/svg"), nil)); out != nil {
			t.Errorf("%s reaches out: %q", path, out)
		}
		if bad := regexp.MustCompile(`(?i)innerHTML|insertAdjacent|document\.write|eval\(|fetch\(|XMLHttp|sendBeacon|WebSocket|localStorage|document\.cookie|@import|url\(`).Find(b); bad != nil {
			t.Errorf("%s has %q", path, bad)
		}
		head := get(p, "HEAD", path)
		if head.StatusCode != 200 || len(body(t, head)) != 0 || head.Header.Get("Content-Length") == "0" {
			t.Errorf("HEAD %s: %v", path, head.Header)
		}
		again := httptest.NewRequest("GET", path, nil)
		again.Header.Set("If-None-Match", r.Header.Get("ETag"))
		w := httptest.NewRecorder()
		if p.ServeHTTP(w, again); w.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", path, w.Code)
		}
	}
	text := string(body(t, get(p, "GET", "/i")))
	if bad := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|<script>|javascript:`).FindString(text); bad != "" {
		t.Errorf("the page has %q", bad)
	}
	if !strings.Contains(text, "To write on example.org") || !strings.Contains(text, "go build ./cmd/sotto") {
		t.Error("without scripts the page says neither which server nor how to build")
	}
	for _, x := range [][2]string{{"POST", "/i"}, {"GET", "/i/page.html"}, {"GET", "/i/programs/"}, {"GET", "/i/programs/sotto-linux-amd64"}, {"PUT", "/i/page.js"}, {"GET", "/i/files/page.js"}} {
		if r := get(p, x[0], x[1]); r.StatusCode < 400 {
			t.Errorf("%s %s: %d", x[0], x[1], r.StatusCode)
		}
	}
}

// TestTexts: each language has every text that the page marks, and every one that another has.
func TestTexts(t *testing.T) {
	js, err := files.ReadFile("files/page.js")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := files.ReadFile("files/page.html")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]map[string]bool{}
	for _, language := range []string{"de", "es"} {
		_, block, _ := strings.Cut(string(js), "    "+language+": {")
		block, _, _ = strings.Cut(block, "\n    },")
		have[language] = map[string]bool{}
		for _, m := range regexp.MustCompile(`(?:^|[\s,{])"?(\w+)"?: "`).FindAllStringSubmatch(block, -1) {
			have[language][m[1]] = true
		}
		for _, m := range regexp.MustCompile(`data-t="(\w+)"`).FindAllStringSubmatch(string(doc), -1) {
			if !have[language][m[1]] {
				t.Errorf("%s lacks %s", language, m[1])
			}
		}
	}
	for k := range have["de"] {
		if !have["es"][k] {
			t.Errorf("es lacks %s", k)
		}
	}
	if len(have["es"]) != len(have["de"]) || len(have["de"]) < 20 {
		t.Errorf("%d texts in es, %d in de", len(have["es"]), len(have["de"]))
	}
	for _, m := range regexp.MustCompile(`\bt\.(\w+)`).FindAllStringSubmatch(string(js), -1) {
		if !have["de"][m[1]] {
			t.Errorf("the script uses %s, which no language has", m[1])
		}
	}
}

// TestPrograms offers this program and those of a directory, each with its hash.
func TestPrograms(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(t.TempDir(), "sotto")
	put := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(own, "own program")
	put(filepath.Join(dir, "sotto-windows-amd64.exe"), "for windows")
	put(filepath.Join(dir, "sotto-plan9-mips"), "for <b>plan 9")
	for _, no := range []string{"sotto", "sotto-linux", "sotto-windows-arm64", "sotto-linux-arm64.exe", "sotto-linux-arm64.bak", "sotto-Linux-arm64", "other-linux-amd64", ".sotto-linux-arm64"} {
		put(filepath.Join(dir, no), "not offered")
	}
	if err := os.Mkdir(filepath.Join(dir, "sotto-linux-arm"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := page(t, Options{Executable: own, Dir: dir})
	text := html.UnescapeString(string(body(t, get(p, "GET", "/i"))))
	if n := strings.Count(text, "<li data-system="); n != 3 {
		t.Errorf("%d programs are offered:\n%s", n, text)
	}
	for name, want := range map[string]string{ownName(): "own program", "sotto-windows-amd64.exe": "for windows", "sotto-plan9-mips": "for <b>plan 9"} {
		r := get(p, "GET", "/i/programs/"+name)
		b, h := body(t, r), sha256.Sum256([]byte(want))
		if string(b) != want || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") || r.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: %q %v", name, b, r.Header)
		}
		if !strings.Contains(text, hex.EncodeToString(h[:])) {
			t.Errorf("%s: its hash is not shown", name)
		}
	}
	for _, no := range []string{"sotto-linux-arm", "sotto", "..%2f" + ownName(), "sotto-linux-arm64.bak"} {
		if r := get(p, "GET", "/i/programs/"+no); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", no, r.StatusCode)
		}
	}
	// A program that is being replaced is not sent under the hash of the old one.
	put(own, "another program")
	if r := get(p, "GET", "/i/programs/"+ownName()); r.StatusCode != http.StatusInternalServerError {
		t.Errorf("%d", r.StatusCode)
	}
	p.looked = time.Time{}
	if r := get(p, "GET", "/i/programs/"+ownName()); string(body(t, r)) != "another program" {
		t.Error("the new one is not offered")
	}
	// What the operator put there counts before what runs here.
	put(filepath.Join(dir, ownName()), "chosen")
	p.looked = time.Time{}
	if r := get(p, "GET", "/i/programs/"+ownName()); string(body(t, r)) != "chosen" {
		t.Errorf("the operator's own %s program is not offered", runtime.GOOS)
	}
	p = page(t, Options{Executable: own, Dir: dir, Off: true})
	if r := get(p, "GET", "/i/programs/"+ownName()); r.StatusCode != http.StatusNotFound || strings.Contains(string(body(t, get(p, "GET", "/i"))), "data-system=\"") {
		t.Error("programs are offered although they are switched off")
	}
	p = page(t, Options{Executable: own, Admit: func(*http.Request) error { return errors.New("too often") }})
	if r := get(p, "GET", "/i/programs/"+ownName()); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("%d", r.StatusCode)
	}
}
