//go:build !race

package play

import "time"

const raceEnabled = false

// Patience is how long a play waits for what must happen.
const Patience = 60 * time.Second
