package server

import (
	"strings"
	"testing"
	"time"

	"sotto/internal/wire"
)

// A person makes a code over the protocol, as many as the configuration grants, and
// somebody comes in by it.
func TestInvite(t *testing.T) {
	o := Options{Limits: wide()}
	o.Limits.PeopleInviteOpen, o.Limits.PeopleInvitePerWeek = 2, 3
	r := start(t, o, ServeOptions{})
	ana := r.person("ana")
	invite := func() string {
		t.Helper()
		var out wire.Invited
		ana.must(wire.OpInvite, wire.Invite{Lifetime: 3600}, &out)
		if left := time.Until(time.UnixMilli(int64(out.Until))); left > time.Hour || left < 59*time.Minute {
			t.Errorf("good for %v", left)
		}
		return out.Code
	}
	p := r.open("/v1/account")
	p.refused(wire.CodeNotAuthenticated, wire.OpInvite, wire.Invite{})
	code := invite()
	g := newKeys(t).Genesis(wire.Handle{Name: "bo", Host: r.host()}, time.Now())
	p.must(wire.OpRegister, wire.Register{Genesis: g, Invitation: strings.ToUpper(code)}, nil)
	p.must(wire.OpRegister, wire.Register{Genesis: g, Invitation: code}, nil) // its answer was lost
	invite()
	invite()
	ana.refused(wire.CodeQuota, wire.OpInvite, wire.Invite{})
	ana.refused(wire.CodeMalformed, wire.OpInvite, wire.Invite{Lifetime: 1})
	ana.refused(wire.CodeMalformed, wire.OpInvite, wire.Invite{Lifetime: 1 << 63})

	// The operator changes the rule of a running server.
	o.Limits.PeopleInviteOpen = 0
	r.s.Reload(false, o.Limits)
	ana.refused(wire.CodeQuota, wire.OpInvite, wire.Invite{})
}
