package app

import (
	"encoding/json"
	"strings"
	"testing"

	"sotto/internal/app/api"
	"sotto/internal/play"
)

// Ana writes her words down at one window, where a passphrase guards the key, and comes back by
// them at another.
func TestRecovery(t *testing.T) {
	w := play.New(t)
	ana := deskOf(w, "ana")
	ana.must("PUT", "/custody", api.SetCustody{Custody: api.CustodyPassphrase, New: phrase}, nil)
	var r api.Recovery
	ana.must("GET", "/recovery", nil, &r)
	if r.Set || r.At != 0 || r.Back != nil {
		t.Errorf("%+v", r)
	}
	ana.refused("POST", "/recovery/words", api.MakeWords{}, "wrong passphrase")
	ana.refused("POST", "/recovery/confirm", api.ConfirmWords{Words: []string{"a", "b", "c"}}, "no words made")
	e := ana.listen()
	var made api.NewWords
	ana.must("POST", "/recovery/words", api.MakeWords{Passphrase: phrase}, &made)
	if len(made.Words) != 24 || len(made.Places) != 3 {
		t.Fatalf("%d words, %v", len(made.Words), made.Places)
	}
	e.wait("words were made", func(e api.Event) bool { return e.Type == api.EventRecovery })

	// Words that were not confirmed do not outlive the locking of the keys.
	typed := func() (out []string) {
		for _, p := range made.Places {
			out = append(out, made.Words[p-1])
		}
		return out
	}
	ana.must("POST", "/lock", nil, nil)
	ana.must("POST", "/unlock", api.Unlock{Passphrase: phrase}, nil)
	ana.refused("POST", "/recovery/confirm", api.ConfirmWords{Words: typed()}, "no words made")
	ana.must("POST", "/recovery/words", api.MakeWords{Passphrase: phrase}, &made)
	ana.refused("POST", "/recovery/confirm", api.ConfirmWords{Words: []string{"zoo", "zoo", "zz"}}, "malformed")
	ana.eventually("the server is reached again", func() bool {
		status, b, _ := ana.do(ana.request("POST", "/recovery/confirm", api.ConfirmWords{Words: typed()}))
		return status == 200 && json.Unmarshal(b, &r) == nil
	})
	if !r.Set || r.At == 0 || !r.Record || len(r.Places) != 0 {
		t.Errorf("%+v", r)
	}
	ana.refused("POST", "/recovery/words", api.MakeWords{Passphrase: phrase}, "words needed")

	words := strings.Join(made.Words, " ")
	fresh := newDesk(w, "new")
	fresh.refused("POST", "/account/recover", api.RecoverAccount{Handle: ana.handle(), Words: words, Passphrase: "short"}, "unfit passphrase")
	fresh.refused("POST", "/account/recover", api.RecoverAccount{Handle: ana.handle(), Words: strings.Repeat("zoo ", 23) + "vote"}, "wrong words")
	if s := fresh.state(); s.Phase != api.PhaseNew {
		t.Errorf("%+v", s)
	}
	var self api.Self
	fresh.must("POST", "/account/recover", api.RecoverAccount{Handle: ana.handle(), Words: words, Name: "Desk", Passphrase: phrase}, &self)
	if s := fresh.state(); self.Handle != ana.handle() || s.Phase != api.PhaseOpen || s.Custody != api.CustodyPassphrase {
		t.Errorf("%+v %+v", self, s)
	}
	fresh.refused("POST", "/account/recover", api.RecoverAccount{Handle: ana.handle(), Words: words}, "account exists")
	var devices []api.OwnDevice
	fresh.must("GET", "/devices", nil, &devices)
	if len(devices) != 1 || devices[0].Name != "Desk" {
		t.Errorf("%+v", devices)
	}
}
