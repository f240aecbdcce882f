package logs_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"sotto/internal/server/engine"
	"sotto/internal/server/logs"
	"sotto/internal/server/logs/logstest"
	"sotto/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// subject gives *logs.Logs the suite's interface.
type subject struct {
	*logs.Logs
	db *engine.DB
}

func (s subject) Watch(p wire.Place, w logs.Watcher) (logstest.Watch, wire.PlaceState) {
	watch, state := s.Logs.Watch(p, w)
	if watch == nil {
		return nil, state
	}
	return watch, state
}

func open(t testing.TB, fs vfs.FS, clock *logstest.Clock) subject {
	t.Helper()
	db, err := engine.Open(engine.Options{Dir: "data", FS: fs, Now: clock.Now, ByHand: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := logs.Open(db, logs.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return subject{l, db}
}

func (s subject) shut(t testing.TB) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.db.Close(); err != nil {
		t.Error(err)
	}
}

func world(t testing.TB, fs vfs.FS) (*logstest.World, *subject) {
	clock := logstest.NewClock()
	now := open(t, fs, clock)
	t.Cleanup(func() { now.shut(t) })
	w := &logstest.World{Logs: &now, Clock: clock}
	w.Restart = func() logstest.Logs {
		now.shut(t)
		now = open(t, fs, clock)
		return &now
	}
	return w, &now
}

func TestContract(t *testing.T) {
	logstest.Run(t, func(t testing.TB) *logstest.World {
		w, _ := world(t, vfs.NewMem())
		return w
	})
}
