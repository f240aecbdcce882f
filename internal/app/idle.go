package app

import (
	"slices"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/client"
)

// idleCheck is how often the app looks whether it was used.
const idleCheck = 15 * time.Second

// touch notes that the person uses the app.
func (a *App) touch() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used = a.now()
}

// uses says whether a call of a window is something that the person did. Windows load
// much by themselves.
func uses(r api.Route) bool {
	switch r.Name {
	case "messages", "search":
		return true
	case "setWindow", "seen", "openSession", "told", "linkShown":
		return false
	}
	return r.Method != "GET"
}

// idle locks the app when nobody has used it for as long as the settings say.
func (a *App) idle() {
	a.mu.Lock()
	if a.ended {
		a.mu.Unlock()
		return
	}
	a.stopIdle = a.o.Clock.AfterFunc(idleCheck, func() {
		a.lockWhenIdle()
		a.idle()
	})
	a.mu.Unlock()
}

func (a *App) lockWhenIdle() {
	in, leave, err := a.enter(false)
	if err != nil {
		return
	}
	minutes, held := lockAfter(in.Client), holdsCall(in.Client)
	leave()
	if held {
		a.touch() // who talks is there
		return
	}
	a.mu.Lock()
	since := a.now().Sub(a.used)
	a.mu.Unlock()
	if minutes > 0 && since >= time.Duration(minutes)*time.Minute {
		if err := a.lock(); err != nil {
			a.log.Debug("not locked", "why", err) // there is nothing to lock with
		}
	}
}

// holdsCall says whether a call goes on on this device.
func holdsCall(c *client.Client) bool {
	list, err := c.Calls()
	return err == nil && slices.ContainsFunc(list, func(x client.Call) bool { return x.Here })
}
