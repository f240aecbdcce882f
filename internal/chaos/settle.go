//go:build linux && chaos

package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// settle starts the servers, lets everybody make an account and get to know everybody, and
// makes the rooms.
func (w *World) settle() error {
	for _, s := range w.servers {
		if err := s.start(); err != nil {
			return err
		}
	}
	n, err := w.servers[0].running.goroutines()
	if err != nil {
		return err
	}
	w.idle = n
	w.servers[0].running = nil
	if err := w.servers[0].start(); err != nil {
		return err
	}
	var pairs []*chatroom
	for i, b := range w.devices {
		for _, a := range w.devices[:i] {
			pairs = append(pairs, &chatroom{name: a.name + "+" + b.name, pair: true, peers: []*device{a, b}})
		}
	}
	if w.o.Rough {
		w.journal.say("chaos", "people meet while things go wrong")
		w.rough = true
		w.setTheme(meeting)
		parts := misfortunes(w.o.Seed, 1<<20, meeting, stage{devices: len(w.devices), servers: len(w.servers)}, w.o.Round)
		w.play(parts, w.o.Round, func(d *device) { w.mingle(d, pairs) })
		w.setTheme(calm)
	}
	for _, d := range w.devices {
		if !d.exists() && !d.do(command{args: []string{"account", "create", d.handle}}).ok() {
			return errors.New("an account cannot be made")
		}
	}
	for _, r := range pairs {
		if err := w.meet(r); err != nil {
			return err
		}
	}
	for i, s := range w.servers {
		r, err := w.found([]string{"Both", "Crew"}[i], s)
		if err != nil {
			return err
		}
		w.rooms = append(w.rooms, r)
	}
	w.rooms = append(w.rooms, pairs...)
	return nil
}

// exists says whether a device has an account.
func (d *device) exists() bool {
	o := d.do(command{args: []string{"account", "show"}, may: "no account"})
	return o.ok()
}

// mingle lets somebody make an account, write to everybody, and accept whoever wrote, over
// and over until the misfortunes end.
func (w *World) mingle(d *device, pairs []*chatroom) {
	r := rand.New(rand.NewPCG(w.o.Seed, uint64(d.n)))
	for !w.mended() {
		o := d.do(command{args: []string{"account", "create", d.handle}, kill: mortal(r, meeting)})
		if o.ok() || o != nil && o.code == "account exists" {
			break
		}
	}
	for !w.mended() {
		for _, i := range r.Perm(len(pairs)) {
			if p := pairs[i]; slices.Contains(p.peers, d) && !w.mended() {
				w.send(d, p, 1, 0, 0, mortal(r, meeting))
				d.do(command{args: []string{"accept", p.address(d)}, kill: mortal(r, meeting)})
			}
		}
		w.read(d, mortal(r, meeting))
	}
}

// meet makes two people known to each other who may be already.
func (w *World) meet(r *chatroom) error {
	a, b := r.peers[0], r.peers[1]
	for _, d := range r.peers { // who wrote meanwhile
		d.do(command{args: []string{"accept", r.address(d)}, may: "no such request"})
	}
	if !w.send(a, r, 1, 0, 0, 0).ok() {
		return fmt.Errorf("%s cannot write to %s", a.name, b.name)
	}
	d := b.do(command{args: []string{"accept", a.handle}, may: "no such request"})
	if d == nil || d.exit() != 0 && d.code != "no such request" || !w.read(b, 0).ok() {
		return fmt.Errorf("%s cannot meet", r.name)
	}
	if w.o.Rough {
		r.since = w.journal.tick()
	}
	return nil
}

// found makes a group of everybody, at a server. Two of that server's people manage it.
func (w *World) found(name string, s *server) (*chatroom, error) {
	r := &chatroom{name: name, titles: []string{name}, stays: map[*device][]*stay{}}
	for _, d := range w.devices {
		if d.server == s && len(r.admins) < 2 {
			r.admins = append(r.admins, d)
		}
	}
	asked := w.journal.tick()
	args := []string{"room", "create", name}
	for _, d := range w.devices {
		if d != r.admins[0] {
			args = append(args, "--with", d.handle)
		}
	}
	o := r.admins[0].do(command{args: args})
	if !o.ok() || len(o.objects) != 1 {
		return nil, fmt.Errorf("%s cannot be made", name)
	}
	r.id = o.objects[0].ID
	for _, d := range w.devices {
		r.stays[d] = []*stay{{asked: asked, in: w.journal.tick()}}
		if !w.read(d, 0).ok() {
			return nil, fmt.Errorf("%s cannot come into %s", d.name, name)
		}
	}
	if !w.change(r.admins[0], r, 0, "admin", r.admins[1].handle).ok() {
		return nil, fmt.Errorf("%s cannot be managed", name)
	}
	return r, nil
}
