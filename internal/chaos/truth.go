//go:build linux && chaos

package chaos

import (
	"slices"
	"strings"
)

// exits are the exit codes of failures that are not 1 (docs/command-line.md).
var exits = map[string]int{"": 0, "usage": 2, "unreachable": 3, "timeout": 3, "queued": 3}

// excuse says when a command may fail with a code.
type excuse struct {
	code string
	when func(o *outcome, t theme) bool
}

var excuses = []excuse{
	{"unreachable", func(_ *outcome, t theme) bool { return t.network() }},
	{"timeout", func(_ *outcome, t theme) bool { return t.network() }},
	{"queued", func(_ *outcome, t theme) bool { return t.network() || t.full > 0 }},
	{"slow down", func(_ *outcome, t theme) bool { return t.network() }}, // a server that stops says so
	{"stopped", func(o *outcome, _ theme) bool { return o.upset }},
	{"interrupted", func(o *outcome, _ theme) bool { return o.upset }},
	{"not a member", func(o *outcome, t theme) bool { return o.in != nil && (!o.in.is(o.d) || t.network() || t.full > 0) }},
	{"failed", func(o *outcome, _ theme) bool { return o.in != nil && !o.in.is(o.d) }},
	{"no such room", func(o *outcome, t theme) bool { return o.in != nil && (!o.in.is(o.d) || t.network() || t.full > 0) }}, // its invitation is on its way
	{"account exists", func(_ *outcome, t theme) bool { return t.meeting }},                                                 // it was made before the command was killed
	{"no such handle", func(_ *outcome, t theme) bool { return t.meeting }},
	{"no such request", func(_ *outcome, t theme) bool { return t.meeting }},
	{"in use", func(o *outcome, _ theme) bool { return o.slept }},
	{"disk full", func(_ *outcome, t theme) bool { return t.full > 0 }},
	{"disk", func(_ *outcome, t theme) bool { return t.full > 0 }},
	{"storage full", func(_ *outcome, t theme) bool { return t.full > 0 }},
}

// judge looks whether a command ended as it may.
func (o *outcome) judge() {
	what := strings.Join(o.args, " ")
	switch {
	case o.process.killed.Load():
		return
	case o.exit() < 0:
		o.j.fault(o.who, "%s was ended by %v, not by us\n%s", what, o.cmd.ProcessState, o.said())
		return
	}
	want, other := exits[o.code]
	if !other {
		want = 1
	}
	if o.exit() != want {
		o.j.fault(o.who, "%s: exit code %d with the failure %q\n%s", what, o.exit(), o.code, o.said())
	}
	if o.code != "" && o.code != o.may && !o.excused() {
		o.j.fault(o.who, "%s failed (%s, %q) where nothing excuses it\n%s", what, o.theme.name, o.code, o.said())
	}
}

// excused says whether a command may fail as it did.
func (o *outcome) excused() bool {
	return slices.ContainsFunc(excuses, func(e excuse) bool { return e.code == o.code && e.when(o, o.theme) })
}

// ok says whether a command did what it was to do.
func (o *outcome) ok() bool { return o != nil && o.exit() == 0 }

// sent holds what send told against what it was given, and keeps it.
func (w *World) sent(o *outcome, what []*message) {
	if o == nil {
		return
	}
	told, waiting := 0, 0
	for _, x := range o.objects {
		if x.Type == "sent" {
			told++
			if x.State == "queued" {
				waiting++
			}
		}
	}
	switch {
	case o.process.killed.Load(), o.exit() == 1, o.exit() == 3 && o.code != "queued": // nothing was begun
	case told != len(what):
		w.journal.fault(o.who, "send told of %d messages of %d, and ended with %d", told, len(what), o.exit())
	case o.exit() == 0 && waiting > 0:
		w.journal.fault(o.who, "send left %d messages queued, and ended with 0", waiting)
	case o.code == "queued" && waiting == 0:
		w.journal.fault(o.who, "send says that messages are queued, and none is")
	}
}
