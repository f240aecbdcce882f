//go:build linux && chaos

package chaos

import (
	"slices"
	"sync"
)

// chatroom is a conversation: of a pair, or a group with its admin.
type chatroom struct {
	name   string    // the run's own; a group's title can change
	admins []*device // of a group
	pair   bool
	since  int64     // of a pair: messages of before may stand in two orders, since both began a room
	peers  []*device // of a pair

	changing sync.Mutex // held while a command changes who is in it, or its title

	mu     sync.Mutex
	id     string   // of a group, hexadecimal
	titles []string // asked for and not known to have been set
	stays  map[*device][]*stay
}

// stay is a time that somebody is in a group, in moments. 0: not yet.
type stay struct {
	asked int64 // the adding was begun
	in    int64 // and said to be done
	going int64 // the removal was begun
	out   int64 // and said to be done
}

// is says whether somebody is in the room for sure at the end, and could have been since.
func (r *chatroom) is(d *device) bool {
	if r.pair {
		return slices.Contains(r.peers, d)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stays[d]
	return len(s) > 0 && s[len(s)-1].in != 0 && s[len(s)-1].going == 0
}

// due says whether somebody who is in the room now has to have a message that a command
// began to write at a moment.
func (r *chatroom) due(d *device, began int64) bool {
	if r.pair {
		return slices.Contains(r.peers, d)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stays[d]
	if len(s) == 0 {
		return false
	}
	last := s[len(s)-1]
	return last.in != 0 && last.going == 0 && last.in < began
}

// barred says whether somebody must not have a message: it was held before they came, or
// begun after they had gone.
func (r *chatroom) barred(d *device, began, held int64) bool {
	if r.pair {
		return !slices.Contains(r.peers, d)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.stays[d] {
		before := held != 0 && held < s.asked
		after := s.out != 0 && s.out < began
		if !before && !after {
			return false
		}
	}
	return true
}

// steady says whether nobody came or went since a moment.
func (r *chatroom) steady(since int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, all := range r.stays {
		for _, s := range all {
			if s.in > since || s.in == 0 || s.going > since || s.going != 0 && s.out == 0 || s.out > since {
				return false
			}
		}
	}
	return true
}

// members are those who are in it for sure.
func (r *chatroom) members(all []*device) (out []*device) {
	for _, d := range all {
		if r.is(d) {
			out = append(out, d)
		}
	}
	return out
}

// address is what a person types to write into the room.
func (r *chatroom) address(d *device) string {
	if r.pair {
		return r.peers[1-slices.Index(r.peers, d)].handle
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.id
}

// enter begins a stay, unless somebody is in the room, or may be.
func (r *chatroom) enter(d *device, moment int64) *stay {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stays[d]
	if n := len(s); n > 0 && (s[n-1].out == 0 || holeReadded && s[n-1].out > d.up.Load()) {
		return nil
	}
	r.stays[d] = append(s, &stay{asked: moment})
	return r.stays[d][len(s)]
}

// exit begins the end of a stay, unless it is not certain that there is one.
func (r *chatroom) exit(d *device, moment int64) *stay {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stays[d]
	if len(s) == 0 || s[len(s)-1].in == 0 || s[len(s)-1].going != 0 {
		return nil
	}
	s[len(s)-1].going = moment
	return s[len(s)-1]
}

// certain notes since when something is known.
func (r *chatroom) certain(what *int64, moment int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*what = moment
}

// open are the last stays whose beginning or end is not certain.
func (r *chatroom) open() map[*device]*stay {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[*device]*stay{}
	for d, s := range r.stays {
		if last := s[len(s)-1]; last.in == 0 || last.going != 0 && last.out == 0 {
			out[d] = last
		}
	}
	return out
}
