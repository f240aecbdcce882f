package call

import (
	"encoding/json"
	"time"

	"github.com/pion/webrtc/v4"
)

// text is what goes over the data channel, as JSON.
type text struct {
	V      int  `json:"v"`
	Mic    bool `json:"mic"`
	Camera bool `json:"camera"`
	Screen bool `json:"screen"`
	Hold   bool `json:"hold"`
	Bye    bool `json:"bye,omitempty"`
}

// lay makes the five lines: four of media, each with something that sends, and the channel.
func (p *Peer) lay() error {
	for l := range Lines {
		s, err := p.newSender(l)
		if err != nil {
			return err
		}
		p.senders[l] = s
		t, err := p.pc.AddTransceiverFromTrack(s.track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv})
		if err != nil {
			return err
		}
		go s.reports(t.Sender())
	}
	p.own = State{Mic: p.o.Play[Mic] != nil, Camera: p.o.Play[Camera] != nil, Screen: p.o.Play[Screen] != nil}
	ordered, negotiated, id := true, true, uint16(0)
	d, err := p.pc.CreateDataChannel("sotto", &webrtc.DataChannelInit{Ordered: &ordered, Negotiated: &negotiated, ID: &id})
	if err != nil {
		return err
	}
	p.channel = d
	d.OnOpen(func() {
		p.post(func() {
			p.open = true
			p.sayOwn()
		})
	})
	d.OnMessage(func(m webrtc.DataChannelMessage) {
		switch t, ok := parseText(m.Data); {
		case ok && t.Bye:
			p.bye.CompareAndSwap(0, time.Now().UnixNano())
		case ok: // however many come, the last one is told
			p.far.Store(&State{t.Mic, t.Camera, t.Screen, t.Hold})
		}
	})
	return nil
}

// parseText takes a text of the other side. Junk is passed over.
func parseText(b []byte) (t text, ok bool) {
	return t, len(b) <= MaxState && json.Unmarshal(b, &t) == nil && t.V == 1
}

// sayState tells what the other side said last.
func (p *Peer) sayState() {
	if far := p.far.Load(); far != nil && (p.farTold == nil || *far != *p.farTold) {
		p.farTold = far
		p.o.Tell(Event{Kind: Told, State: *far})
	}
}

// say sends a text.
func (p *Peer) say(t text) {
	t.V = 1
	b, err := json.Marshal(t)
	if err == nil && p.open {
		_ = p.channel.SendText(string(b)) // where there is no path the other side sees that, too
	}
}

// sayOwn says what this side has on.
func (p *Peer) sayOwn() {
	p.say(text{Mic: p.own.Mic, Camera: p.own.Camera, Screen: p.own.Screen, Hold: p.own.Hold})
}

// goodbye says that this side hangs up, so that nobody looks for a path any more.
func (p *Peer) goodbye() {
	p.say(text{Bye: true})
	for n := 0; p.open && p.connected && p.channel.BufferedAmount() > 0 && n < 20; n++ {
		time.Sleep(5 * time.Millisecond)
	}
}
