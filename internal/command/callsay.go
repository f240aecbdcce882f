package command

import (
	"context"
	"slices"

	"sotto/internal/call"
	"sotto/internal/client"
	"sotto/internal/room"
)

// A callLine is the Signalling of its peer: what the peer says goes to the client.

// mediaOf is what the client knows of the other side, for the peer.
func mediaOf(m client.CallMedia) call.Media {
	out := call.Media{Round: int(m.Round), Offer: m.Offer, Answer: m.Answer}
	for _, c := range m.Candidates {
		out.Candidates = append(out.Candidates, call.Candidate{Mid: c.Mid, Line: int(c.Line), Candidate: c.Candidate})
	}
	return out
}

// Offer calls.
func (l *callLine) Offer(_ context.Context, sdp string) error {
	c, err := l.d.Client.StartCall(client.NewCall{Room: l.room, Video: l.o.Video || l.files[call.Camera] != nil, SDP: sdp})
	if err == nil {
		l.put(func() { l.id = c.ID })
	}
	return err
}

// Answer takes the call.
func (l *callLine) Answer(ctx context.Context, sdp string) error {
	_, err := l.d.Client.AnswerCall(ctx, l.named(), sdp, "")
	return err
}

// Renew looks for a path anew.
func (l *callLine) Renew(ctx context.Context, sdp string) (int, error) {
	m, err := l.d.Client.Renew(ctx, l.named(), sdp)
	return int(m.Round), err
}

// Renewed answers the other side's renewal.
func (l *callLine) Renewed(_ context.Context, round int, sdp string) error {
	return l.d.Client.Renewed(l.named(), uint64(round), sdp)
}

// Candidates tells those of this side.
func (l *callLine) Candidates(_ context.Context, round int, list []call.Candidate) error {
	out := []room.Candidate{}
	for _, c := range list {
		if c.Candidate != "" {
			out = append(out, room.Candidate{Mid: c.Mid, Line: uint64(c.Line), Candidate: c.Candidate})
		}
	}
	end := slices.ContainsFunc(list, func(c call.Candidate) bool { return c.Candidate == "" })
	return l.d.Client.AddCandidates(l.named(), uint64(round), out, end)
}

// End ends the call.
func (l *callLine) End(_ context.Context, why call.End) error {
	id := l.named()
	if id == (room.CallID{}) {
		return nil // there is none yet
	}
	return l.d.Client.EndCall(id, map[call.End]client.CallEnd{call.HungUp: client.EndHungUp, call.Failed: client.EndFailed}[why])
}

func (l *callLine) named() room.CallID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id
}
