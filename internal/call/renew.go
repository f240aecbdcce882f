package call

import (
	"context"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
)

// renew looks for a path anew: an ICE restart (RFC 8445 section 9), with servers and
// addresses of now. It goes on until there is a path, the other side's renewal comes first,
// or patience ends.
func (p *Peer) renew() {
	p.renewAt = time.Now().Add(again)
	if p.pending != nil && p.pending.round == 0 {
		p.tellRenewal() // it could not be told yet
		return
	}
	if servers, err := p.servers(); err == nil {
		p.only = servers.Only
		if err := p.pc.SetConfiguration(servers.configuration()); err != nil {
			p.end(Failed, err, true)
			return
		}
	} // without an answer those of before have to do
	if err := p.restart(); err != nil {
		p.end(Failed, err, true)
		return
	}
	p.tellRenewal()
}

// restart makes the description of a renewal.
func (p *Peer) restart() error {
	if err := p.rollBack(); err != nil {
		return err
	}
	p.forget()
	d, err := p.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		return err
	}
	p.pending = &pending{sdp: d.SDP}
	return p.pc.SetLocalDescription(d)
}

// tellRenewal tells the other side of it.
func (p *Peer) tellRenewal() {
	ctx, cancel := context.WithDeadline(p.ctx, p.broken.Add(giveUp))
	defer cancel()
	round, err := p.o.Signalling.Renew(ctx, p.pending.sdp)
	if err != nil {
		p.renewAt = time.Now().Add(resay)
		return
	}
	p.pending.round = round
	p.tellCandidates()
}

// rollBack takes an own renewal back that nobody answered. Pion has no rollback (RFC 8829
// section 4.1.10.2): the renewal gets the description in force for an answer, and counts as
// answered. What it does to ICE is undone by the restart that follows.
func (p *Peer) rollBack() error {
	if p.pending == nil {
		return nil
	}
	p.pending = nil
	sdp := strings.ReplaceAll(p.pc.CurrentRemoteDescription().SDP, "a=setup:actpass", "a=setup:active")
	return p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp})
}

// forget drops the candidates of a round that is over.
func (p *Peer) forget() {
	p.local, p.remote, p.told, p.taken = nil, nil, 0, 0
}

// renewed answers the other side's renewal. An own one that is under way came second, or
// this one would not be told of it.
func (p *Peer) renewed(m Media) error {
	if err := checkLayout(m.Offer); err != nil {
		return err
	}
	if err := p.rollBack(); err != nil {
		return err
	}
	p.forget()
	p.lost(false)
	p.round, p.renewAt = m.Round, time.Now().Add(again)
	p.mute = true // until the answer is told
	sdp, err := p.accept(m.Offer)
	if err != nil {
		return err
	}
	if err := p.o.Signalling.Renewed(p.ctx, m.Round, sdp); err != nil {
		p.renewAt = time.Now().Add(resay) // by a renewal of this side
	}
	p.mute = false
	p.tellCandidates()
	if p.early.Round == m.Round {
		p.candidates(p.early.Candidates)
	}
	p.early = Media{}
	return nil
}
