package sim

import (
	"fmt"
	"time"

	"sotto/internal/client"
)

// stages are how long a world may take until everything is well again. Most faults mend
// themselves within minutes; a host that died counts as dead after a day, and what must
// be agreed on without it takes another.
var stages = []time.Duration{2 * time.Minute, 10 * time.Minute, time.Hour, 3 * time.Hour, 30 * time.Hour, 30 * time.Hour, 120 * time.Hour}

// calm ends all faults and lets time go on until every promise holds, or does not.
func (r *Run) calm() {
	if err := r.safe(); err != nil {
		r.Fail("%v", err)
		return
	}
	for _, h := range r.Hosts {
		h.Mute, h.Slow, h.Evil = false, 0, nil
		h.disk.fill(false)
		h.disk.inject(-1, 0)
		h.Start()
	}
	for _, d := range r.Devices {
		d.Weather, d.LoseAnswers = fair, 0
		d.disk.Inject(-1)
		d.disk.Relieve()
		d.faulty = false
		d.Wake()
		d.Start()
	}
	var last error
	words := false
	for i, t := range stages {
		for end := r.Now().Add(t); r.Now().Before(end) && r.Failure() == ""; {
			r.World.Run(min(time.Minute, t))
		}
		for _, d := range r.Devices {
			d.Start() // one that crashed again
			r.read(d)
		}
		r.tidy()
		if r.Failure() != "" {
			return
		}
		if last = r.check(words); last == nil && !words {
			words = true // everybody says one more thing
			r.from, r.Watch.all = len(r.Watch.samples), true
			for _, p := range r.parties() {
				for _, d := range r.inside(p) {
					r.parted[fmt.Sprintf("%s %s %d", mark, d.Name, r.texts+1)] = true
					r.write(d, p, 1)
				}
			}
			r.World.Run(time.Minute)
			last = r.check(true)
		}
		if last == nil {
			r.Stats.Count([]string{"well at once", "well within 10 minutes", "well within an hour", "well within hours", "well within days", "well within days", "well within days"}[i], 1)
			r.finish()
			return
		}
		r.Log.Debug("not yet", "why", last)
	}
	r.Fail("%v", last)
}

// inside are the devices that take part in a room now, as far as they know.
func (r *Run) inside(p *party) (out []*Device) {
	for _, d := range r.Devices {
		if d.Client == nil || d.revoked() {
			continue
		}
		if s, ok := r.roomOf(d, p); ok && s.State == 1 {
			out = append(out, d)
		}
	}
	return out
}

// roomOf is a room as a device sees it; a pair's second room counts as the first.
func (r *Run) roomOf(d *Device, p *party) (client.RoomInfo, bool) {
	list, err := d.Client.Rooms()
	if err != nil {
		return client.RoomInfo{}, false
	}
	id := r.idOf(d, p)
	for _, x := range list {
		if x.ID == id {
			return x, true
		}
	}
	return client.RoomInfo{}, false
}
