package call

import (
	"slices"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
)

// Path is how two sides reach each other.
type Path struct {
	Relayed bool   // one of the ends is a relay's
	Local   string // "host", "srflx", "prflx" or "relay", RFC 8445 section 5.1.1
	Remote  string
	Family  string // "udp4" or "udp6"
}

// path is the one in use.
func (p *Peer) path() (Path, bool) {
	pair, err := p.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Local == nil || pair.Remote == nil {
		return Path{}, false
	}
	family := "udp4"
	if strings.Contains(pair.Remote.Address, ":") {
		family = "udp6"
	}
	relay := webrtc.ICECandidateTypeRelay
	return Path{pair.Local.Typ == relay || pair.Remote.Typ == relay, pair.Local.Typ.String(), pair.Remote.Typ.String(), family}, true
}

// found keeps a candidate of this side until it is told. Where only relayed paths may be
// taken the address behind the relay is not told either (RFC 8828).
func (p *Peer) found(c *webrtc.ICECandidate) {
	if p.told+len(p.local) >= MaxCandidates {
		return
	}
	if c == nil {
		p.local = append(p.local, Candidate{})
	} else {
		if p.only {
			if c.Typ != webrtc.ICECandidateTypeRelay {
				return
			}
			c.RelatedAddress, c.RelatedPort = "0.0.0.0", 9
		}
		j := c.ToJSON()
		out := Candidate{Candidate: j.Candidate}
		if j.SDPMid != nil {
			out.Mid = *j.SDPMid
		}
		if j.SDPMLineIndex != nil {
			out.Line = int(*j.SDPMLineIndex)
		}
		if len(out.Candidate) > maxCandidate {
			return
		}
		p.local = append(p.local, out)
	}
	if !p.batch {
		p.batch = true
		time.AfterFunc(gathering, func() { p.post(p.tellCandidates) })
	}
}

// tellCandidates tells what was found since the last time.
func (p *Peer) tellCandidates() {
	p.batch = false
	if p.mute || len(p.local) == 0 {
		return
	}
	round := p.round
	if p.pending != nil {
		if p.pending.round == 0 {
			return
		}
		round = p.pending.round
	}
	list := p.local
	p.local, p.told = nil, p.told+len(list)
	_ = p.o.Signalling.Candidates(p.ctx, round, list) // may be lost: without a path the call is renewed
}

// Receive takes what the other side says.
func (p *Peer) Receive(m Media) { p.post(func() { p.receive(m) }) }

func (p *Peer) receive(m Media) {
	var err error
	switch {
	case m.Offer != "" && m.Round > p.round:
		err = p.renewed(m)
	case m.Answer != "" && p.pending != nil && m.Round == p.pending.round,
		m.Answer != "" && p.pending == nil && m.Round == 0 && p.pc.SignalingState() == webrtc.SignalingStateHaveLocalOffer:
		err = p.answered(m)
	}
	if err != nil {
		p.end(Failed, err, true)
		return
	}
	switch {
	case m.Round == p.round || p.pending != nil && m.Round == p.pending.round:
		p.candidates(m.Candidates)
	case m.Round > p.round: // a signal was faster than its entry
		if p.early.Round != m.Round {
			p.early = Media{Round: m.Round}
		}
		room := MaxCandidates - len(p.early.Candidates)
		p.early.Candidates = append(p.early.Candidates, m.Candidates[:max(0, min(room, len(m.Candidates)))]...)
	}
}

// answered takes the answer to the own offer or renewal.
func (p *Peer) answered(m Media) error {
	if err := checkLayout(m.Answer); err != nil {
		return err
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: m.Answer}); err != nil {
		return err
	}
	if p.pending != nil {
		p.round, p.pending = p.pending.round, nil
	}
	p.broken = time.Now() // from now on it is looked for
	p.candidates(nil)
	return nil
}

// candidates takes those of the other side, or keeps them until its description is here.
func (p *Peer) candidates(list []Candidate) {
	room := MaxCandidates - p.taken - len(p.remote)
	p.remote = append(p.remote, list[:max(0, min(room, len(list)))]...)
	if p.pc.RemoteDescription() == nil || p.pending != nil {
		return
	}
	for _, c := range p.remote {
		p.taken++
		if c.Candidate == "" || len(c.Candidate) > maxCandidate {
			continue
		}
		line := uint16(max(0, min(c.Line, int(Lines))))
		mid := c.Mid
		// One that Pion does not take, as a name of mDNS, is no path, and harms no other.
		_ = p.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: c.Candidate, SDPMid: &mid, SDPMLineIndex: &line})
	}
	p.remote = nil
}

// stateOf is the step that follows a change of ICE's state.
func (p *Peer) stateOf(s webrtc.ICEConnectionState) func() {
	return func() {
		switch s {
		case webrtc.ICEConnectionStateConnected, webrtc.ICEConnectionStateCompleted:
			p.broken, p.renewAt = time.Time{}, time.Time{}
			if p.pc.ConnectionState() == webrtc.PeerConnectionStateConnected {
				p.flows()
			}
		case webrtc.ICEConnectionStateDisconnected, webrtc.ICEConnectionStateFailed:
			p.lost(s == webrtc.ICEConnectionStateFailed)
		}
	}
}

// flows says that media flow, when they begin to.
func (p *Peer) flows() {
	path, ok := p.path()
	if !ok || p.connected || !p.broken.IsZero() {
		return
	}
	p.connected = true
	p.budget.anew()
	for _, s := range p.senders {
		s.start()
	}
	p.o.Tell(Event{Kind: Connected, Path: path})
}

// lost says that they do not, and when to renew.
func (p *Peer) lost(failed bool) {
	now := time.Now()
	if p.broken.IsZero() {
		p.broken = now
	}
	if p.connected {
		p.connected = false
		p.o.Tell(Event{Kind: Broken})
	}
	wait := patience
	if failed {
		wait = 0
	}
	if !p.caller {
		wait += politer
	}
	if at := now.Add(wait); p.renewAt.IsZero() || at.Before(p.renewAt) {
		p.renewAt = at
	}
}

// look is what is done every moment: the network, renewals that are due, the ends of patience.
func (p *Peer) look() {
	now := time.Now()
	if is := addresses(); !slices.Equal(is, p.network) {
		gone := slices.ContainsFunc(p.network, func(a string) bool { return !slices.Contains(is, a) })
		p.network = is
		if (gone || !p.connected) && len(is) > 0 && p.pc.RemoteDescription() != nil {
			p.lost(true)
			p.renewAt = now // whoever else waits has not noticed
		}
	}
	switch {
	case p.bye.Load() != 0 && now.Sub(time.Unix(0, p.bye.Load())) > byeLasts:
		p.end(HungUp, nil, true)
	case p.pc.RemoteDescription() != nil && !p.broken.IsZero() && now.Sub(p.broken) > giveUp:
		p.end(Failed, nil, true)
	case p.pc.RemoteDescription() != nil && !p.renewAt.IsZero() && now.After(p.renewAt):
		p.renew()
	default:
		p.sayState()
		if p.connected {
			p.budget.measured(p.delay())
		}
	}
}
