package app

import (
	"errors"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/custody"
	"sotto/internal/explain"
)

// state is GET /state. It is answered in every phase.
func state(c *call) (api.State, error) {
	a := c.app
	kind, err := a.o.Custody.Kind()
	if err != nil {
		return api.State{}, err
	}
	a.mu.Lock()
	s := api.State{Phase: a.phase, Version: a.o.Version, Custody: api.Custody(kind), Invitation: a.link}
	a.mu.Unlock()
	s.Keyring = a.keyring()
	if a.o.Server != nil {
		s.Server = a.o.Server.State()
	}
	if c.c == nil || s.Phase == api.PhaseNew {
		return s, nil
	}
	err = c.fillState(&s)
	return s, err
}

// fillState adds what only an open device knows.
func (c *call) fillState(s *api.State) error {
	self, err := c.self()
	if err != nil {
		return err
	}
	s.Self, s.Hosts, s.Moving = &self, hosts(c.c), c.c.Going()
	list, err := requests(c)
	if err != nil {
		return err
	}
	for _, r := range list {
		if !r.Later {
			s.Requests++
		}
	}
	rooms, err := c.c.Overview(false)
	if err != nil {
		return err
	}
	for _, o := range rooms {
		if !o.Mark.Muted(c.app.now().UnixMilli()) {
			s.Unread += o.Unseen
		}
	}
	s.NewsThrough, err = c.c.Told()
	return err
}

// hosts is how the servers are reached that this device needs, one line for each.
func hosts(c *client.Client) []api.Host {
	var out []api.Host
	at := map[string]int{}
	for _, h := range c.Hosts() {
		x := api.Host{Host: h.Name, Home: h.Home, Up: h.Up, Since: h.Since, Retiring: h.Retiring, Reason: h.Reason}
		if !h.Up && h.Err != nil {
			x.Why, x.Code = explain.Reason(h.Err), explain.Error(h.Err).Code
		}
		i, twice := at[h.Name]
		if !twice {
			at[h.Name] = len(out)
			out = append(out, x)
			continue
		}
		if !x.Up && out[i].Up {
			out[i].Up, out[i].Why, out[i].Code, out[i].Since = false, x.Why, x.Code, x.Since
		}
		out[i].Home = out[i].Home || x.Home
	}
	return out
}

func lock(c *call) error {
	if p := c.app.Phase(); p == api.PhaseNew {
		return errNoAccount
	}
	return c.app.lock()
}

func unlock(c *call, in api.Unlock) error { return c.app.unlock(in.Passphrase) }

// setCustody changes what guards the key. It asks for the old passphrase even though the
// app is open: whoever sits down at an open window must not be able to change the lock.
func setCustody(c *call, in api.SetCustody) error {
	a := c.app
	if d := a.limit.wait("passphrase"); d > 0 {
		return slowDown(d)
	}
	kind := custody.Kind(in.Custody)
	if kind != custody.File && kind != custody.Passphrase && kind != custody.Keyring {
		return malformed("custody", "there is no such custody")
	}
	err := a.o.Custody.Change(kind, []byte(in.Old), []byte(in.New))
	if errors.Is(err, custody.ErrWrong) || errors.Is(err, custody.ErrLocked) {
		a.limit.miss("passphrase")
		return custody.ErrWrong
	}
	return err
}

func setWindow(c *call, in api.Window) error {
	if in.Used {
		c.app.touch()
	}
	return c.app.windows.tell(in)
}

func violations(c *call) ([]api.Violation, error) { return c.app.reports.all(), nil }

// newOpening makes an address for another process of this user, which opens a window.
func newOpening(c *call, in api.NewOpening) (api.Opening, error) {
	if !c.local {
		return api.Opening{}, explain.Refuse("not yours", "only a program of yours may ask for this, through the socket")
	}
	c.app.Open(in.Link)
	return api.Opening{URL: c.app.Opening()}, nil
}

func quit(c *call) error {
	time.AfterFunc(50*time.Millisecond, c.app.Quit) // after the answer
	return nil
}
