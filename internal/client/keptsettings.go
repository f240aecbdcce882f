package client

import (
	"encoding/json"
	"fmt"

	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// sharedSettings are the settings that are the person's, by their names in JSON. The others are
// this machine's: what it looks like there and how it is typed on, what it notifies of and with
// which noise, when it locks, how long it keeps messages.
var sharedSettings = []string{"receipts", "typing", "presence", "disappear", "recent_emoji", "calls_relay", "calls_from"}

// settingsFields are settings by their names.
func settingsFields(s Settings) (out map[string]json.RawMessage) {
	b, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic(fmt.Sprintf("client: settings: %v", err)) // they are plain values
	}
	return out
}

// keepSettings tells the other devices which of the person's settings have changed.
func (c *Client) keepSettings(tx store.Tx, after *[]func(), before, now Settings) error {
	old, fresh := settingsFields(before), settingsFields(now)
	for _, name := range sharedSettings {
		if string(old[name]) == string(fresh[name]) {
			continue
		}
		if err := c.keep(tx, after, room.KeptSetting, []byte(name), wire.Marshal(string(fresh[name]))); err != nil {
			return err
		}
	}
	return nil
}

// overlay is settings with one of them changed to what a register says; ok is false where that
// is none of the person's, or makes no sense.
func overlay(s Settings, x store.Register) (out Settings, ok bool) {
	text, ok := valueOf[string](x)
	fields := settingsFields(s)
	if _, known := fields[string(x.Of)]; !ok || !known {
		return s, false
	}
	for _, name := range sharedSettings {
		if name != string(x.Of) {
			continue
		}
		b, err := json.Marshal(map[string]json.RawMessage{name: json.RawMessage(text)})
		out = s
		return out, err == nil && json.Unmarshal(b, &out) == nil && out.check() == nil
	}
	return s, false
}

// applySetting takes a setting of another device's. One that waits for its history has no settings
// of its own yet: they come with that.
func (c *Client) applySetting(tx store.Tx, after *[]func(), x store.Register) error {
	before, have, err := readSettings(tx)
	if err != nil {
		return err
	}
	if t, err := loadFact[taking](tx, factTaking); err != nil || !have && t != nil && !t.Done {
		return err
	}
	s, ok := overlay(before, x)
	if !ok || s == before {
		return nil
	}
	return c.putSettings(tx, after, s)
}

// putSettings keeps settings, and obeys them once they are durable.
func (c *Client) putSettings(tx store.Tx, after *[]func(), s Settings) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	tells := Tells{Typing: s.Typing, Presence: s.Presence}
	*after = append(*after, func() {
		before := c.settings
		c.settings = s
		c.applyTells(tells)
		if s.Retention != before.Retention {
			c.dropOld()
		}
		c.emit(Event{Kind: EventSetting})
	})
	if err := tx.SetFact(factSettings, b); err != nil {
		return err
	}
	return c.putTells(tx, tells)
}

// readSettings reads the settings; have says whether they were ever changed.
func readSettings(tx store.Tx) (s Settings, have bool, err error) {
	s = DefaultSettings()
	b, have, err := tx.Fact(factSettings)
	if err != nil || !have {
		return s, have, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, have, fmt.Errorf("client: settings: %w", err)
	}
	return s, have, nil
}
