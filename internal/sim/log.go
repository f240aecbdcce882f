package sim

import (
	"context"
	"log/slog"
)

// virtual writes a log with the world's time.
type virtual struct {
	slog.Handler
	w *World
}

func (v *virtual) Handle(ctx context.Context, r slog.Record) error {
	r.Time = v.w.now
	return v.Handler.Handle(ctx, r)
}

func (v *virtual) WithAttrs(a []slog.Attr) slog.Handler {
	return &virtual{v.Handler.WithAttrs(a), v.w}
}
