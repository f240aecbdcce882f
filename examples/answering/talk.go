package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"
)

// talk is a call that was answered.
type talk struct {
	m    *machine
	call call
	pc   *webrtc.PeerConnection
	end  *time.Timer

	greeted sync.Once

	mu    sync.Mutex // of round
	round int
}

// answer answers a call.
func (m *machine) answer(ctx context.Context, c call) (_ *talk, err error) {
	var side otherSide
	if err := m.app.get(ctx, "/calls/"+c.ID+"/media", &side); err != nil {
		return nil, err
	}
	t := &talk{m: m, call: c}
	if t.pc, err = m.connection(ctx, c.Room); err != nil {
		return nil, err
	}
	if err = t.begin(ctx, side); err != nil {
		return nil, errors.Join(err, t.pc.Close(), m.app.post(ctx, "/calls/"+c.ID+"/end", map[string]string{"end": "failed"}))
	}
	return t, nil
}

// connection is a peer connection with the home server's relays.
func (m *machine) connection(ctx context.Context, room string) (*webrtc.PeerConnection, error) {
	var r relays
	if err := m.app.get(ctx, "/calls/relays?room="+room, &r); err != nil {
		return nil, err
	}
	config := webrtc.Configuration{}
	if r.Only {
		config.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	for _, s := range r.Servers {
		config.ICEServers = append(config.ICEServers, webrtc.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(m.loopback)
	return webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(config)
}

// begin lays the lines of section 34, in their order, and takes up the call.
func (t *talk) begin(ctx context.Context, side otherSide) error {
	voice, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "microphone", "answering")
	if err != nil {
		return err
	}
	if _, err := t.pc.AddTransceiverFromTrack(voice); err != nil {
		return err
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
		if _, err := t.pc.AddTransceiverFromKind(kind); err != nil {
			return err
		}
	}
	yes, id := true, uint16(0)
	states, err := t.pc.CreateDataChannel("sotto", &webrtc.DataChannelInit{Negotiated: &yes, ID: &id})
	if err != nil {
		return err
	}
	states.OnOpen(func() { _ = states.SendText(`{"v":1,"mic":true,"camera":false,"screen":false,"hold":false}`) })
	t.pc.OnICECandidate(func(c *webrtc.ICECandidate) { t.tell(ctx, c) })
	t.pc.OnTrack(t.hear)
	t.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			t.greet(voice)
		}
	})
	if err := t.describe(ctx, side, "/answer"); err != nil {
		return err
	}
	t.end = time.AfterFunc(t.m.lasts, func() {
		_ = states.SendText(`{"v":1,"bye":true}`)
		if err := t.m.app.post(context.WithoutCancel(ctx), "/calls/"+t.call.ID+"/end", map[string]string{"end": "hung_up"}); err != nil {
			t.m.log("hanging up: %s", err)
		}
	})
	return nil
}

// describe takes the other side's description and answers it.
func (t *talk) describe(ctx context.Context, side otherSide, path string) error {
	if err := t.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: side.Offer}); err != nil {
		return err
	}
	answer, err := t.pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	if err := t.m.app.post(ctx, "/calls/"+t.call.ID+path, map[string]string{"sdp": answer.SDP, "window": window}); err != nil {
		return err
	}
	t.mu.Lock()
	t.round = side.Round
	t.mu.Unlock()
	if err := t.pc.SetLocalDescription(answer); err != nil {
		return err
	}
	t.candidates(side.Candidates)
	return nil
}

// media takes what the other side says while the call goes on: a renewal, or candidates.
func (t *talk) media(ctx context.Context, side otherSide) {
	t.mu.Lock()
	round := t.round
	t.mu.Unlock()
	switch {
	case side.Round == round:
		t.candidates(side.Candidates)
	case side.Round > round && side.Offer != "":
		if err := t.describe(ctx, side, "/renewed/"+strconv.Itoa(side.Round)); err != nil {
			t.m.log("renewing: %s", err)
		}
	}
}

func (t *talk) candidates(list []candidate) {
	for _, c := range list {
		if c.Candidate == "" {
			continue
		}
		line := uint16(c.Line)
		if err := t.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: c.Candidate, SDPMid: &c.Mid, SDPMLineIndex: &line}); err != nil {
			t.m.log("a candidate that is none: %s", err)
		}
	}
}

// tell tells the other side of a candidate; none is the end of them.
func (t *talk) tell(ctx context.Context, c *webrtc.ICECandidate) {
	out := candidate{}
	if c != nil {
		j := c.ToJSON()
		out = candidate{Mid: *j.SDPMid, Line: int(*j.SDPMLineIndex), Candidate: j.Candidate}
	}
	t.mu.Lock()
	round := t.round
	t.mu.Unlock()
	if err := t.m.app.post(ctx, "/calls/"+t.call.ID+"/candidates", map[string]any{"round": round, "candidates": []candidate{out}}); err != nil && ctx.Err() == nil {
		t.m.log("telling a candidate: %s", err)
	}
}

// hear records the microphone of the other side.
func (t *talk) hear(track *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	if len(t.pc.GetTransceivers()) == 0 || t.pc.GetTransceivers()[0].Receiver() != r {
		return // a picture
	}
	path := filepath.Join(t.m.dir, time.Now().UTC().Format("2006-01-02T150405Z")+"-"+t.call.ID[:8]+".ogg")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.m.log("recording: %s", err)
		return
	}
	record, err := oggwriter.NewWith(f, 48000, 2)
	if err != nil {
		t.m.log("recording: %s", errors.Join(err, f.Close()))
		return
	}
	defer record.Close()
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if err := record.WriteRTP(packet); err != nil {
			t.m.log("recording: %s", err)
			return
		}
	}
}

// close ends this side.
func (t *talk) close() {
	t.end.Stop()
	if err := t.pc.GracefulClose(); err != nil {
		t.m.log("closing: %s", err)
	}
}
