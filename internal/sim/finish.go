package sim

import (
	"bytes"
	"crypto/sha256"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/mls"
)

type sample struct {
	host  *Host
	by    *Device
	log   [16]byte
	entry []byte
}

// finish checks what stands in files when all is well: what was read is gone from the
// servers, nothing plain ever came there, and what was read cannot be opened again.
func (r *Run) finish() {
	r.World.Run(2 * time.Minute)
	for _, h := range r.Hosts {
		if h.Gone || !h.up {
			continue
		}
		h.flush()
		h.server.Tick(r.Now())
		if err := h.server.Sweep(); err != nil {
			r.Fail("%s: sweeping: %v", h.Name, err)
			return
		}
		h.server.Settle()
		if s := h.server.Status(); s.Entries != 0 && r.spotless() {
			r.Fail("%s still holds %d entries although everybody has read everything", h.Name, s.Entries)
		}
		h.disk.files(func(name string, content []byte) {
			if bytes.Contains(content, []byte(mark)) {
				r.Fail("a text stands in plain in %s of %s", name, h.Name)
			}
			if !r.spotless() {
				return
			}
			for _, s := range r.Watch.samples {
				if s.host == h && bytes.Contains(content, s.entry[len(s.entry)/2:]) {
					r.Fail("an entry that everybody has read still stands in %s of %s", name, h.Name)
				}
			}
		})
		r.Stats.Count("files searched", 1)
	}
	r.burgle()
	r.secrets()
}

// secrets has a thief with a device's database and what crossed the network try to read.
func (r *Run) secrets() {
	for _, d := range r.Devices {
		if r.why(d) != "" || d.Client == nil || !d.isActive() {
			continue
		}
		d.Stop()
		for _, p := range r.parties() {
			if err := r.steal(d, p); err != nil {
				r.Fail("a thief at %s's: %v", d.Name, err)
			}
		}
		return // one of them
	}
}

// steal tries to open with a device's keys what that device has read before.
func (r *Run) steal(d *Device, p *party) error {
	st, err := store.Open(store.Options{Path: "sotto.db", Key: sha256.Sum256([]byte(d.Name)), FS: d.disk.Clone()})
	if err != nil {
		return err
	}
	defer st.Close()
	return st.View(func(tx store.Tx) error {
		x, err := tx.Room(p.id)
		if err != nil || x == nil || x.State != store.RoomActive {
			return err
		}
		g, err := tx.Generation(p.id, x.Generation)
		if err != nil || g == nil || g.State != store.GenLive {
			return err
		}
		b, _, err := tx.Fact("keys")
		if err != nil {
			return err
		}
		keys, err := identity.ParseKeys(b)
		if err != nil {
			return err
		}
		group, err := mls.LoadGroup(mls.Config{Suite: g.Suite, Signer: keys.Signature, Supported: []uint16{room.ExtContext}}, tx.GroupReader(p.id, x.Generation))
		if err != nil {
			return err
		}
		for _, s := range r.Watch.samples {
			if s.log != g.Log {
				continue
			}
			inner, err := room.OpenEntry(group, g.Log, s.entry)
			if err != nil {
				continue // of an epoch before
			}
			r.Stats.Count("entries a thief tried", 1)
			if msg, err := group.Open(inner.Message); err == nil && msg.Kind == mls.KindApplication {
				r.Fail("%s's database still opens an entry that was read long ago", d.Name)
			}
		}
		return nil
	})
}
