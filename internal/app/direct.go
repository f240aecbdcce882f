package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"

	"sotto/internal/client"
	"sotto/internal/explain"
)

// Direct runs calls of the interface on an open device in this process, without HTTP: the
// command line says with them what a window shows. It is for calls that need the device
// alone; those of windows, of the phase and of events belong to a running App.
type Direct struct {
	app *App
	c   *client.Client
}

// Directly is one for a device.
func Directly(c *client.Client) *Direct {
	a := &App{o: Options{Clock: systemClock{}}, log: slog.New(slog.DiscardHandler), events: newBroker()}
	return &Direct{a, c}
}

// Call runs a call by its name in api.Routes. in is its body or its query, nil where it
// takes none; path are names of its path, each followed by its value.
func Call[Out any](ctx context.Context, d *Direct, name string, in any, path ...string) (out Out, err error) {
	v, err := d.call(ctx, nil, name, in, path)
	if err != nil {
		return out, err
	}
	out, ok := v.(Out)
	if !ok {
		return out, fmt.Errorf("%s answers %T", name, v)
	}
	return out, nil
}

// Write runs a call that answers with bytes, and writes them.
func (d *Direct) Write(ctx context.Context, to io.Writer, name string, in any, path ...string) error {
	_, err := d.call(ctx, &bare{Writer: to, header: http.Header{}}, name, in, path)
	return err
}

func (d *Direct) call(ctx context.Context, w http.ResponseWriter, name string, in any, path []string) (any, error) {
	h, ok := handlers[name]
	if !ok || h.free || (h.in == nil) != (in == nil) {
		return nil, fmt.Errorf("%q cannot be called like this", name)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(path); i += 2 {
		r.SetPathValue(path[i], path[i+1])
	}
	var pointer any
	if in != nil {
		p := reflect.New(h.in)
		p.Elem().Set(reflect.ValueOf(in))
		pointer = p.Interface()
	}
	v, err := h.run(&call{app: d.app, c: d.c, ctx: ctx, w: w, r: r, local: true}, pointer)
	var wrong *bad
	if errors.As(err, &wrong) {
		f := explain.Refuse("malformed", "%s", wrong.text)
		f.Sort = explain.Usage
		return nil, f
	}
	return v, err
}

// bare is an answer of which only the bytes count.
type bare struct {
	io.Writer
	header http.Header
}

func (b *bare) Header() http.Header { return b.header }

func (b *bare) WriteHeader(int) {}
