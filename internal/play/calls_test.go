package play

import (
	"errors"
	"slices"
	"testing"

	"sotto/internal/client"
	"sotto/internal/room"
)

// Ana calls Bo. He hears it ring, and she hears that; he answers; both see the same two words and
// what the other side's browser needs; he hangs up, and the call stands in the conversation.
func TestCall(t *testing.T) {
	_, ana, bo := pairOf(t)
	before := bo.Room(ana.Handle).Unseen
	v := ana.calls(bo.Handle)
	if v.Stage != client.StageCalling || !v.Here || !v.Outgoing || v.Relayed {
		t.Fatalf("%+v", v)
	}
	if err := ana.Client.AddCandidates(v.ID, 0, []room.Candidate{Candidate(1), Candidate(2)}, false); err != nil {
		t.Fatal(err)
	}
	ringing := bo.rings(v.ID)
	if ringing.Outgoing || ringing.Here || ringing.Devices != 1 || ringing.Room != bo.Room(ana.Handle).ID {
		t.Fatalf("%+v", ringing)
	}
	ana.until(v.ID, "ringing there", func(v client.Call) bool { return v.Stage == client.StageRinging && v.Devices == 1 })
	var m client.CallMedia
	bo.Eventually("candidates", func() bool { m = must(bo.Client.Media(v.ID)); return len(m.Candidates) == 2 }, func() any { return m })
	if m.Offer != SDP(ana.Home+" calls") || m.Answer != "" || m.Candidates[0] != Candidate(1) {
		t.Fatalf("%+v", m)
	}

	answered, err := bo.answers(v.ID)
	if err != nil || !answered.Here || answered.Stage != client.StageTalking {
		t.Fatalf("%+v %v", answered, err)
	}
	if err := bo.Client.AddCandidates(v.ID, 0, []room.Candidate{Candidate(3)}, true); err != nil {
		t.Fatal(err)
	}
	words := ana.talks(v.ID).Words
	if got := bo.talks(v.ID); !slices.Equal(got.Words, words) || words[0] == "" {
		t.Fatalf("%v and %v", words, got.Words)
	}
	ana.Eventually("candidates", func() bool { m = must(ana.Client.Media(v.ID)); return len(m.Candidates) == 1 && m.End }, func() any { return m })
	if m.Answer != SDP(bo.Home+" answers") || m.Offer != "" {
		t.Fatalf("%+v", m)
	}
	if err := ana.Client.SetMatched(v.ID, true); err != nil {
		t.Fatal(err)
	}

	if err := bo.Client.EndCall(v.ID, client.EndHungUp); err != nil {
		t.Fatal(err)
	}
	if got := ana.over(v.ID, client.EndHungUp); !got.Matched || got.Answered == 0 || got.Here {
		t.Fatalf("%+v", got)
	}
	bo.over(v.ID, client.EndHungUp)
	if row := ana.tells(bo.Handle, "call.talked.own"); row.Call == nil || row.Call.ID != v.ID || row.Said.Values["time"] != "0:00" {
		t.Fatalf("%+v", row)
	}
	bo.tells(ana.Handle, "call.talked")
	if past, err := bo.Client.CallsPast(nil, 10); err != nil || len(past) != 1 || past[0].ID != v.ID || bo.Room(ana.Handle).Unseen != before {
		t.Fatalf("%+v %v", past, err)
	}
	if _, err := bo.Client.Media(v.ID); !errors.Is(err, client.ErrCallOver) {
		t.Errorf("descriptions of a call that is over: %v", err)
	}
}
