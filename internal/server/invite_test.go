package server

import (
	"os"
	"path/filepath"
	"runtime"
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

// What mail scanners and previews do with a link spends nothing, and the server gets to see
// nothing of what stands behind its #.
func TestLookingSpendsNothing(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	made, err := r.s.Invite(1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	l, err := wire.ParseLink(made.Links[0])
	if err != nil || l.Code != made.Codes[0] || l.Host != r.host() || l.Kind != wire.LinkAccount || l.Until != uint64(made.Until.UnixMilli()) {
		t.Fatalf("%+v, %v", l, err)
	}
	page, _, _ := strings.Cut(made.Links[0], "#")
	path := strings.TrimPrefix(page, r.base)
	for range 3 {
		for _, method := range []string{"GET", "HEAD"} {
			for _, p := range []string{path, path + "/page.js", path + "?code=" + l.Code, path + "/" + l.Code} {
				status, _, _ := r.get(method, p, nil, nil)
				if want := p == path+"/"+l.Code; (status != 200) != want {
					t.Errorf("%s %s: %d", method, p, status)
				}
			}
		}
	}
	if status, _, _ := r.get("POST", path, nil, []byte(l.Code)); status != 405 {
		t.Errorf("POST: %d", status)
	}
	if status, _, _ := r.get("GET", path, map[string]string{"Origin": "https://evil.example"}, nil); status != 403 {
		t.Errorf("from another page: %d", status)
	}
	g := newKeys(t).Genesis(wire.Handle{Name: "bo", Host: r.host()}, time.Now())
	r.open("/v1/account").must(wire.OpRegister, wire.Register{Genesis: g, Invitation: l.Code}, nil)
}

// Downloads are metered by address.
func TestDownloadsAreMetered(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "sotto")
	if err := os.WriteFile(exe, []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	o := Options{Limits: wide(), Executable: exe}
	o.Limits.ProgramsPerHour = 2
	r := start(t, o, ServeOptions{})
	name := "sotto-" + runtime.GOOS + "-" + runtime.GOARCH
	for i, want := range []int{200, 200, 429, 429} {
		status, code, b := r.get("GET", "/i/programs/"+name, nil, nil)
		if status != want || want == 200 && string(b) != "a program" || want == 429 && code != "13" {
			t.Errorf("download %d: %d, code %s, %q", i, status, code, b)
		}
	}
	if status, _, _ := r.get("HEAD", "/i/programs/"+name, nil, nil); status != 200 {
		t.Errorf("HEAD: %d", status)
	}
}
