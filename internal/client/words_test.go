package client

import (
	"testing"

	"sotto/internal/store"
)

func TestSpan(t *testing.T) {
	for seconds, want := range map[uint64]string{
		1: "one second", 59: "59 seconds", 60: "one minute", 90: "90 seconds", 3600: "one hour", 5400: "90 minutes", 86400: "one day",
		7 * 86400: "one week", 14 * 86400: "2 weeks", 30 * 86400: "30 days", 0: "0 seconds",
	} {
		if got := span(seconds); got != want {
			t.Errorf("%d: %q, not %q", seconds, got, want)
		}
	}
}

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
