package seed

import (
	"crypto/sha256"
	"path/filepath"
	"testing"

	"sotto/internal/store"
)

func TestProf(t *testing.T) {
	st, err := store.Open(store.Options{Path: filepath.Join(t.TempDir(), "sotto.db"), Key: sha256.Sum256(nil)})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, err := Fill(st, Plan{Rooms: 1000, Messages: 30000, Longest: 15000}); err != nil {
		t.Fatal(err)
	}
}
