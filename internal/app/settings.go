package app

import (
	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/explain"
)

func lockAfter(c *client.Client) int {
	s, err := c.Settings()
	if err != nil {
		return 0
	}
	return s.LockAfter
}

func settings(c *call) (api.Settings, error) {
	s, err := c.c.Settings()
	if err != nil {
		return api.Settings{}, err
	}
	out := api.Settings{
		Theme: s.Theme, Language: s.Language, EnterSends: s.EnterSends, SingleKeys: s.SingleKeys, TextSize: s.TextSize,
		Notify: s.Notify, Sounds: s.Sounds, Receipts: s.Receipts, Typing: s.Typing, Presence: s.Presence, LockAfter: s.LockAfter,
		Retention: s.Retention, Disappear: s.Disappear, RecentEmoji: s.RecentEmoji,
		CallsRelay: s.CallsRelay, CallsFrom: s.CallsFrom, CallsRing: s.CallsRing,
		SendRate: s.SendRate, ReceiveRate: s.ReceiveRate,
	}
	if d := c.app.o.Desktop; d != nil {
		out.AtLogin, err = d.AtLogin()
		if err != nil {
			c.app.log.Debug("at login", "why", err) // this system cannot: it is off
			out.AtLogin = false
		}
	}
	return out, nil
}

// change puts a value where a change has one.
func change[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func changeSettings(c *call, in api.SettingsChange) (api.Settings, error) {
	err := c.c.SetSettings(func(s *client.Settings) {
		change(&s.Theme, in.Theme)
		change(&s.Language, in.Language)
		change(&s.EnterSends, in.EnterSends)
		change(&s.SingleKeys, in.SingleKeys)
		change(&s.TextSize, in.TextSize)
		change(&s.Notify, in.Notify)
		change(&s.Sounds, in.Sounds)
		change(&s.Receipts, in.Receipts)
		change(&s.Typing, in.Typing)
		change(&s.Presence, in.Presence)
		change(&s.LockAfter, in.LockAfter)
		change(&s.Retention, in.Retention)
		change(&s.Disappear, in.Disappear)
		change(&s.RecentEmoji, in.RecentEmoji)
		change(&s.CallsRelay, in.CallsRelay)
		change(&s.CallsFrom, in.CallsFrom)
		change(&s.CallsRing, in.CallsRing)
		change(&s.SendRate, in.SendRate)
		change(&s.ReceiveRate, in.ReceiveRate)
	})
	if err == nil && in.AtLogin != nil {
		err = c.atLogin(*in.AtLogin)
	}
	if err != nil {
		return api.Settings{}, err
	}
	return settings(c)
}

// atLogin makes the system start sotto when the person logs in, or not any more.
func (c *call) atLogin(on bool) error {
	d := c.app.o.Desktop
	if d == nil {
		return explain.Refuse("no desktop", "sotto cannot be started at login on this system: do it with the system's own means")
	}
	return d.SetAtLogin(on)
}

func changeProfile(c *call, in api.Profile) (api.Self, error) {
	if err := c.c.SetProfile(c.ctx, client.ProfileChange{Name: in.Name, Status: in.Status, Picture: in.Picture}); err != nil {
		return api.Self{}, err
	}
	c.app.events.send(api.Event{Type: api.EventPerson, Person: c.selfID()})
	return c.self()
}

func (c *call) selfID() string {
	s, err := c.c.Self()
	if err != nil {
		return ""
	}
	return text(s.Account[:])
}

func myLink(c *call, in api.NewLink) (api.Link, error) {
	end, err := c.until(in.Hours)
	if err != nil {
		return api.Link{}, err
	}
	l, err := c.c.NewContactLink(c.ctx, end)
	if err != nil {
		return api.Link{}, err
	}
	return shareable(l)
}
