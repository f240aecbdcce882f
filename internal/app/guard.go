package app

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"strings"

	"sotto/internal/app/api"
	"sotto/internal/explain"
)

// What a request on loopback has to show. Everything is needed: a page elsewhere can make
// the browser send cookies (though not SameSite=Strict ones) but neither the header nor
// the Origin; another program on this machine can send any header but knows no key; and
// the browser itself shows the cookie to whatever else listens on 127.0.0.1, since
// cookies know no ports (RFC 6265, 8.5), but not the key.
const (
	keyHeader  = "Sotto-Key"
	keyQuery   = "key" // of pictures and downloads, which an element loads by itself
	reportPath = "/csp"
	apiPrefix  = "/api/v1"
)

// policy is what pages of the interface may do: nothing but show themselves and talk to
// the origin that they came from. Trusted Types leave no policy at all: nothing in the
// interface makes elements of text (docs/decisions/0025).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"font-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'; report-uri " + reportPath + "; report-to csp"

// apiPolicy is for answers that are no page, should a browser show one as such.
const apiPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"

// permissions switches off what the interface does not use. Calls use microphone, camera and
// screen; the camera reads QR codes, too.
const permissions = "accelerometer=(), autoplay=(self), camera=(self), display-capture=(self), encrypted-media=(), fullscreen=(self), " +
	"geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(self), midi=(), payment=(), publickey-credentials-get=(), " +
	"screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"

func (a *App) headers(h http.Header, csp string) {
	h.Set("Content-Security-Policy", csp)
	h.Set("Reporting-Endpoints", `csp="`+reportPath+`"`)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Embedder-Policy", "require-corp")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", permissions)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

// guarded is everything that is served on loopback.
func (a *App) guarded() http.Handler {
	files := a.interfaceFiles()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isAPI := strings.HasPrefix(r.URL.Path, "/api/")
		if isAPI {
			a.headers(w.Header(), apiPolicy)
			w.Header().Set("Cache-Control", "no-store")
		} else {
			a.headers(w.Header(), policy)
		}
		switch {
		case r.Host != a.address: // a name that was made to lead here (DNS rebinding)
			refuse(w, http.StatusMisdirectedRequest, api.Failure{Code: "wrong host", Text: "this address is not sotto's"})
		case r.URL.Path == reportPath && r.Method == http.MethodPost:
			a.takeReport(w, r)
		case isAPI:
			if f := a.foreign(r); f != nil {
				refuse(w, http.StatusForbidden, *f)
				return
			}
			if !a.opens(r) && !a.allowed(r) {
				refuse(w, http.StatusUnauthorized, api.Failure{Code: "not authenticated", Text: "this window is not open any more: open sotto again"})
				return
			}
			a.answer(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			refuse(w, http.StatusMethodNotAllowed, api.Failure{Code: "unknown operation", Text: "there is only reading here"})
		case embedded(r):
			refuse(w, http.StatusForbidden, api.Failure{Code: "wrong origin", Text: "another page asks for this"})
		default:
			files.ServeHTTP(w, r)
		}
	})
}

// trusted is everything that is served on the unix socket, where only this user's
// programs get. A browser cannot reach it.
func (a *App) trusted() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.headers(w.Header(), apiPolicy)
		w.Header().Set("Cache-Control", "no-store")
		a.answer(w, r.WithContext(withLocal(r.Context())))
	})
}

// foreign says why a request to the API comes from somewhere else than the interface.
func (a *App) foreign(r *http.Request) *api.Failure {
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	switch {
	case origin != "" && origin != "http://"+a.address,
		origin == "" && r.Method != http.MethodGet, // browsers always name it then
		site != "" && site != "same-origin":
		return &api.Failure{Code: "wrong origin", Text: "another page or program asks for this"}
	case keyOf(r) == "":
		return &api.Failure{Code: "wrong origin", Text: "the header " + keyHeader + " is missing"}
	}
	return nil
}

// embedded says whether another page loads a file of the interface as a part of itself.
func embedded(r *http.Request) bool {
	site, mode := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Sec-Fetch-Mode")
	return site != "" && site != "same-origin" && site != "none" && mode != "navigate"
}

// opens says whether a request exchanges a token, which needs no session yet.
func (a *App) opens(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == apiPrefix+"/session"
}

// keyOf is the key that a request shows. A picture or a download, which an element of the
// page loads by itself, shows it in its query.
func keyOf(r *http.Request) string {
	if k := r.Header.Get(keyHeader); k != "" {
		return k
	}
	if r.Method == http.MethodGet && (path.Base(r.URL.Path) == "picture" || r.URL.Path == apiPrefix+"/export" || r.URL.Path == apiPrefix+"/backups/file") {
		return r.URL.Query().Get(keyQuery)
	}
	return ""
}

func (a *App) allowed(r *http.Request) bool {
	c, err := r.Cookie(a.cookieName())
	return err == nil && a.sessions.valid(c.Value, keyOf(r))
}

// cookieName is bound to the home: several homes are served by one computer, and cookies
// know no ports.
func (a *App) cookieName() string {
	h := sha256.Sum256([]byte("sotto home " + a.o.Home))
	return "sotto-session-" + hex.EncodeToString(h[:6])
}

// openSession exchanges the token of the opening address. A wrong one costs nothing but
// the answer, so that nobody can shut the person out by guessing; the guesses are slowed.
func openSession(c *call, in api.OpenSession) (api.Session, error) {
	a := c.app
	if c.local {
		return api.Session{}, explain.Refuse("malformed", "no session is needed here")
	}
	if a.allowed(c.r) { // it keeps what it has: other windows of this browser use it too
		a.sessions.spend(in.Token)
		return api.Session{Key: keyOf(c.r)}, nil
	}
	cookie, key, ok := a.sessions.exchange(in.Token)
	if !ok {
		if d := a.limit.wait("token"); d > 0 {
			return api.Session{}, slowDown(d)
		}
		a.limit.miss("token")
		return api.Session{}, explain.Refuse("not authenticated", "this address was used already, or its two minutes are over: open sotto again")
	}
	http.SetCookie(c.w, &http.Cookie{
		Name: a.cookieName(), Value: cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(sessionLife.Seconds()),
	})
	return api.Session{Key: key}, nil
}
