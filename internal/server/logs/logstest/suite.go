package logstest

import (
	"fmt"
	"testing"
)

// Run runs the contract against fresh worlds.
func Run(t *testing.T, open func(testing.TB) *World) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *World)
	}{
		{"create", testCreate},
		{"create limits", testCreateLimits},
		{"append", testAppend},
		{"append limits", testAppendLimits},
		{"idempotence", testIdempotence},
		{"swap", testSwap},
		{"swap refusals", testSwapRefusals},
		{"ended cursor", testEnded},
		{"ended cursor holds only its own", testEndedHoldsItsOwn},
		{"two cursors of a leaf", testTwoCursors},
		{"claim", testClaim},
		{"secrets are not shared", testSecretsNotShared},
		{"ack", testAck},
		{"drop", testDrop},
		{"drop ends the log", testDropEnds},
		{"read", testRead},
		{"watch", testWatch},
		{"watch taken over", testWatchTakenOver},
		{"watch ends", testWatchEnds},
		{"signal", testSignal},
		{"expiry of entries", testExpiry},
		{"expiry of cursors", testUnclaimed},
		{"abandoned cursors", testAbandoned},
		{"the end of a log", testLogEnds},
		{"restart", testRestart},
		{"async", testAsync},
		{"races", testRaces},
		{"races of readers", testReaderRaces},
		{"log full", testFull},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
	for seed := range uint64(12) {
		t.Run(fmt.Sprintf("model, seed %d", seed), func(t *testing.T) { testModel(t, open(t), seed) })
	}
}
