//go:build race

package play

import "time"

const raceEnabled = true

// Patience is how long a play waits for what must happen: the race detector makes everything
// several times slower, the more so beside others.
const Patience = 150 * time.Second
