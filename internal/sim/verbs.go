package sim

import (
	"context"
	"strconv"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/internal/store/sqlite/faultfs"
	"sotto/mimi"
)

// verbs are what a step can do. What does not apply at that moment does nothing.
var verbs map[string]func(r *Run, a []string)

func init() {
	verbs = map[string]func(*Run, []string){
		"write": func(r *Run, a []string) { r.write(r.device(a[0]), r.rooms[a[1]], number(a[2])) },
		"react": func(r *Run, a []string) { r.act(r.device(a[0]), r.rooms[a[1]], a[2]) },
		"read":  func(r *Run, a []string) { r.read(r.device(a[0])) },
		"rename": func(r *Run, a []string) {
			d, p, title := r.device(a[0]), r.rooms[a[1]], a[2]
			d.Do(func(ctx context.Context, c *client.Client) { r.changed("rename", c.Rename(ctx, r.to(d, p), title)) })
		},
		"commits": func(r *Run, a []string) {
			for _, d := range r.Devices {
				d.Do(func(ctx context.Context, c *client.Client) {
					r.changed("rename", c.Rename(ctx, r.to(d, r.rooms[a[0]]), a[0]+" by "+d.Name))
				})
			}
		},
		"add":    func(r *Run, a []string) { r.member(a, "add", (*client.Client).AddPeople) },
		"remove": func(r *Run, a []string) { r.member(a, "remove", remove) },
		"admin":  func(r *Run, a []string) { r.member(a, "admin", admin) },
		"leave": func(r *Run, a []string) {
			d, p := r.device(a[0]), r.rooms[a[1]]
			r.moved = true
			r.harmPerson(d.Person, "left")
			d.Do(func(ctx context.Context, c *client.Client) { r.changed("leave", c.Leave(ctx, r.to(d, p))) })
		},
		"cut": func(r *Run, a []string) { r.each(a[0], func(l *line) { r.Stats.Fault("cut"); l.cut() }) },
		"cutin": func(r *Run, a []string) {
			r.each(a[0], func(l *line) {
				if a[1] == "up" {
					l.up.cut = number(a[2])
				} else {
					l.down.cut = number(a[2])
				}
			})
		},
		"weather": func(r *Run, a []string) {
			x := &r.device(a[0]).Weather
			x.Delay, x.Jitter, x.Rate = span(a[1]), span(a[2]), float64(number(a[3]))
			r.Stats.Fault("slow network")
			r.After(span(a[4]), func() { x.Delay, x.Jitter, x.Rate = fair.Delay, fair.Jitter, fair.Rate })
		},
		"lost":    func(r *Run, a []string) { r.weather(a, "silent network", func(x *Weather, on bool) { x.Lost = on }) },
		"down":    func(r *Run, a []string) { r.weather(a, "no network", func(x *Weather, on bool) { x.Down = on }) },
		"answers": func(r *Run, a []string) { r.device(a[0]).LoseAnswers = float64(number(a[1])) / 100 },
		"skew": func(r *Run, a []string) {
			r.Stats.Fault("clock jumped")
			r.device(a[0]).Skew += span(a[1])
		},
		"sleep":   func(r *Run, a []string) { r.sleep(r.device(a[0]), span(a[1])) },
		"off":     func(r *Run, a []string) { r.offFor(r.device(a[0]), span(a[1])) },
		"crash":   func(r *Run, a []string) { r.crash(r.device(a[0]), span(a[1])) },
		"disk":    func(r *Run, a []string) { r.diskFault(r.device(a[0]), number(a[1]), a[2], span(a[3])) },
		"copy":    func(r *Run, a []string) { r.device(a[0]).Copy() },
		"goback":  func(r *Run, a []string) { r.goBack(r.device(a[0])) },
		"link":    func(r *Run, a []string) { r.link(r.device(a[0]), a[1]) },
		"unlink":  func(r *Run, a []string) { r.unlink(r.device(a[0]), r.device(a[1])) },
		"words":   func(r *Run, a []string) { r.writeDown(r.device(a[0])) },
		"recover": func(r *Run, a []string) { r.recover(r.device(a[0]).Person, a[1], a[2] == "thief") },
		"clone":   func(r *Run, a []string) { r.clone(r.device(a[0]), span(a[1])) },

		"hostcrash": func(r *Run, a []string) { r.hostCrash(r.host(a[0]+".test"), span(a[1])) },
		"hostdisk":  func(r *Run, a []string) { r.hostDisk(r.host(a[0]+".test"), number(a[1]), a[2], span(a[3])) },
		"hoststop": func(r *Run, a []string) {
			h := r.host(a[0] + ".test")
			r.Stats.Fault("server stopped")
			h.Stop()
			r.After(span(a[1]), h.Start)
		},
		"hostfull": func(r *Run, a []string) {
			h := r.host(a[0] + ".test")
			h.disk.fill(true)
			r.Stats.Fault("server's disk full")
			r.After(span(a[1]), func() { h.disk.fill(false) })
		},
		"hostmute": func(r *Run, a []string) {
			h := r.host(a[0] + ".test")
			h.Mute = true
			r.Stats.Fault("server out of reach")
			r.After(span(a[1]), func() { h.Mute = false })
		},
		"hostslow": func(r *Run, a []string) {
			h := r.host(a[0] + ".test")
			h.Slow = span(a[1])
			r.Stats.Fault("slow server")
			r.After(span(a[2]), func() { h.Slow = 0 })
		},
		"backup": func(r *Run, a []string) { r.host(a[0] + ".test").Backup() },
		"restore": func(r *Run, a []string) {
			if r.host(a[0] + ".test").Restore() {
				r.odd = true
				r.Stats.Fault("server restored from an old copy")
			}
		},
		"hostdie": func(r *Run, a []string) {
			r.odd = true
			r.Stats.Fault("server died for good")
			h := r.host(a[0] + ".test")
			h.Die()
			for _, d := range r.Devices { // until an account can move, its people are where rooms are that live
				if d.Home == h {
					r.harm(d, "home died")
				}
			}
		},
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func span(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return d
}

// write has somebody write texts in a room, one after the other.
func (r *Run) write(d *Device, p *party, n int) {
	for range n {
		d.Do(func(ctx context.Context, c *client.Client) {
			if _, err := c.Send(ctx, r.to(d, p), client.Text(r.text(d))); err == nil {
				r.Stats.Count("written", 1)
			}
		})
	}
}

// act reacts to, edits, answers or deletes a message that somebody has.
func (r *Run) act(d *Device, p *party, how string) {
	d.Do(func(ctx context.Context, c *client.Client) {
		id := r.idOf(d, p)
		list, err := c.Messages(&id, 0, 1<<20)
		if err != nil || len(list) == 0 {
			return
		}
		self, err := c.Self()
		if err != nil {
			return
		}
		var own, any *store.Message
		for i := range list {
			if m := &list[i]; m.Kind == mimi.KindText && m.Flags&store.FlagDeleted == 0 {
				any = m
				if m.Account == self.Account {
					own = m
				}
			}
		}
		var what client.Compose
		switch {
		case how == "edit" && own != nil:
			what = client.Edit(own.ID, r.text(d))
		case how == "delete" && own != nil:
			what = client.Delete(own.ID)
		case how == "reply" && any != nil:
			what = client.Reply(any.ID, r.text(d))
		case any != nil:
			what = client.React(any.ID, "👍")
		default:
			return
		}
		if _, err := c.Send(ctx, r.to(d, p), what); err == nil {
			r.Stats.Count("acts", 1)
		}
	})
}

// read has somebody look at everything.
func (r *Run) read(d *Device) {
	if d.Client == nil || d.Asleep {
		return
	}
	if list, err := d.Client.Messages(nil, 0, 1<<20); err == nil {
		_ = d.Client.Seen(list)
		d.look()
	}
}

// changed counts changes of rooms.
func (r *Run) changed(what string, err error) {
	if err == nil {
		r.Stats.Count("changes of rooms", 1)
	} else {
		r.Log.Debug("a change failed", "what", what, "error", err)
		r.Stats.Count("changes of rooms that failed", 1)
	}
}

// member changes somebody's membership: who, room, whom.
func (r *Run) member(a []string, what string, f func(c *client.Client, ctx context.Context, to string, handles []string) error) {
	d, p, x := r.device(a[0]), r.rooms[a[1]], r.device(a[2])
	r.moved = true
	if what != "admin" {
		r.harmPerson(x.Person, what)
	}
	d.Do(func(ctx context.Context, c *client.Client) {
		r.changed(what, f(c, ctx, r.to(d, p), []string{x.Handle}))
	})
}

func remove(c *client.Client, ctx context.Context, to string, handles []string) error {
	return c.RemovePerson(ctx, to, handles[0])
}

func admin(c *client.Client, ctx context.Context, to string, handles []string) error {
	return c.SetAdmin(ctx, to, handles[0], true)
}

// each calls f with the lines of a device.
func (r *Run) each(name string, f func(*line)) {
	d := r.device(name)
	for _, l := range append([]*line(nil), d.lines...) {
		f(l)
	}
}

func (r *Run) weather(a []string, what string, set func(*Weather, bool)) {
	d := r.device(a[0])
	r.Stats.Fault(what)
	set(&d.Weather, true)
	if d.Weather.Down {
		r.each(a[0], (*line).cut)
	}
	r.After(span(a[1]), func() { set(&d.Weather, false) })
}

// away notes that a device was gone for longer than entries live.
func (r *Run) away(d *Device, t time.Duration) {
	if t > r.TTL-time.Hour {
		r.Stats.Fault("away for longer than entries live")
		r.harm(d, "away for longer than entries live")
	}
}

func (r *Run) sleep(d *Device, t time.Duration) {
	if d.Client == nil {
		return
	}
	r.Stats.Fault("device asleep")
	r.away(d, t)
	d.Sleep()
	r.After(t, d.Wake)
}

func (r *Run) offFor(d *Device, t time.Duration) {
	r.Stats.Fault("device off")
	r.away(d, t)
	d.Stop()
	r.After(t, d.Start)
}

func (r *Run) crash(d *Device, t time.Duration) {
	d.Crash()
	r.After(t, d.Start)
}

// diskFault has one of a device's next writes fail; a device that crashes of it, or whose
// disk is full, is mended after t.
func (r *Run) diskFault(d *Device, n int, kind string, t time.Duration) {
	kinds := map[string]faultfs.Kind{"crash": faultfs.Crash, "full": faultfs.Full, "fail": faultfs.Fail, "lie": faultfs.Lie}
	d.disk.Inject(n, kinds[kind])
	d.faulty = true
	r.Stats.Fault("device's disk: " + kind)
	r.After(t, func() {
		d.disk.Relieve()
		d.Start()
	})
}

func (r *Run) goBack(d *Device) {
	if d.GoBack() {
		r.odd = true
		r.Stats.Fault("device restored from an old copy")
		r.harm(d, "restored from an old copy")
	}
}

// clone runs a second device from a copy of the first one's disk for a while.
func (r *Run) clone(d *Device, t time.Duration) {
	if d.Client == nil {
		return
	}
	r.odd = true
	r.Stats.Fault("device cloned")
	r.harm(d, "cloned")
	x := &Device{w: r.World, Name: d.Name, Person: d.Person, id: d.id, Handle: d.Handle, Home: d.Home, Weather: d.Weather, addr: d.addr, disk: d.disk.Clone(), life: 1 << 20}
	x.seen.init()
	x.Start()
	r.After(t, x.Stop)
}

func (r *Run) hostCrash(h *Host, t time.Duration) {
	h.Crash()
	r.After(t, h.Start)
}

// hostDisk has one of the next syncs of a server's log fail.
func (r *Run) hostDisk(h *Host, n int, kind string, t time.Duration) {
	kinds := map[string]fault{"crash": faultCrash, "fail": faultFail, "lie": faultLie}
	h.disk.inject(n, kinds[kind])
	r.Stats.Fault("server's disk: " + kind)
	r.After(t, h.Start)
}
