package app

import (
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"sotto/docs"
)

// kinds are the files an interface is made of. Others are not served.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp", ".ico": "image/x-icon",
	".txt": "text/plain; charset=utf-8", ".ogg": "audio/ogg", ".wav": "audio/wav", ".webmanifest": "application/manifest+json",
}

// unbuilt is shown where the interface is not in the program.
const unbuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>sotto</title>
<h1>sotto runs, but this program was built without its interface.</h1>
<p>Build it with <code>make</code>, which needs Node, and start sotto again. The command line works meanwhile: <code>sotto --help</code>.</p>
</html>
`

// interfaceFiles serves the built interface. Files under assets have their content's hash
// in their name and are kept by the browser; everything else is asked for each time.
func (a *App) interfaceFiles() http.Handler {
	files := a.o.UI
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if name == "" {
			name = "index.html"
		}
		if isPage(r, name, files) {
			name = "index.html"
		}
		kind := kinds[path.Ext(name)]
		switch {
		case files == nil && name == "index.html":
			w.Header().Set("Content-Type", kinds[".html"])
			w.Header().Set("Cache-Control", "no-store")
			w.Write([]byte(unbuilt))
			return
		case files == nil || kind == "" || !fs.ValidPath(name):
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		if strings.HasPrefix(name, "assets/") {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		serveFile(w, r, files, name, kind)
	})
}

// isPage says whether somebody goes to a place of the interface, which has an address but
// is no file: /r/ROOM, /to/ana@example.org. The page then reads where it is by itself.
func isPage(r *http.Request, name string, files fs.FS) bool {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") || name == "assets" || strings.HasPrefix(name, "assets/") {
		return false
	}
	if files == nil || kinds[path.Ext(name)] == "" || !fs.ValidPath(name) {
		return true
	}
	_, err := fs.Stat(files, name)
	return err != nil
}

// serveFile serves a file, as it was compressed when the interface was built if the
// browser takes that.
func serveFile(w http.ResponseWriter, r *http.Request, files fs.FS, name, kind string) {
	w.Header().Add("Vary", "Accept-Encoding")
	for _, c := range []struct{ encoding, ending string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(r.Header.Get("Accept-Encoding"), c.encoding) {
			continue
		}
		if b, err := fs.ReadFile(files, name+c.ending); err == nil {
			w.Header().Set("Content-Encoding", c.encoding)
			write(w, r, kind, b)
			return
		}
	}
	b, err := fs.ReadFile(files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	write(w, r, kind, b)
}

func write(w http.ResponseWriter, r *http.Request, kind string, b []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	if r.Method != http.MethodHead {
		w.Write(b)
	}
}

// accepts says whether an Accept-Encoding names an encoding without forbidding it.
func accepts(header, encoding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, err := mime.ParseMediaType("x/" + strings.TrimSpace(part))
		if err == nil && name == "x/"+encoding {
			return params["q"] != "0" && params["q"] != "0.0"
		}
	}
	return false
}

func serveOpenAPI(w http.ResponseWriter, r *http.Request) {
	write(w, r, "application/json", docs.OpenAPI)
}
