//go:build linux && chaos && race

package chaos

const raceEnabled = true
