package app

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"sotto/internal/app/api"
	"sotto/internal/play"
)

// TestHandlers holds the table of handlers to the table of routes: by name, and by the
// types of what they take and answer.
func TestHandlers(t *testing.T) {
	names := map[string]bool{}
	for _, r := range api.Routes {
		names[r.Name] = true
		h, ok := handlers[r.Name]
		if !ok {
			t.Errorf("%s has no handler", r.Name)
			continue
		}
		in := r.In
		if in == nil {
			in = r.Query
		}
		if r.In != nil && r.Query != nil {
			t.Errorf("%s has a body and a query", r.Name)
		}
		if want := reflect.TypeOf(in); h.in != want {
			t.Errorf("%s takes %v, and its handler %v", r.Name, want, h.in)
		}
		if want := reflect.TypeOf(r.Out); h.out != want {
			t.Errorf("%s answers %v, and its handler %v", r.Name, want, h.out)
		}
	}
	for name := range handlers {
		if !names[name] {
			t.Errorf("the handler %s has no route", name)
		}
	}
}

// TestStrict sends what is almost right.
func TestStrict(t *testing.T) {
	d := deskOf(play.New(t), "ana")
	var self api.Room
	d.must("POST", "/rooms/self", nil, &self)
	post := func(path, kind, body string) *http.Request {
		r := d.request("POST", path, nil)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Type", kind)
		return r
	}
	const js = "application/json"
	for _, c := range []struct{ path, kind, body, field string }{
		{"/messages", js, ``, ""},
		{"/messages", js, `null`, ""},
		{"/messages", js, `[]`, ""},
		{"/messages", js, `"text"`, ""},
		{"/messages", js, `{`, ""},
		{"/messages", js, `{"to":"x","text":"y"} `, "ok"}, // white space may follow
		{"/messages", js, `{"to":"x","text":"y"}{}`, ""},
		{"/messages", js, `{"to":"x","text":"y","more":1}`, "more"},
		{"/messages", js, `{"to":"x","text":"y","text":"z"}`, "text"},
		{"/messages", js, `{"to":"x","Text":"y"}`, "Text"},
		{"/messages", js, `{"to":"x"}`, "text"},
		{"/messages", js, `{"to":"x","text":null}`, "text"},
		{"/messages", js, `{"to":"x","text":7}`, "text"},
		{"/messages", js, "{\"to\":\"x\",\"text\":\"\xff\"}", ""},
		{"/messages", js, `{"to":"x","text":"y","expire":1.5}`, "expire"},
		{"/messages", js, `{"to":"x","text":"y","expire":99999999999999999999}`, "expire"},
		{"/messages", js, `{"to":"x","text":"y","expire":-1}`, "expire"},
		{"/messages", js, `{"to":"x","text":""}`, "text"},
		{"/messages", js, `{"to":"x","text":"y","reply":"zz"}`, "reply"},
		{"/messages", "text/plain", `{"to":"x","text":"y"}`, ""},
		{"/messages", "application/x-www-form-urlencoded", `to=x&text=y`, ""},
		{"/messages", js, `{"to":"x","text":"` + strings.Repeat("y", maxBody) + `"}`, ""},
		{"/lock", js, `{}`, ""},
		{"/rooms/self?x=1", js, ``, "x"},
		{"/rooms/" + self.ID + "/typing", js, `{}`, "on"},
	} {
		r := post(c.path, c.kind, c.body)
		if i := strings.Index(c.path, "?"); i >= 0 {
			r = d.request("POST", c.path, nil)
		}
		if c.field == "ok" {
			d.refusedAs(r, "no such room")
			continue
		}
		if f := d.refusedAs(r, "malformed"); f.Field != c.field {
			t.Errorf("%s %.60s: the field %q, not %q", c.path, c.body, f.Field, c.field)
		}
	}
	for path, field := range map[string]string{
		"/rooms?archived=1":                                "archived",
		"/rooms?archived=true&archived=false":              "archived",
		"/rooms?Archived=true":                             "Archived",
		"/rooms?key=x":                                     "key",
		"/rooms?%zz":                                       "",
		"/rooms/" + self.ID + "/messages?limit=x":          "limit",
		"/rooms/" + self.ID + "/messages?limit=500":        "limit",
		"/rooms/" + self.ID + "/messages?before=-1":        "",
		"/rooms/" + self.ID + "/messages?before=1&after=2": "",
		"/rooms/" + self.ID + "/messages?around=xx":        "around",
		"/rooms/" + strings.ToUpper(self.ID):               "room",
		"/rooms/" + self.ID[:10]:                           "room",
		"/messages/xyz":                                    "message",
		"/people/xyz":                                      "account",
		"/qr":                                              "text",
		"/qr?text=" + strings.Repeat("x", 3000):            "text",
		"/notices?room=1":                                  "room",
	} {
		if f := d.refused("GET", path, nil, "malformed"); f.Field != field {
			t.Errorf("%s: the field %q, not %q", path, f.Field, field)
		}
	}
	r := d.request("GET", "/state", nil)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), 2
	d.refusedAs(r, "malformed")
	d.refused("GET", "/nothing", nil, "unknown operation")
	d.refused("PUT", "/rooms", nil, "unknown operation")
	for _, path := range []string{"/rooms/../state", "//state", "/state/"} {
		if status, _, _ := d.do(d.request("GET", path, nil)); status == 200 {
			t.Errorf("%s is answered", path)
		}
	}
	d.refused("GET", "/rooms/"+strings.Repeat("0", 64), nil, "no such room")
	d.refused("GET", "/messages/"+strings.Repeat("0", 64), nil, "no such message")
	d.refused("GET", "/people/"+strings.Repeat("0", 64)+"/picture", nil, "no such picture")
}

// TestWhole has no null where a list is.
func TestWhole(t *testing.T) {
	w := newRecorder()
	reply(w, 200, api.PersonDetail{Rooms: []api.Room{{}}})
	if s := w.body.String(); strings.Contains(s, "null") || !strings.Contains(s, `"devices":[]`) {
		t.Error(s)
	}
}

type recorder struct {
	h    http.Header
	body strings.Builder
	code int
}

func newRecorder() *recorder                    { return &recorder{h: http.Header{}, code: 200} }
func (r *recorder) Header() http.Header         { return r.h }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) WriteHeader(code int)        { r.code = code }

// FuzzDispatch sends anything to every route of an app in first run, and of one that is
// locked: nothing panics, every refusal is a Failure with a code.
func FuzzDispatch(f *testing.F) {
	for i, r := range api.Routes {
		f.Add(i, r.Path, "", `{}`)
		f.Add(i, strings.NewReplacer("{room}", strings.Repeat("a", 64), "{account}", strings.Repeat("b", 64), "{message}", strings.Repeat("c", 64)).Replace(r.Path), "limit=3&v=1", `{"text":"x","to":"y"}`)
	}
	var a *App
	home := f.TempDir()
	setup := func(t *testing.T) {
		if a != nil {
			return
		}
		a = &App{o: Options{Home: home, Custody: cheap(home), Clock: systemClock{}}, log: discard, phase: api.PhaseLocked,
			sessions: newSessions(systemClock{}), events: newBroker(), reports: &reports{}, limit: newLimiter(systemClock{}), quit: make(chan struct{})}
		a.events.close() // a stream ends at once
		a.windows = newWindows(systemClock{}, func(bool) {})
		a.keyring = func() bool { return false }
		if err := a.o.Custody.Make(); err != nil {
			t.Fatal(err)
		}
		a.mux = a.routes()
	}
	f.Cleanup(func() {
		if a != nil {
			a.windows.close()
		}
	})
	f.Fuzz(func(t *testing.T, i int, path, query, body string) {
		setup(t)
		r := api.Routes[((i%len(api.Routes))+len(api.Routes))%len(api.Routes)]
		q, err := http.NewRequest(r.Method, "http://x/", strings.NewReader(body))
		if err != nil {
			return
		}
		q.URL.Path, q.URL.RawQuery = apiPrefix+path, query
		q.Header.Set("Content-Type", "application/json")
		w := newRecorder()
		a.trusted().ServeHTTP(w, q)
		if w.code >= 400 && !strings.Contains(w.body.String(), `"code"`) {
			t.Fatal(fmt.Sprint(w.code, w.body.String()))
		}
	})
}

// FuzzUnmarshal reads bodies.
func FuzzUnmarshal(f *testing.F) {
	f.Add(`{"to":"x","text":"y"}`)
	f.Add(`{"to":"x","text":"y","expire":1e3}`)
	f.Add(`{"to":{"a":[1,2]},"text":"\ud800"}`)
	f.Fuzz(func(t *testing.T, s string) {
		var m api.NewMessage
		_ = unmarshal([]byte(s), reflect.ValueOf(&m))
		_ = plain(s)
		_, _ = qrRows(s)
		_ = readReports("application/reports+json", []byte(s))
	})
}
