package client

import (
	"testing"

	"sotto/internal/store"
)

func TestShownName(t *testing.T) {
	n := store.Named{Handle: "ana@example.org"}
	if shownName(n) != "ana" {
		t.Error(shownName(n))
	}
	if n.Own = "Ana Ruiz"; shownName(n) != "Ana Ruiz" {
		t.Error(shownName(n))
	}
	if n.Nickname = "Anita"; shownName(n) != "Anita" {
		t.Error(shownName(n))
	}
}
