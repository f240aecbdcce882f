package client

import (
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Settings are the person's, for this device; some are alike on all of theirs (sharedSettings).
// The client itself obeys Receipts, Typing, Presence, Retention, Disappear and those of calls; it keeps the others for who shows the device.
type Settings struct {
	Theme       string `json:"theme"`    // system, light or dark
	Language    string `json:"language"` // "" as the system
	EnterSends  bool   `json:"enter_sends"`
	SingleKeys  bool   `json:"single_keys"`
	TextSize    int    `json:"text_size"` // percent, 80 to 200
	Notify      string `json:"notify"`    // text, sender, plain or off
	Sounds      bool   `json:"sounds"`
	Receipts    bool   `json:"receipts"`   // tell others when their messages arrive and are read
	Typing      bool   `json:"typing"`     // tell others when this person writes
	Presence    bool   `json:"presence"`   // tell others when this person is here
	LockAfter   int    `json:"lock_after"` // minutes without use; 0 never
	Retention   int64  `json:"retention"`  // days that this device keeps messages; 0 for ever
	Disappear   int64  `json:"disappear"`  // seconds after reading, of rooms made here; 0 never
	RecentEmoji string `json:"recent_emoji"`
	CallsRelay  bool   `json:"calls_relay"`  // take relayed paths only, always
	CallsFrom   string `json:"calls_from"`   // whose calls ring: CallsAccepted or CallsCompared
	CallsRing   bool   `json:"calls_ring"`   // this device rings
	SendRate    int64  `json:"send_rate"`    // KiB of files in a second; 0 as fast as it goes
	ReceiveRate int64  `json:"receive_rate"` // the same for those that come
}

// Whose calls ring.
const (
	CallsAccepted = "accepted" // contacts'
	CallsCompared = "compared" // of contacts with whom numbers were compared
)

// DefaultSettings are those of a new device.
func DefaultSettings() Settings {
	return Settings{
		Theme: "system", EnterSends: true, SingleKeys: true, TextSize: 100, Notify: "text", Sounds: true,
		Receipts: true, Typing: true, CallsFrom: CallsAccepted, CallsRing: true,
	}
}

const (
	factSettings   = "settings"      // JSON: fields that it lacks are as in DefaultSettings
	maxRetention   = 100 * 365       // days
	maxDisappear   = 365 * 24 * 3600 // seconds
	maxRate        = 1 << 30         // KiB in a second
	maxRecentEmoji = 1024            // bytes
)

// loadSettings reads the settings into memory.
func (c *Client) loadSettings(tx store.Tx) error {
	s, _, err := readSettings(tx)
	if err == nil {
		c.settings = s
	}
	return err
}

// Settings are the settings of this device.
func (c *Client) Settings() (s Settings, err error) {
	err = ErrClosed
	c.on(func() { s, err = c.settings, nil })
	return s, err
}

// SetSettings changes the settings. What the client obeys it obeys from now on.
func (c *Client) SetSettings(change func(*Settings)) error {
	err := ErrClosed
	c.on(func() {
		s := c.settings
		change(&s)
		if err = s.check(); err != nil {
			return
		}
		before := c.settings
		err = c.update(func(tx store.Tx, after *[]func()) error {
			if err := c.keepSettings(tx, after, before, s); err != nil {
				return err
			}
			return c.putSettings(tx, after, s)
		})
	})
	return err
}

func (s Settings) check() error {
	one := func(v string, of ...string) bool {
		for _, x := range of {
			if v == x {
				return true
			}
		}
		return false
	}
	switch {
	case !one(s.Theme, "system", "light", "dark"):
		return wire.Refuse(wire.CodeMalformed, "the theme is system, light or dark")
	case !one(s.Notify, "text", "sender", "plain", "off"):
		return wire.Refuse(wire.CodeMalformed, "notifications show text, sender, plain or are off")
	case !one(s.CallsFrom, CallsAccepted, CallsCompared):
		return wire.Refuse(wire.CodeMalformed, "calls ring from accepted or compared people")
	case s.TextSize < 80 || s.TextSize > 200:
		return wire.Refuse(wire.CodeMalformed, "the size of text is between 80 and 200 percent")
	case s.LockAfter < 0 || s.LockAfter > 7*24*60:
		return wire.Refuse(wire.CodeMalformed, "the app locks after at most a week")
	case s.Retention < 0 || s.Retention > maxRetention:
		return wire.Refuse(wire.CodeMalformed, "messages are kept for at most %d days, or 0 for ever", maxRetention)
	case s.Disappear < 0 || s.Disappear > maxDisappear:
		return wire.Refuse(wire.CodeMalformed, "a disappearing time is between a second and a year")
	case s.SendRate < 0 || s.ReceiveRate < 0 || s.SendRate > maxRate || s.ReceiveRate > maxRate:
		return wire.Refuse(wire.CodeMalformed, "a rate of files is at most %d KiB in a second", maxRate)
	case len(s.Language) > 35 || len(s.RecentEmoji) > maxRecentEmoji: // BCP 47, section 4.4.1
		return wire.Refuse(wire.CodeTooLarge, "this setting is too long")
	}
	return nil
}
