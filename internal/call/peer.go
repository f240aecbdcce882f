package call

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor/pkg/cc"
	"github.com/pion/webrtc/v4"
)

// Peer is one side of a call.
type Peer struct {
	o      Options
	caller bool
	ctx    context.Context // ends when the peer does
	cancel context.CancelFunc

	mu    sync.Mutex // of steps
	steps []func()
	wake  chan struct{}
	done  chan struct{} // closed when the last step has run

	pc       *webrtc.PeerConnection
	estimate cc.BandwidthEstimator
	only     bool
	channel  *webrtc.DataChannel
	open     bool // the data channel
	senders  [Lines]*sender
	budget   budget
	left     int                   // files that are not played to their end
	own      State                 // what this side has on
	far      atomic.Pointer[State] // what the other one said
	farTold  *State
	heard    heard // counts what comes

	round   int         // of the descriptions in force
	pending *pending    // an own renewal without its answer
	local   []Candidate // of this side, not told yet
	told    int         // how many were told in this round
	batch   bool        // they are to be told soon
	remote  []Candidate // of the other side, before the description that they belong to
	taken   int         // how many were taken in this round
	early   Media       // candidates of a round of which the description is not here yet
	mute    bool        // nothing is told yet: the description is on its way

	connected bool
	broken    time.Time    // when the path was lost; zero: it is there
	renewAt   time.Time    // when to renew; zero: there is no need
	network   []string     // this machine's addresses
	bye       atomic.Int64 // when the other side said goodbye, in nanoseconds since 1970
	looking   atomic.Bool  // a look is on the queue
	over      bool
}

// pending is an own renewal.
type pending struct {
	sdp   string
	round int // 0: not told yet
}

// Call begins a call.
func Call(o Options) (*Peer, error) { return begin(o, true, Media{}) }

// Answer answers the call of an offer.
func Answer(o Options, offer Media) (*Peer, error) { return begin(o, false, offer) }

func begin(o Options, caller bool, offer Media) (*Peer, error) {
	if !caller {
		if err := checkLayout(offer.Offer); err != nil {
			return nil, err
		}
	}
	if o.Tell == nil {
		o.Tell = func(Event) {}
	}
	p := &Peer{o: o, caller: caller, wake: make(chan struct{}, 1), done: make(chan struct{}), network: addresses(), broken: time.Now(), mute: true}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if err := p.connect(); err != nil {
		p.cancel()
		return nil, err
	}
	p.post(func() {
		if caller {
			p.offer()
		} else {
			p.answer(offer)
		}
	})
	go p.run()
	go p.tick()
	return p, nil
}

// post puts a step on the queue.
func (p *Peer) post(step func()) {
	p.mu.Lock()
	p.steps = append(p.steps, step)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *Peer) run() {
	defer close(p.done)
	for !p.over {
		p.mu.Lock()
		steps := p.steps
		p.steps = nil
		p.mu.Unlock()
		for _, step := range steps {
			if !p.over {
				step()
			}
		}
		if len(steps) == 0 {
			<-p.wake
		}
	}
}

func (p *Peer) tick() {
	t := time.NewTicker(looksAt / 4)
	defer t.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-t.C:
			if !p.looking.Swap(true) { // one is enough, however long a step takes
				p.post(func() { p.looking.Store(false); p.look() })
			}
		}
	}
}

// connect makes the peer connection with its layout.
func (p *Peer) connect() error {
	servers, err := p.servers()
	if err != nil {
		return err
	}
	p.only = servers.Only
	if p.pc, p.estimate, err = newConnection(servers, p.o.Loopback); err != nil {
		return err
	}
	p.budget.estimate, p.budget.now = p.estimate.GetTargetBitrate, time.Now
	if err := p.lay(); err != nil {
		_ = p.pc.Close() // the first error says more
		return err
	}
	p.pc.OnICECandidate(func(c *webrtc.ICECandidate) { p.post(func() { p.found(c) }) })
	p.pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) { p.post(p.stateOf(s)) })
	p.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			p.post(p.flows)
		}
	})
	p.pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) { p.listen(t, r) })
	p.pc.OnDataChannel(func(d *webrtc.DataChannel) { _ = d.Close() }) // there is one, and both know it
	return nil
}

func (p *Peer) servers() (Servers, error) {
	if p.o.Servers == nil {
		return Servers{}, nil
	}
	ctx, cancel := context.WithTimeout(p.ctx, giveUp)
	defer cancel()
	return p.o.Servers(ctx)
}

// offer makes the first description and calls with it.
func (p *Peer) offer() {
	d, err := p.pc.CreateOffer(nil)
	if err == nil {
		err = p.pc.SetLocalDescription(d)
	}
	if err == nil {
		err = p.o.Signalling.Offer(p.ctx, d.SDP)
	}
	if err != nil {
		p.end(Failed, err, false)
		return
	}
	p.mute = false
	p.tellCandidates()
}

// answer takes the other side's offer and answers it.
func (p *Peer) answer(m Media) {
	sdp, err := p.accept(m.Offer)
	if err == nil {
		err = p.o.Signalling.Answer(p.ctx, sdp)
	}
	if err != nil {
		p.end(Failed, err, true)
		return
	}
	p.mute = false
	p.candidates(m.Candidates)
	p.tellCandidates()
}

// accept takes an offer, and makes what answers it.
func (p *Peer) accept(offer string) (string, error) {
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	d, err := p.pc.CreateAnswer(nil)
	if err == nil {
		err = p.pc.SetLocalDescription(d)
	}
	return d.SDP, err
}

// HangUp ends the call, and tells the other side.
func (p *Peer) HangUp() {
	p.post(func() {
		p.goodbye()
		p.end(HungUp, nil, true)
	})
}

// Close ends this side, when the other one knows already, as by an end that stands in the log.
func (p *Peer) Close() { p.post(func() { p.end(HungUp, nil, false) }) }

// Done is closed when the call is over and everything recorded.
func (p *Peer) Done() <-chan struct{} { return p.done }

// end is the last step.
func (p *Peer) end(why End, err error, tell bool) {
	if tell {
		ctx, cancel := context.WithTimeout(context.Background(), byeLasts)
		if told := p.o.Signalling.End(ctx, why); err == nil {
			err = told
		}
		cancel()
	}
	p.over = true
	p.cancel()
	if closed := p.pc.GracefulClose(); err == nil && why == HungUp {
		err = closed
	}
	p.heard.wait()
	if p.o.Record != nil {
		if closed := p.o.Record.Close(); closed != nil {
			err = closed
		}
	}
	p.o.Tell(Event{Kind: Over, End: why, Err: err})
}
