package app

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/play"
)

// TestForeignPages has pages of other origins, names that were made to lead here, and
// other programs on this machine ask for everything a window may.
func TestForeignPages(t *testing.T) {
	d := deskOf(play.New(t), "ana")
	for name, c := range map[string]struct {
		change func(*http.Request)
		status int
		code   string
	}{
		"another origin":         {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403, "wrong origin"},
		"no origin of a sandbox": {func(r *http.Request) { r.Header.Set("Origin", "null") }, 403, "wrong origin"},
		"another port": {func(r *http.Request) {
			r.Header.Set("Origin", "http://127.0.0.1:1")
			r.Header.Set("Sec-Fetch-Site", "same-site")
		}, 403, "wrong origin"},
		"localhost":           {func(r *http.Request) { r.Host = strings.Replace(r.Host, "127.0.0.1", "localhost", 1) }, 421, "wrong host"},
		"rebinding":           {func(r *http.Request) { r.Host = "evil.example" }, 421, "wrong host"},
		"rebinding, our port": {func(r *http.Request) { r.Host = "evil.example:" + r.URL.Port() }, 421, "wrong host"},
		"cross site":          {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403, "wrong origin"},
		"same site":           {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403, "wrong origin"},
		"typed into the bar":  {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, 403, "wrong origin"},
		"no header":           {func(r *http.Request) { r.Header.Del(keyHeader) }, 403, "wrong origin"},
		"another key":         {func(r *http.Request) { r.Header.Set(keyHeader, secret()) }, 401, "not authenticated"},
		"key none":            {func(r *http.Request) { r.Header.Set(keyHeader, "none") }, 401, "not authenticated"},
		"another cookie":      {func(r *http.Request) { r.Header.Set("Cookie", d.app.cookieName()+"="+secret()) }, 401, "not authenticated"},
		"a cookie, key in the query": {func(r *http.Request) {
			r.Header.Del(keyHeader)
			r.URL.RawQuery = "key=" + d.key
		}, 403, "wrong origin"},
	} {
		for _, route := range api.Routes {
			if route.Name == "openSession" && (name == "another key" || name == "key none" || name == "another cookie") {
				continue // that is how one begins
			}
			path := strings.NewReplacer("{room}", strings.Repeat("0", 64), "{account}", strings.Repeat("0", 64),
				"{message}", strings.Repeat("0", 64), "{link}", strings.Repeat("0", 32), "{knock}", "1").Replace(route.Path)
			if name == "a cookie, key in the query" && route.Out == (api.Binary{}) {
				continue // pictures and downloads may
			}
			r := d.request(route.Method, path, nil)
			cookies := d.http.Jar
			c.change(r)
			if name == "another cookie" {
				d.http.Jar = nil
			}
			status, b, h := d.do(r)
			d.http.Jar = cookies
			var f api.Failure
			read(t, b, &f)
			if status != c.status || f.Code != c.code {
				t.Errorf("%s, %s %s: %d %s", name, route.Method, path, status, b)
			}
			for header := range h {
				if strings.HasPrefix(header, "Access-Control") {
					t.Errorf("%s, %s: the header %s", name, path, header)
				}
			}
		}
	}
	for _, path := range []string{"/rooms", "/session"} { // what a browser asks before a page of another origin may
		r := d.request("OPTIONS", path, nil)
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", keyHeader)
		if status, _, h := d.do(r); status/100 == 2 || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("OPTIONS %s: %d %v", path, status, h)
		}
	}
	if d.state().Phase != api.PhaseOpen {
		t.Error("something got through")
	}
	r := d.request("POST", "/quit", nil)
	r.Header.Del("Origin") // a form, or a program
	d.refusedAs(r, "wrong origin")
}

// TestEmbedded has a page elsewhere load our files as a part of itself.
func TestEmbedded(t *testing.T) {
	d := newDesk(play.New(t), "ana")
	for mode, want := range map[string]int{"no-cors": 403, "cors": 403, "navigate": 200} {
		r, _ := http.NewRequest("GET", "http://"+d.app.Address()+"/", nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", mode)
		if status, _, _ := d.do(r); status != want {
			t.Errorf("%s: %d", mode, status)
		}
	}
}

// TestTokens opens windows with tokens that were used, are old, or never were.
func TestTokens(t *testing.T) {
	w := play.New(t)
	d := newDesk(w, "ana")
	_, token, _ := strings.Cut(d.app.Opening(), "#open=")
	thief := *d
	thief.http, thief.key = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "none"
	var s api.Session
	thief.must("POST", "/session", api.OpenSession{Token: token}, &s)
	thief.refused("POST", "/session", api.OpenSession{Token: token}, "not authenticated") // stolen, but used
	_, token, _ = strings.Cut(d.app.Opening(), "#open=")
	w.Clock.Advance(tokenLife + time.Second)
	thief.refused("POST", "/session", api.OpenSession{Token: token}, "not authenticated")
	for guesses := 0; ; guesses++ {
		status, _, _ := thief.do(thief.request("POST", "/session", api.OpenSession{Token: secret()}))
		if status == http.StatusTooManyRequests {
			break
		}
		if guesses > maxWrong {
			t.Fatal("guessing is not slowed")
		}
	}
	thief.refused("POST", "/session", api.OpenSession{Token: secret()}, "slow down")
	_, token, _ = strings.Cut(d.app.Opening(), "#open=")
	thief.must("POST", "/session", api.OpenSession{Token: token}, &s) // guessing shuts nobody out
	_, token, _ = strings.Cut(d.app.Opening(), "#open=")
	before := d.key
	d.must("POST", "/session", api.OpenSession{Token: token}, &s) // a second window of the same browser
	if s.Key != before {
		t.Error("a window with a session got another one")
	}
	thief.refused("POST", "/session", api.OpenSession{Token: token}, "slow down") // and the token is spent
	w.Clock.Advance(sessionLife + time.Hour)
	d.refused("GET", "/state", nil, "not authenticated")
	d.window()
	d.state()
}

// TestCookie looks at the cookie, and takes it to the app of another home.
func TestCookie(t *testing.T) {
	w := play.New(t)
	ana, bo := newDesk(w, "ana"), newDesk(w, "bo")
	_, token, _ := strings.Cut(ana.app.Opening(), "#open=")
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r := ana.request("POST", "/session", api.OpenSession{Token: token})
	answer, err := fresh.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	cookies := answer.Cookies()
	if len(cookies) != 1 {
		t.Fatal(cookies)
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.MaxAge <= 0 || len(c.Value) != 43 {
		t.Errorf("%+v", c)
	}
	if ana.app.cookieName() == bo.app.cookieName() {
		t.Error("two homes have the same cookie")
	}
	stolen := bo.request("GET", "/state", nil)
	stolen.Header.Set(keyHeader, ana.key)
	for _, c := range ana.http.Jar.Cookies(ana.request("GET", "/", nil).URL) {
		stolen.AddCookie(c)
		stolen.AddCookie(&http.Cookie{Name: bo.app.cookieName(), Value: c.Value})
	}
	status, b, _ := func() (int, []byte, http.Header) {
		bo.http.Jar = nil
		return bo.do(stolen)
	}()
	if status != 401 {
		t.Errorf("ana's session works at bo's: %d %s", status, b)
	}
}

// TestSecretsAtRest looks for what opens a session in the home and in the app's memory.
func TestSecretsAtRest(t *testing.T) {
	d := newDesk(play.New(t), "ana")
	var cookie string
	for _, c := range d.http.Jar.Cookies(d.request("GET", "/", nil).URL) {
		cookie = c.Value
	}
	err := filepath.WalkDir(d.home, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), cookie) || strings.Contains(string(b), d.key) {
			t.Errorf("a session's secret stands in %s", path)
		}
		if info, _ := e.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	d.app.sessions.mu.Lock()
	defer d.app.sessions.mu.Unlock()
	if dump := fmt.Sprintf("%v %v", d.app.sessions.open, d.app.sessions.tokens); strings.Contains(dump, cookie) {
		t.Error("a session's secret is kept")
	}
}

// TestPolicy looks at the headers of pages and answers, and reports a violation.
func TestPolicy(t *testing.T) {
	d := newDesk(play.New(t), "ana", func(o *Options) {
		o.UI = fstest.MapFS{
			"index.html": {Data: []byte("<!doctype html>page")}, "assets/a-12345678.js": {Data: []byte("plain")},
			"assets/a-12345678.js.br": {Data: []byte("brotli")}, "assets/a-12345678.js.gz": {Data: []byte("gzip")}, "secret.map": {Data: []byte("x")},
		}
	})
	get := func(path, encoding string) (int, string, http.Header) {
		r, _ := http.NewRequest("GET", "http://"+d.app.Address()+path, nil)
		r.Header.Set("Accept-Encoding", encoding)
		status, b, h := d.do(r)
		return status, string(b), h
	}
	status, body, h := get("/", "identity")
	if status != 200 || body != "<!doctype html>page" || h.Get("Cache-Control") != "no-cache" {
		t.Errorf("%d %q %v", status, body, h)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": policy, "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Cross-Origin-Embedder-Policy": "require-corp", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %q", name, h.Get(name))
		}
	}
	for encoding, want := range map[string]string{"identity": "plain", "gzip": "gzip", "gzip, deflate, br": "brotli", "br;q=0, gzip": "gzip"} {
		if _, body, h := get("/assets/a-12345678.js", encoding); body != want || !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Content-Type") != kinds[".js"] {
			t.Errorf("%s: %q %v", encoding, body, h)
		}
	}
	for _, path := range []string{"/secret.map", "/assets/a-12345678.js.br", "/../key", "/assets", "/none.js"} {
		if status, _, _ := get(path, "identity"); status == 200 {
			t.Errorf("%s is served", path)
		}
	}
	for path, page := range map[string]bool{"/r/00ff": true, "/to/ana@example.org": true, "/to/ana@host.js": true, "/you/privacy": true, "/assets/none.js": false, "/assets": false} {
		r, _ := http.NewRequest("GET", "http://"+d.app.Address()+path, nil)
		r.Header.Set("Accept", "text/html,application/xhtml+xml")
		status, b, h := d.do(r)
		if got := status == 200 && string(b) == "<!doctype html>page" && h.Get("Cache-Control") == "no-cache"; got != page {
			t.Errorf("going to %s: %d %s", path, status, b)
		}
	}
	if _, _, h := d.do(d.request("GET", "/state", nil)); h.Get("Cache-Control") != "no-store" || h.Get("Content-Security-Policy") != apiPolicy || !strings.HasPrefix(h.Get("Content-Type"), "application/json") {
		t.Error(h)
	}
	report := func(kind, body string) int {
		r, _ := http.NewRequest("POST", "http://"+d.app.Address()+reportPath, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		status, _, _ := d.do(r)
		return status
	}
	if s := report("application/csp-report", `{"csp-report":{"document-uri":"p","effective-directive":"script-src","blocked-uri":"inline"}}`); s != 204 {
		t.Error(s)
	}
	if s := report("application/reports+json", `[{"type":"csp-violation","body":{"documentURL":"p","effectiveDirective":"img-src","blockedURL":"https://evil.example"}}]`); s != 204 {
		t.Error(s)
	}
	if s := report("text/plain", `{}`); s != 400 {
		t.Error(s)
	}
	var list []api.Violation
	d.must("GET", "/violations", nil, &list)
	if len(list) != 2 || list[0].Directive != "script-src" || list[1].Blocked != "https://evil.example" {
		t.Errorf("%+v", list)
	}
}

// TestSocket is the API for this user's programs.
func TestSocket(t *testing.T) {
	d := newDesk(play.New(t), "ana")
	info, err := os.Stat(filepath.Join(d.home, apiFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	c := d.socket()
	answer, err := c.Post("http://app/api/v1/openings", "application/json", strings.NewReader(`{"link":"https://example.org/i#x"}`))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	var o api.Opening
	read(t, b, &o)
	if !strings.HasPrefix(o.URL, "http://"+d.app.Address()+"/#open=") {
		t.Error(o)
	}
	if s := d.state(); s.Invitation != "https://example.org/i#x" {
		t.Errorf("%+v", s)
	}
	d.refused("POST", "/openings", api.NewOpening{}, "not yours")
	answer, err = c.Get("http://app/")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 404 {
		t.Error("there is an interface on the socket", answer.StatusCode)
	}
}

// TestPort is kept from one start to the next.
func TestPort(t *testing.T) {
	d := newDesk(play.New(t), "ana")
	before := d.app.Address()
	d.end()
	d.start()
	if d.app.Address() != before {
		t.Errorf("%s, then %s", before, d.app.Address())
	}
	d.end()
	ln, err := net.Listen("tcp4", before)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	d.start()
	if d.app.Address() == before {
		t.Error("two listen at the same port")
	}
	if _, err := New(Options{Home: d.home, Custody: cheap(d.home)}); err != ErrRunning {
		t.Error("two apps hold one home:", err)
	}
}

// TestJunk sends what is no HTTP.
func TestJunk(t *testing.T) {
	d := newDesk(play.New(t), "ana")
	for _, junk := range []string{"\x16\x03\x01", "GET / HTTP/1.0\r\n\r\n", "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"} {
		c, err := net.Dial("tcp", d.app.Address())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, junk)
		c.(*net.TCPConn).CloseWrite()
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil && answer.StatusCode/100 == 2 {
			t.Errorf("%q: %d", junk, answer.StatusCode)
		}
		c.Close()
	}
	d.state()
}
