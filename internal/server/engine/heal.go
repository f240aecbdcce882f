package engine

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// healEvery is the time between two attempts to open the database anew.
const healEvery = time.Second

// open opens the directory behind a new fence.
func (db *DB) open(gen uint64) (*instance, error) {
	f := newFence(db.o.FS, func(err error) {
		db.o.Log.Error("a write to the database failed; nothing is stored until it can be opened anew",
			slog.Any("err", err))
	})
	p, err := pebble.Open(db.o.Dir, options(f, db.o.Log))
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := f.failure(); err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return &instance{p: p, fence: f, gen: gen}, nil
}

// heal replaces an instance whose fence is shut, when the disk allows it. The old
// one answers reads until then.
func (db *DB) heal() {
	db.healing.Lock()
	defer db.healing.Unlock()
	old := db.use()
	defer old.users.Done()
	now := db.o.Now()
	if old.fence.failure() == nil || now.Before(db.nextHeal) && db.nextHeal.Sub(now) <= healEvery {
		return
	}
	db.nextHeal = now.Add(healEvery)
	if free, known := db.free(); known && free < db.o.Reserve/4 {
		return
	}
	old.fence.quiet()
	fresh, err := db.open(old.gen + 1)
	if err != nil {
		db.o.Log.Warn("the database cannot be opened anew yet", slog.Any("err", err))
		return
	}
	db.mu.Lock()
	db.cur = fresh
	db.mu.Unlock()
	db.budget.Store(0)
	if err := db.sweeps.recall(db); err != nil {
		db.o.Log.Warn("what was erased before the failure is swept at the next start", slog.Any("err", err))
	}
	db.o.Log.Info("the database is open again")
	db.closing.Go(func() {
		old.users.Wait()
		_ = old.p.Close() // of a shut instance: nothing of it reaches the disk
	})
}

// options are chosen for a server that is small when idle: the memory of memtables
// and cache together stays under 40 MiB at full load.
func options(f *fence, log *slog.Logger) *pebble.Options {
	o := &pebble.Options{
		FS:                          f,
		Cleaner:                     eraser{},
		CacheSize:                   8 << 20,
		MemTableSize:                8 << 20,
		MemTableStopWritesThreshold: 4,
		MaxOpenFiles:                500,
		// Small: a manifest names the first and last key of tables that are gone.
		MaxManifestFileSize:   1 << 20,
		L0CompactionThreshold: 4,
		// A stall inside Pebble could not end behind a shut fence.
		L0StopWritesThreshold:      500,
		LBaseMaxBytes:              64 << 20,
		FormatMajorVersion:         pebble.FormatNewest,
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
		Logger:                     quietLogger{f, log},
		EventListener:              listener(f, log),
	}
	for i := range o.TargetFileSizes {
		o.TargetFileSizes[i] = 4 << 20 // small: a sweep rewrites whole files
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	// Entries are encrypted: they do not compress, and lengths should tell nothing more.
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	o.Experimental.FileCacheShards = 2
	// An excise hides erased bytes inside a file that stands.
	o.Experimental.EnableDeleteOnlyCompactionExcises = func() bool { return false }
	return o
}

// eraser removes obsolete files and keeps Pebble from recycling its logs: a recycled
// log stands in the directory with old bytes in it until it is needed again. Pebble
// recycles unless its cleaner says, by a method that only Pebble's own package can
// declare, that it wants files whole. ArchiveCleaner has that method; embedded one
// level deeper than DeleteCleaner it lends it, and DeleteCleaner does the cleaning.
type eraser struct {
	pebble.DeleteCleaner
	wholeFiles
}

type wholeFiles struct{ pebble.ArchiveCleaner }

// String names the cleaner in Pebble's OPTIONS file.
func (eraser) String() string { return "sotto.eraser" }

// quietLogger drops Pebble's chatter and turns what would end the process into a
// shut fence.
type quietLogger struct {
	f   *fence
	log *slog.Logger
}

func (quietLogger) Infof(string, ...any) {}

func (l quietLogger) Errorf(format string, args ...any) {
	if l.f.failure() == nil {
		l.log.Warn("the database complains", slog.String("text", fmt.Sprintf(format, args...)))
	}
}

func (l quietLogger) Fatalf(format string, args ...any) {
	l.f.fail(fmt.Errorf(format, args...))
}

func listener(f *fence, log *slog.Logger) *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if f.failure() == nil {
				log.Warn("the database failed in the background", slog.Any("err", err))
			}
		},
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			log.Error("a file of the database is damaged", slog.String("file", i.Path))
		},
	}
}
