package app

import (
	"errors"
	"strconv"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/room"
)

// callID is the call that the path names.
func (c *call) callID() (id room.CallID, err error) {
	return id, hexID("call", c.r.PathValue("call"), id[:])
}

// call is a call as windows have it.
func (v *viewer) call(x client.Call) api.Call {
	p := v.card(x.Peer)
	out := api.Call{
		ID: x.ID.String(), Room: text(x.Room[:]), Person: text(x.Peer[:]), Name: p.Name, Tint: tint(x.Peer[:]), Compared: p.Compared != 0,
		Outgoing: x.Outgoing, Video: x.Video, Stage: api.CallStage(x.Stage), Here: x.Here, Window: x.Window,
		Began: x.Began, Answered: x.Answered, Ended: x.Ended, End: api.CallEnd(x.End), Relayed: x.Relayed,
		Words: x.Words, Matched: x.Matched, Devices: x.Devices, Rings: x.Rings,
	}
	if x.Instead != nil {
		out.Instead = x.Instead.String()
	}
	return out
}

func (v *viewer) calls(list []client.Call) []api.Call {
	out := make([]api.Call, 0, len(list))
	for _, x := range list {
		out = append(out, v.call(x))
	}
	return out
}

// media is what the other side of a call says. The last candidate of a round is followed by an
// empty one, as in RTCIceCandidate.
func (v *viewer) media(m client.CallMedia) api.CallMedia {
	out := api.CallMedia{Call: v.call(m.Call), Round: int(m.Round), Offer: m.Offer, Answer: m.Answer, Candidates: []api.Candidate{}}
	for _, k := range m.Candidates {
		out.Candidates = append(out.Candidates, api.Candidate{Mid: k.Mid, Line: int(k.Line), Candidate: k.Candidate})
	}
	if m.End {
		out.Candidates = append(out.Candidates, api.Candidate{})
	}
	return out
}

// viewed is something of the client's for an answer, in the way of a viewer.
func viewed[T, A any](c *call, x T, err error, as func(*viewer, T) A) (a A, _ error) {
	if err != nil {
		return a, err
	}
	v, err := c.viewer()
	if err != nil {
		return a, err
	}
	return as(v, x), nil
}

// seenCall is a call for an answer.
func (c *call) seenCall(x client.Call, err error) (api.Call, error) {
	return viewed(c, x, err, (*viewer).call)
}

func calls(c *call) ([]api.Call, error) {
	list, err := c.c.Calls()
	if err != nil {
		return nil, err
	}
	v, err := c.viewer()
	if err != nil {
		return nil, err
	}
	return v.calls(list), nil
}

func pastCalls(c *call, q api.PastCalls) ([]api.Call, error) {
	var before *room.CallID
	if q.Before != "" {
		before = new(room.CallID)
		if err := hexID("before", q.Before, before[:]); err != nil {
			return nil, err
		}
	}
	if q.Limit < 0 || q.Limit > client.MaxPage {
		return nil, malformed("limit", "a list holds 1 to %d calls", client.MaxPage)
	}
	if q.Limit == 0 {
		q.Limit = 60
	}
	list, err := c.c.CallsPast(before, q.Limit)
	if err != nil {
		return nil, err
	}
	v, err := c.viewer()
	if err != nil {
		return nil, err
	}
	return v.calls(list), nil
}

func startCall(c *call, in api.NewCall) (api.Call, error) {
	id, err := roomID("room", in.Room)
	if err != nil {
		return api.Call{}, err
	}
	if err := c.holder(in.Window); err != nil {
		return api.Call{}, err
	}
	x, err := c.seenCall(c.c.StartCall(client.NewCall{Room: id, Video: in.Video, SDP: in.SDP, Window: in.Window}))
	if err == nil {
		c.app.windowGone(in.Window) // it may never have been there
	}
	return x, err
}

// holder checks the name of the window that is to hold a call.
func (c *call) holder(window string) error {
	if window != "" && !windowName(window) {
		return malformed("window", "a window's name has 1 to 64 letters and digits")
	}
	return nil
}

func oneCall(c *call) (api.Call, error) {
	id, err := c.callID()
	if err != nil {
		return api.Call{}, err
	}
	return c.seenCall(c.c.Call(id))
}

func callMedia(c *call) (api.CallMedia, error) {
	id, err := c.callID()
	if err != nil {
		return api.CallMedia{}, err
	}
	return c.seenMedia(c.c.Media(id))
}

func (c *call) seenMedia(m client.CallMedia, err error) (api.CallMedia, error) {
	return viewed(c, m, err, (*viewer).media)
}

func answerCall(c *call, in api.CallDescription) (api.Call, error) {
	id, err := c.callID()
	if err != nil {
		return api.Call{}, err
	}
	if err := c.holder(in.Window); err != nil {
		return api.Call{}, err
	}
	x, err := c.seenCall(c.c.AnswerCall(c.ctx, id, in.SDP, in.Window))
	if err == nil {
		c.app.windowGone(in.Window)
	}
	return x, err
}

func addCandidates(c *call, in api.NewCandidates) error {
	id, err := c.callID()
	if err != nil {
		return err
	}
	var list []room.Candidate
	end := false
	for _, k := range in.Candidates {
		if k.Candidate == "" {
			end = true
			continue
		}
		if k.Line < 0 {
			return malformed("candidates", "a candidate's line is 0 or more")
		}
		list = append(list, room.Candidate{Mid: k.Mid, Line: uint64(k.Line), Candidate: k.Candidate})
	}
	if in.Round < 0 {
		return malformed("round", "rounds count from 0")
	}
	return c.c.AddCandidates(id, uint64(in.Round), list, end)
}

func renewCall(c *call, in api.CallDescription) (api.CallMedia, error) {
	id, err := c.callID()
	if err != nil {
		return api.CallMedia{}, err
	}
	return c.seenMedia(c.c.Renew(c.ctx, id, in.SDP))
}

func callRenewed(c *call, in api.CallDescription) error {
	id, err := c.callID()
	if err != nil {
		return err
	}
	round, err := strconv.ParseUint(c.r.PathValue("round"), 10, 32)
	if err != nil {
		return malformed("round", "this is no round of a call")
	}
	return c.c.Renewed(id, round, in.SDP)
}

func callMatched(c *call, in api.SetOn) error {
	id, err := c.callID()
	if err != nil {
		return err
	}
	return c.c.SetMatched(id, in.On)
}

func endCall(c *call, in api.EndCall) error {
	id, err := c.callID()
	if err != nil {
		return err
	}
	if in.Text != "" {
		if err := composing(in.Text); err != nil {
			return err
		}
	}
	x, err := c.c.Call(id)
	if err != nil {
		return err
	}
	if err := c.c.EndCall(id, client.CallEnd(in.End)); err != nil || in.Text == "" {
		return err
	}
	_, err = c.c.Send(c.ctx, text(x.Room[:]), client.Text(in.Text))
	return err
}

// windowGone ends the calls that a window held when it does not come back soon.
func (a *App) windowGone(window string) {
	if window == "" || a.events.hears(window) {
		return
	}
	a.o.Clock.AfterFunc(windowBack, func() {
		if a.events.hears(window) {
			return
		}
		in, leave, err := a.enter(false)
		if err != nil {
			return // locked: its calls have ended
		}
		defer leave()
		list, err := in.Client.Calls()
		for _, x := range list {
			if err == nil && x.Here && x.Window == window {
				err = in.Client.EndCall(x.ID, client.EndHungUp)
			}
		}
		if err != nil && !errors.Is(err, client.ErrClosed) {
			a.log.Warn("a call without a window could not be ended", "why", err)
		}
	})
}
