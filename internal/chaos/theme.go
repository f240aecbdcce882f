//go:build linux && chaos

package chaos

import "time"

// theme is what a round is about: what befalls whom, and how often. Each number is how many
// times in a minute, for each device or server.
type theme struct {
	name string

	kills   float64 // commands killed, as a share of them
	axes    float64 // followers killed, as a share of their ends
	weather float64 // links slow, lossy, reordering
	cuts    float64 // connections cut at some byte
	dark    float64 // links that lose everything, go down, or split two from each other
	roams   float64 // devices that get another address
	naps    float64 // devices and servers put to sleep
	crashes float64 // servers killed or stopped
	full    float64 // disks full
	relays  float64 // how many times as often followers come and go
	meeting bool    // people make accounts and get to know each other
	stays   bool    // followers go on when the rest is mended
}

// network says whether commands may find no server in it.
func (t theme) network() bool {
	return t.weather+t.cuts+t.dark+t.roams+t.naps+t.crashes > 0
}

// calm is when nothing befalls anybody.
var calm = theme{name: "calm"}

// The themes of rounds. Everything is the last.
var themes = []theme{
	{name: "people"},
	{name: "kills", kills: 0.4, axes: 0.6},
	{name: "servers", crashes: 20},
	{name: "weather", weather: 12},
	{name: "cuts", weather: 2, cuts: 100},
	{name: "dark", dark: 12, roams: 4},
	{name: "sleep", naps: 6, kills: 0.1},
	{name: "full", full: 12, kills: 0.1},
	{name: "relay", relays: 5, axes: 0.3, kills: 0.1},
	{name: "waiting", dark: 3, cuts: 6, crashes: 2, stays: true},
	{name: "everything", kills: 0.2, axes: 0.4, weather: 4, cuts: 20, dark: 4, roams: 2, naps: 2, crashes: 6, full: 3, relays: 2},
}

// meeting is how people get to know each other where a run begins rough.
var meeting = theme{name: "meeting", meeting: true, kills: 0.25, weather: 4, cuts: 30, dark: 4, naps: 1, crashes: 6, full: 1}

// everything is the theme of the short runs.
func everything() theme { return themes[len(themes)-1] }

// bad are kinds of weather.
var bad = []Weather{
	{Delay: 40 * time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.01},
	{Delay: 150 * time.Millisecond, Jitter: 60 * time.Millisecond, Loss: 0.03, Early: 0.05, Twice: 0.02},
	{Delay: 300 * time.Millisecond, Jitter: 100 * time.Millisecond, Rate: 60_000, Queue: 64_000},
	{Delay: 30 * time.Millisecond, Jitter: 25 * time.Millisecond, Early: 0.2, Twice: 0.1},
	{Delay: 80 * time.Millisecond, Loss: 0.12},
	{Delay: 600 * time.Millisecond, Jitter: 50 * time.Millisecond, Rate: 250_000, Queue: 500_000},
	{Rate: 12_000, Queue: 30_000},
}
