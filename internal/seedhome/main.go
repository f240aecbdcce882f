// Command seedhome fills a home directory's database with a plausible past, to try out and
// measure what has to stay fast:
//
//	go run ./internal/seedhome --home DIR --rooms 1000 --messages 100000 --longest 100000
//
// A home without an account gets one at a host that cannot be reached; one that has an account
// keeps it (make it first, and stop what holds the home). The key has to lie in the home.
package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"sotto/internal/store"
	"sotto/internal/store/seed"
)

func main() {
	home := flag.String("home", "", "the home directory; it is made when it is missing")
	p := seed.Plan{Until: time.Now()}
	flag.StringVar(&p.Handle, "handle", "", "of the account, when the home has none")
	flag.IntVar(&p.Rooms, "rooms", 1000, "conversations")
	flag.IntVar(&p.Messages, "messages", 100_000, "messages in all of them")
	flag.IntVar(&p.Longest, "longest", 0, "of them in the first one")
	flag.IntVar(&p.Unseen, "unseen", 200, "of the newest that were not seen")
	flag.Uint64Var(&p.Seed, "seed", 1, "the same seed makes the same past")
	flag.Parse()
	if err := fill(*home, p); err != nil {
		fmt.Fprintln(os.Stderr, "seedhome:", err)
		os.Exit(1)
	}
}

func fill(home string, p seed.Plan) error {
	if home == "" {
		return errors.New("say which home with --home DIR")
	}
	key, err := readKey(home)
	if err != nil {
		return err
	}
	st, err := store.Open(store.Options{Path: filepath.Join(home, "sotto.db"), Key: key})
	if err != nil {
		return err
	}
	begin := time.Now()
	done, err := seed.Fill(st, p)
	if err := errors.Join(err, st.Close()); err != nil {
		return err
	}
	fmt.Printf("%d messages in %d rooms in %v; the longest is %x\n", done.Messages, len(done.Rooms), time.Since(begin).Round(time.Millisecond), done.Long)
	return nil
}

// readKey reads the key of a home, or makes both.
func readKey(home string) (key [32]byte, err error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return key, err
	}
	path := filepath.Join(home, "key")
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		rand.Read(key[:])
		return key, os.WriteFile(path, key[:], 0o600)
	case err == nil && len(b) != len(key):
		return key, fmt.Errorf("%s has %d bytes instead of %d", path, len(b), len(key))
	case err != nil:
		return key, err
	}
	return [32]byte(b), nil
}
