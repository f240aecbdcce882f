package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"reflect"
	"strconv"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/explain"
)

// call is one request of a route.
type call struct {
	app   *App
	c     *client.Client // nil while locked, and for handlers that are free
	ctx   context.Context
	w     http.ResponseWriter
	r     *http.Request
	local bool // it came through the unix socket
	wrote bool // the handler writes the answer itself
}

// handler does one route. in is what the route's In or Query is decoded to.
type handler struct {
	in, out reflect.Type // nil: none
	run     func(c *call, in any) (any, error)
	free    bool // it changes the phase: it does not take part in what is open
}

func does(f func(*call) error) handler {
	return handler{run: func(c *call, _ any) (any, error) { return nil, f(c) }}
}

func gives[Out any](f func(*call) (Out, error)) handler {
	return handler{out: reflect.TypeFor[Out](), run: func(c *call, _ any) (any, error) { return f(c) }}
}

func takes[In any](f func(*call, In) error) handler {
	return handler{in: reflect.TypeFor[In](), run: func(c *call, in any) (any, error) { return nil, f(c, *in.(*In)) }}
}

func answers[In, Out any](f func(*call, In) (Out, error)) handler {
	return handler{in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](), run: func(c *call, in any) (any, error) { return f(c, *in.(*In)) }}
}

// raw is a handler that writes its answer itself, unless it fails before.
func raw(f func(*call) error) handler {
	h := does(f)
	h.out = reflect.TypeFor[api.Binary]()
	return h
}

// exports is raw with a query.
func exports[In any](f func(*call, In) error) handler {
	h := takes(f)
	h.out = reflect.TypeFor[api.Binary]()
	return h
}

// streams is a handler with a query that writes for as long as the other side listens. It does
// not hold up locking.
func streams[In any](f func(*call, In) error) handler {
	h := takes(f)
	h.out, h.free = reflect.TypeFor[api.Stream](), true
	return h
}

// free marks a handler that changes the phase.
func free(h handler) handler { h.free = true; return h }

// localKey marks requests through the unix socket.
type localKey struct{}

func withLocal(ctx context.Context) context.Context { return context.WithValue(ctx, localKey{}, true) }

// routes makes the multiplexer from the table.
func (a *App) routes() *http.ServeMux {
	m := http.NewServeMux()
	for _, r := range api.Routes {
		h, ok := handlers[r.Name]
		if !ok {
			continue // TestHandlers does not let that happen
		}
		m.HandleFunc(r.Method+" "+apiPrefix+r.Path, func(w http.ResponseWriter, q *http.Request) { a.dispatch(r, h, w, q) })
	}
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, api.Failure{Code: "unknown operation", Text: "there is no such call: GET " + apiPrefix + "/openapi.json lists them"})
	})
	m.HandleFunc("GET "+apiPrefix+"/openapi.json", serveOpenAPI)
	return m
}

// answer answers a call of the API. A path that is not in its normal form is no call; the
// multiplexer would lead to one.
func (a *App) answer(w http.ResponseWriter, r *http.Request) {
	if path.Clean(r.URL.Path) != r.URL.Path {
		refuse(w, http.StatusNotFound, api.Failure{Code: "unknown operation", Text: "this path is not in its normal form"})
		return
	}
	a.mux.ServeHTTP(w, r)
}

func (a *App) dispatch(r api.Route, h handler, w http.ResponseWriter, q *http.Request) {
	c := &call{app: a, ctx: q.Context(), w: w, r: q}
	c.local, _ = q.Context().Value(localKey{}).(bool)
	if !c.local && uses(r) {
		a.touch()
	}
	out, err := a.perform(c, r, h)
	switch {
	case c.wrote:
		if err != nil && c.ctx.Err() == nil {
			a.log.Warn("an answer was not finished", "call", r.Name, "why", err)
			panic(http.ErrAbortHandler) // so that it is not taken for whole
		}
	case err != nil:
		a.fail(w, r, err)
	case out == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		reply(w, http.StatusOK, out)
	}
}

// perform decodes what was asked and does it.
func (a *App) perform(c *call, r api.Route, h handler) (any, error) {
	in, err := decode(c.w, c.r, r, h.in)
	if err != nil {
		return nil, err
	}
	if h.free {
		return h.run(c, in)
	}
	inside, leave, err := a.enter(r.New)
	switch {
	case err == nil:
		defer leave()
		ctx, cancel := context.WithCancel(c.ctx)
		defer cancel()
		defer context.AfterFunc(inside.ctx, cancel)()
		c.c, c.ctx = inside.Client, ctx
		out, err := h.run(c, in)
		if err != nil && inside.ctx.Err() != nil {
			err = ErrLocked // that is why it failed
		}
		return out, err
	case r.Locked && errors.Is(err, ErrLocked):
		return h.run(c, in)
	}
	return nil, err
}

// statuses are the HTTP statuses of codes; others are 409, or 503 when no server was
// reached. The code is what counts.
var statuses = map[string]int{
	"malformed": http.StatusBadRequest, "usage": http.StatusBadRequest,
	"not authenticated": http.StatusUnauthorized, "wrong passphrase": http.StatusForbidden, "not yours": http.StatusForbidden,
	"no such room": http.StatusNotFound, "no such person": http.StatusNotFound, "no such message": http.StatusNotFound,
	"no such file": http.StatusNotFound, "file gone": http.StatusGone, "too many files": http.StatusBadRequest,
	"no such request": http.StatusNotFound, "no such call": http.StatusNotFound, "no such handle": http.StatusNotFound, "no such link": http.StatusNotFound, "no such picture": http.StatusNotFound,
	"too long": http.StatusRequestEntityTooLarge, "too large": http.StatusRequestEntityTooLarge,
	"locked": http.StatusLocked, "slow down": http.StatusTooManyRequests, "too soon": http.StatusTooManyRequests,
	"failed": http.StatusInternalServerError, "damaged": http.StatusInternalServerError, "disk": http.StatusInternalServerError,
	"disk full": http.StatusInsufficientStorage, "timeout": http.StatusGatewayTimeout, "unreachable": http.StatusServiceUnavailable,
}

// fail tells why a call was refused.
func (a *App) fail(w http.ResponseWriter, r api.Route, err error) {
	f := explainError(err)
	status := statuses[f.Code]
	if status == 0 {
		status = http.StatusConflict
	}
	if status == http.StatusInternalServerError {
		a.log.Error("a call failed", "call", r.Name, "why", err)
	}
	var slow *slow
	if errors.As(err, &slow) {
		w.Header().Set("Retry-After", strconv.Itoa(int(slow.after/time.Second)+1))
	}
	refuse(w, status, f)
}

// bad is a request that makes no sense.
type bad struct {
	field, text string
}

func (b *bad) Error() string { return b.text }

func malformed(field, format string, args ...any) error {
	return &bad{field, fmt.Sprintf(format, args...)}
}

// slow is a refusal for a while.
type slow struct{ after time.Duration }

func (s *slow) Error() string {
	return fmt.Sprintf("too many wrong attempts: wait %d seconds", int(s.after/time.Second)+1)
}

func slowDown(d time.Duration) error { return &slow{d} }

func explainError(err error) api.Failure {
	var b *bad
	var s *slow
	switch {
	case errors.As(err, &b):
		return api.Failure{Code: "malformed", Text: b.text, Field: b.field}
	case errors.As(err, &s):
		return api.Failure{Code: "slow down", Text: s.Error()}
	case errors.Is(err, client.ErrNoAccount):
		err = errNoAccount
	}
	f := explain.Error(err)
	out := api.Failure{Code: f.Code, Text: f.Text}
	var undone *client.Undone
	if errors.As(err, &undone) {
		out.Said = api.SaidOf(undone.Said)
	}
	return out
}

func refuse(w http.ResponseWriter, status int, f api.Failure) { reply(w, status, f) }

// reply writes a value as JSON. Lists are never null.
func reply(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(whole(v))
	if err != nil { // our nouns always can be: a bug
		status, b = http.StatusInternalServerError, []byte(`{"code":"failed","text":"the answer could not be written"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(append(b, '\n'))
}
