package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/custody"
	"sotto/internal/handover"
)

// askApp makes a call of the local interface to the app that runs for a home, through its
// socket; handover.ErrNobody when none runs. in and out may be nil.
func askApp(ctx context.Context, home, method, path string, in, out any, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	c := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return handover.Dial(filepath.Join(home, apiSocket))
		},
	}}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(ctx, method, "http://app/api/v1"+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	r, err := c.Do(q)
	switch {
	case errors.Is(err, handover.ErrNobody):
		return handover.ErrNobody
	case err != nil:
		return err
	}
	defer r.Body.Close()
	if r.StatusCode >= 400 {
		return refusal(r)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(out); err != nil || r.StatusCode != http.StatusOK {
		return fmt.Errorf("sotto runs for this home, but answers with status %d: it may be another version", r.StatusCode)
	}
	return nil
}

// refusal is why the app refused, as what a command fails with.
func refusal(r *http.Response) error {
	var f api.Failure
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&f); err != nil || f.Code == "" {
		return fmt.Errorf("sotto runs for this home, but answers with status %d: it may be another version", r.StatusCode)
	}
	if f.Code == "wrong passphrase" {
		return custody.ErrWrong
	}
	out := fail(f.Code, "%s", f.Text)
	if f.Code == "unreachable" || f.Code == "timeout" {
		out.Sort = unreachable("").Sort
	}
	return out
}

// notRunning is what is told when no app runs.
func notRunning(err error) error {
	if errors.Is(err, handover.ErrNobody) {
		return fail("not running", "no sotto runs for this home: nothing is open")
	}
	return err
}

// localWait is how long the app on this machine may take.
const localWait = 15 * time.Second

// Lock closes the keys of the app that runs.
type Lock struct{}

// RunHome locks.
func (Lock) RunHome(ctx context.Context, home string, x *IO) error {
	if err := askApp(ctx, home, http.MethodPost, "/lock", nil, nil, localWait); err != nil {
		return notRunning(err)
	}
	x.say(Done{Type: "done", Done: "locked"}, "locked: messages wait at the server until it is unlocked")
	return x.failed
}

// Unlock opens the keys of the app that runs.
type Unlock struct{}

// RunHome unlocks. The passphrase comes as for other commands: from the file that was
// named, or from a terminal.
func (Unlock) RunHome(ctx context.Context, home string, x *IO) error {
	var s api.State
	if err := askApp(ctx, home, http.MethodGet, "/state", nil, &s, localWait); err != nil {
		return notRunning(err)
	}
	open := func(passphrase []byte) error {
		return askApp(ctx, home, http.MethodPost, "/unlock", api.Unlock{Passphrase: string(passphrase)}, nil, localWait)
	}
	var err error
	switch {
	case s.Phase != api.PhaseLocked:
	case s.Custody == api.CustodyPassphrase:
		var passphrase []byte
		passphrase, err = x.withPassphrase(ctx, open)
		clear(passphrase)
	default:
		err = open(nil)
	}
	if err != nil {
		return err
	}
	x.say(Done{Type: "done", Done: "unlocked"}, "unlocked")
	return x.failed
}

// Quit ends the app that runs.
type Quit struct{}

// RunHome asks it to end, and waits until it has.
func (Quit) RunHome(ctx context.Context, home string, x *IO) error {
	if err := askApp(ctx, home, http.MethodPost, "/quit", nil, nil, localWait); err != nil {
		return notRunning(err)
	}
	for end := time.Now().Add(localWait); ; time.Sleep(20 * time.Millisecond) {
		c, err := handover.Dial(filepath.Join(home, apiSocket))
		if errors.Is(err, handover.ErrNobody) {
			break
		}
		if err == nil {
			c.Close()
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fail("in use", "sotto was asked to end, but still runs")
		}
	}
	x.say(Done{Type: "done", Done: "ended"}, "ended")
	return x.failed
}

// Status tells whether an app runs for a home, and how it is.
type Status struct{}

// RunHome prints it. It opens nothing.
func (Status) RunHome(ctx context.Context, home string, x *IO) error {
	v := Running{Type: "app", Running: true, Hosts: []ServerHost{}}
	var s api.State
	err := askApp(ctx, home, http.MethodGet, "/state", nil, &s, localWait)
	switch {
	case errors.Is(err, handover.ErrNobody):
		kind, err := custody.At(home, custody.Options{}).Kind()
		if errors.Is(err, custody.ErrNone) {
			return client.ErrNoAccount
		}
		if err != nil {
			return err
		}
		v.Running, v.Custody = false, string(kind)
	case err != nil:
		return err
	}
	if v.Running {
		v.Phase, v.Custody, v.Version, v.Unread, v.Requests = string(s.Phase), string(s.Custody), s.Version, s.Unread, s.Requests
		if s.Self != nil {
			v.Handle = s.Self.Handle
		}
		for _, h := range s.Hosts {
			v.Hosts = append(v.Hosts, ServerHost{h.Host, h.Home, h.Up, h.Why, stamp(h.Retiring), h.Reason})
		}
	}
	if x.JSON {
		x.object(v)
		return x.failed
	}
	return x.status(v)
}

func (x *IO) status(v Running) error {
	if !v.Running {
		x.printf("No sotto runs for this home. Its key: %s.\n", v.Custody)
		return x.failed
	}
	x.printf("sotto runs: %s, key: %s\n", v.Phase, v.Custody)
	if v.Handle != "" {
		x.printf("%s · %d unread · %s\n", line(v.Handle), v.Unread, count(v.Requests, plural(v.Requests, "request", "requests")))
	}
	for _, h := range v.Hosts {
		state := "connected"
		if !h.Up {
			state = "not reached " + h.Why
		}
		x.printf("%s %s\n", line(h.Host), line(state))
		if h.Retiring != "" {
			x.printf("  will be switched off on %s %s\n", h.Retiring, line(h.Reason))
		}
	}
	return x.failed
}
