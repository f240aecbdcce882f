package command

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sotto/internal/client"
	"sotto/internal/desktop"
)

// Settings shows the settings of this device, or changes one.
type Settings struct {
	Name  string `arg:"" optional:"" help:"A setting." complete:"setting"`
	Value string `arg:"" optional:"" help:"Its new value." complete:"value"`
}

// option is a setting: how it is read and written.
type option struct {
	name   string
	help   string
	values []string // it takes one of them; none: get and set say
	get    func(client.Settings) any
	set    func(*client.Settings, string) error
}

func toggle(name, help string, at func(*client.Settings) *bool) option {
	return option{name, help, []string{"on", "off"},
		func(s client.Settings) any { return *at(&s) },
		func(s *client.Settings, v string) error { *at(s) = v == "on"; return nil },
	}
}

func choice(name, help string, values []string, at func(*client.Settings) *string) option {
	return option{name, help, values,
		func(s client.Settings) any { return *at(&s) },
		func(s *client.Settings, v string) error { *at(s) = v; return nil },
	}
}

// number is a whole number, or off for 0.
func number[N int | int64](name, help string, at func(*client.Settings) *N) option {
	return option{name, help, nil,
		func(s client.Settings) any { return *at(&s) },
		func(s *client.Settings, v string) error {
			if v == "off" {
				v = "0"
			}
			n, err := strconv.ParseInt(v, 10, 32)
			if err != nil || n < 0 {
				return Usage("%s takes a whole number", name)
			}
			*at(s) = N(n)
			return nil
		},
	}
}

// options are the settings of the device.
var options = []option{
	choice("theme", "light or dark, or as the system is", []string{"system", "light", "dark"}, func(s *client.Settings) *string { return &s.Theme }),
	{"language", "of the interface", []string{"system", "en", "de", "es"},
		func(s client.Settings) any {
			if s.Language == "" {
				return "system"
			}
			return s.Language
		},
		func(s *client.Settings, v string) error {
			s.Language = v
			if v == "system" {
				s.Language = ""
			}
			return nil
		}},
	number("text-size", "percent, 80 to 200", func(s *client.Settings) *int { return &s.TextSize }),
	toggle("enter-sends", "the Enter key sends", func(s *client.Settings) *bool { return &s.EnterSends }),
	toggle("single-keys", "shortcuts of a single key", func(s *client.Settings) *bool { return &s.SingleKeys }),
	choice("notify", "how much a notice of the system says: everything, who it is from, that there is something, or no notice", []string{"text", "sender", "plain", "off"}, func(s *client.Settings) *string { return &s.Notify }),
	toggle("sounds", "make sounds", func(s *client.Settings) *bool { return &s.Sounds }),
	toggle("receipts", "tell others when their messages arrive and are read", func(s *client.Settings) *bool { return &s.Receipts }),
	toggle("typing", "tell others that you write", func(s *client.Settings) *bool { return &s.Typing }),
	toggle("presence", "tell contacts when you are here", func(s *client.Settings) *bool { return &s.Presence }),
	choice("calls-from", "whose calls ring: of people you accepted, or only of those with whom you compared numbers", []string{client.CallsAccepted, client.CallsCompared}, func(s *client.Settings) *string { return &s.CallsFrom }),
	toggle("calls-relay", "let calls go through a relay always, so that nobody sees your address", func(s *client.Settings) *bool { return &s.CallsRelay }),
	toggle("calls-ring", "this device rings", func(s *client.Settings) *bool { return &s.CallsRing }),
	number("lock-after", "minutes without use after which the app locks; off: never", func(s *client.Settings) *int { return &s.LockAfter }),
	number("send-rate", "KiB of files that are sent in a second; off: as fast as it goes", func(s *client.Settings) *int64 { return &s.SendRate }),
	number("receive-rate", "KiB of files that come in a second; off: as fast as it goes", func(s *client.Settings) *int64 { return &s.ReceiveRate }),
	number("retention", "days that this device keeps messages; off: for ever", func(s *client.Settings) *int64 { return &s.Retention }),
	{"disappear", "after which time messages vanish in rooms that you make, such as 7d; off: never", nil,
		func(s client.Settings) any { return s.Disappear },
		func(s *client.Settings, v string) error {
			after, err := disappearing(v)
			s.Disappear = int64(after / time.Second)
			return err
		}},
}

// SettingNames are the settings that there are, with the values that each takes: for
// completion.
func SettingNames() (names []string, values map[string][]string) {
	values = map[string][]string{}
	for _, o := range append(slices.Clip(options), atLogin(nil)) {
		names = append(names, o.name)
		values[o.name] = o.values
		if o.values == nil {
			values[o.name] = []string{"off"}
		}
	}
	return names, values
}

// atLogin is a setting of the system for a home, not of the device: whether sotto starts
// when the person logs in.
func atLogin(d *Device) option {
	screen := func() (s *system, err error) {
		program, err := os.Executable()
		if err != nil {
			return s, err
		}
		home, err := filepath.Abs(d.Home)
		return newSystem(program, home), err
	}
	return option{"at-login", "start sotto when you log in", []string{"on", "off"},
		func(client.Settings) any {
			s, err := screen()
			if err != nil {
				return false
			}
			defer s.Close()
			on, err := s.AtLogin()
			return err == nil && on // a system that cannot do it does not
		},
		func(_ *client.Settings, v string) error {
			s, err := screen()
			if err != nil {
				return err
			}
			defer s.Close()
			err = s.SetAtLogin(v == "on")
			if errors.Is(err, desktop.ErrNone) {
				err = fail("no desktop", "sotto cannot be started at login on this system: do it with the system's own means")
			}
			return err
		}}
}

// Run shows them or changes one. What the device obeys it obeys from now on.
func (o Settings) Run(_ context.Context, d *Device, x *IO) error {
	s, err := d.Client.Settings()
	if err != nil {
		return err
	}
	options := append(slices.Clip(options), atLogin(d))
	if o.Name == "" {
		for _, option := range options {
			x.setting(option, s)
		}
		return x.failed
	}
	i := slices.IndexFunc(options, func(x option) bool { return x.name == strings.ReplaceAll(o.Name, "_", "-") })
	if i < 0 {
		return Usage("there is no setting %q: sotto settings shows all", o.Name)
	}
	option := options[i]
	if o.Value != "" {
		if s, err = d.setOption(option, s, o.Value); err != nil {
			return err
		}
	}
	x.setting(option, s)
	return x.failed
}

func (d *Device) setOption(o option, s client.Settings, value string) (client.Settings, error) {
	if len(o.values) > 0 && !slices.Contains(o.values, value) {
		return s, Usage("%s takes one of %s", o.name, strings.Join(o.values, ", "))
	}
	if err := o.set(&s, value); err != nil { // tried on a copy first
		return s, err
	}
	if o.name == "at-login" { // that did it
		return s, nil
	}
	if err := d.Client.SetSettings(func(s *client.Settings) { _ = o.set(s, value) }); err != nil {
		return s, err
	}
	return d.Client.Settings()
}

// setting prints a setting as it is typed; in JSON as it is kept.
func (x *IO) setting(o option, s client.Settings) {
	v := o.get(s)
	shown := ""
	switch v := v.(type) {
	case bool:
		shown = "off"
		if v {
			shown = "on"
		}
	case string:
		shown = v
	default:
		b, err := json.Marshal(v)
		if err != nil {
			x.failed = err
			return
		}
		shown = string(b)
		if o.name == "disappear" {
			shown = spanText(time.Duration(s.Disappear) * time.Second)
		} else if shown == "0" {
			shown = "off"
		}
	}
	x.say(Setting{Type: "setting", Name: o.name, Value: v, Help: o.help}, "%-12s %-8s %s", o.name, shown, o.help)
}
