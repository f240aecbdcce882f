// Package page is what a browser gets that follows an invitation link: one page that reads
// the link's fragment in the browser, and the programs that this server offers to visitors.
// internal/server mounts it. It must never know what a link says: the fragment stays in the
// browser, nothing is asked of any other host, and looking spends nothing.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

//go:embed files
var files embed.FS

// Policy is the page's content security policy: scripts and styles of its own files only,
// and nothing to send anything to.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Options of a Page.
type Options struct {
	Host       func() string // of the server, for visitors without scripts
	Log        *slog.Logger
	Off        bool   // offer no programs
	Dir        string // of programs named sotto-GOOS-GOARCH[.exe]; "": none
	Executable string // this program itself, offered for the system that it runs on; "": it is not
	// Admit counts a download, or refuses it; Refuse answers with its error.
	Admit  func(r *http.Request) error
	Refuse func(w http.ResponseWriter, err error)
	// Patient wraps an answer so that a slow line may take long and a silent one may not.
	Patient func(w http.ResponseWriter) http.ResponseWriter
}

// Page serves /i and what stands under it. Safe for concurrent use.
type Page struct {
	o    Options
	html *template.Template
	mux  *http.ServeMux

	mu     sync.Mutex
	sums   map[string]sum // of programs, by path
	looked time.Time
	list   []program
	slots  chan struct{} // downloads at a time
}

// maxDownloads is how many programs go out at a time, to all visitors together.
const maxDownloads = 64

// cached is how long a browser may show what it has got without asking again.
const cached = "public, max-age=300"

// New makes the page.
func New(o Options) *Page {
	p := &Page{
		o: o, html: template.Must(template.ParseFS(files, "files/page.html")),
		mux: http.NewServeMux(), sums: map[string]sum{}, slots: make(chan struct{}, maxDownloads),
	}
	p.mux.HandleFunc("GET /i", p.serve)
	p.mux.HandleFunc("GET /i/{$}", p.serve)
	for name, kind := range map[string]string{
		"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8", "mark.svg": "image/svg+xml",
	} {
		b, err := files.ReadFile("files/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		p.mux.HandleFunc("GET /i/"+name, func(w http.ResponseWriter, r *http.Request) { send(w, r, kind, b) })
	}
	p.mux.HandleFunc("GET /i/programs/{name}", p.download)
	return p
}

// ServeHTTP serves GET and HEAD.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", Policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex")
	p.mux.ServeHTTP(w, r)
}

func (p *Page) serve(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	err := p.html.Execute(&b, struct {
		Host     string
		Programs []program
	}{p.o.Host(), p.programs()})
	if err != nil {
		p.o.Log.Error("the invitation page could not be made", "err", err)
		http.Error(w, "something went wrong at the server", http.StatusInternalServerError)
		return
	}
	send(w, r, "text/html; charset=utf-8", b.Bytes())
}

// send answers with bytes that browsers may keep for a while.
func send(w http.ResponseWriter, r *http.Request, kind string, b []byte) {
	h := sha256.Sum256(b)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", cached)
	w.Header().Set("ETag", `"`+hex.EncodeToString(h[:16])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}

// download sends a program.
func (p *Page) download(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	var found *program
	for _, x := range p.programs() {
		if x.Name == name {
			found = &x
			break
		}
	}
	if found == nil {
		http.Error(w, "this server has no such program", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodHead {
		if err := p.o.Admit(r); err != nil {
			p.o.Refuse(w, err)
			return
		}
		select {
		case p.slots <- struct{}{}:
			defer func() { <-p.slots }()
		default:
			w.Header().Set("Retry-After", "60")
			http.Error(w, "many people are downloading at the moment; try again in a minute", http.StatusServiceUnavailable)
			return
		}
	}
	f, err := found.open()
	if err != nil {
		p.o.Log.Error("a program could not be opened", "name", name, "err", err)
		http.Error(w, "something went wrong at the server", http.StatusInternalServerError)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", found.File))
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+found.Sum+`"`)
	http.ServeContent(p.o.Patient(w), r, "", time.Time{}, f)
}

// Paths says whether a request is the page's.
func Paths(path string) bool { return path == "/i" || strings.HasPrefix(path, "/i/") }
