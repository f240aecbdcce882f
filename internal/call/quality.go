package call

import (
	"time"

	"github.com/pion/webrtc/v4"
)

// Quality is how a call goes.
type Quality struct {
	Path  Path
	Delay time.Duration // there and back, RFC 8445 section 14; 0: not measured yet

	Sent, Heard [Lines]Traffic
	Thinned     uint64 // pictures of the files that were left out for want of room
	Room        int    // bits a second that the path carries, as it is estimated
}

// Traffic is what went over a line in one direction.
type Traffic struct {
	Packets, Bytes, Lost, Frames uint64
	Loss                         float64 // share that was lost lately, as the receiver reports it
}

// Quality answers how the call goes. The answer is empty when it is over.
func (p *Peer) Quality() Quality {
	out := make(chan Quality, 1)
	p.post(func() { out <- p.quality() })
	select {
	case q := <-out:
		return q
	case <-p.done:
		return Quality{}
	}
}

func (p *Peer) quality() (q Quality) {
	q.Path, _ = p.path()
	q.Room = p.estimate.GetTargetBitrate()
	for l, s := range p.senders {
		q.Sent[l] = Traffic{Packets: s.packets.Load(), Bytes: s.bytes.Load(), Loss: float64(s.farLoss.Load()) / 256}
		q.Thinned += s.thinned.Load()
		c := &p.heard.counts[l]
		q.Heard[l] = Traffic{Packets: c.packets.Load(), Bytes: c.bytes.Load(), Lost: c.lost.Load(), Frames: c.frames.Load()}
	}
	q.Delay = p.delay()
	return q
}

// delay is how long it is there and back, as the last check of the path says.
func (p *Peer) delay() time.Duration {
	s, ok := p.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePairStats()
	if !ok || s.State != webrtc.StatsICECandidatePairStateSucceeded {
		return 0
	}
	return time.Duration(s.CurrentRoundTripTime * float64(time.Second))
}
