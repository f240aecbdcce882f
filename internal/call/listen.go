package call

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	rtpcodecs "github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"

	"sotto/internal/mediafile"
)

// How long what came too early waits for what is missing before it.
const (
	soundWaits   = 200 * time.Millisecond
	pictureWaits = 500 * time.Millisecond
	asksAgain    = 2 * time.Second // between requests for a key frame
)

// heard counts what comes from the other side, and knows who listens.
type heard struct {
	mu    sync.Mutex
	lines [Lines]bool // somebody listens to it
	group sync.WaitGroup

	counts [Lines]struct{ packets, bytes, lost, frames atomic.Uint64 }
}

// begin says whether a line is new. Each has one track, and one that listens.
func (h *heard) begin(l Line) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lines[l] {
		return false
	}
	h.lines[l] = true
	h.group.Add(1)
	return true
}

func (h *heard) wait() {
	h.mu.Lock()
	h.lines = [Lines]bool{true, true, true, true} // nobody begins any more
	h.mu.Unlock()
	h.group.Wait()
}

// lineOf finds the line of a receiver.
func (p *Peer) lineOf(r *webrtc.RTPReceiver) (Line, bool) {
	for i, t := range p.pc.GetTransceivers() {
		if t.Receiver() == r && Line(i) < Lines {
			return Line(i), true
		}
	}
	return 0, false
}

// listen reads a line of the other side to its end. It runs on a goroutine of its own.
func (p *Peer) listen(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	l, ok := p.lineOf(r)
	if !ok || !p.heard.begin(l) {
		return
	}
	defer p.heard.group.Done()
	go func() {
		for { // reports are read so that the interceptors see them
			if _, _, err := r.ReadRTCP(); err != nil {
				return
			}
		}
	}()
	in := p.newIncoming(l, t)
	for {
		packet, _, err := t.ReadRTP()
		if err != nil {
			in.build.Flush()
			in.drain()
			return
		}
		in.take(packet)
	}
}

// incoming puts a line's packets in order and makes frames of them.
type incoming struct {
	p     *Peer
	line  Line
	mime  string
	rate  uint32
	ssrc  webrtc.SSRC
	build *samplebuilder.SampleBuilder
	first bool
	seq   uint16 // highest sequence number so far

	begun bool
	base  uint32        // RTP time of the first frame
	since time.Duration // the recording's beginning, to the first frame
	asked time.Time     // for a key frame
}

func (p *Peer) newIncoming(l Line, t *webrtc.TrackRemote) *incoming {
	in := &incoming{p: p, line: l, mime: t.Codec().MimeType, rate: t.Codec().ClockRate, ssrc: t.SSRC(), first: true}
	late, wait := uint16(100), soundWaits
	if !l.Sound() {
		late, wait = 1000, pictureWaits
	}
	in.build = samplebuilder.New(late, depacketizer(in.mime), in.rate, samplebuilder.WithMaxTimeDelay(wait))
	return in
}

func depacketizer(mime string) rtp.Depacketizer {
	switch mime {
	case webrtc.MimeTypeVP8:
		return &rtpcodecs.VP8Packet{}
	case webrtc.MimeTypeVP9:
		return &rtpcodecs.VP9Packet{}
	case webrtc.MimeTypeAV1:
		return &rtpcodecs.AV1Depacketizer{}
	case webrtc.MimeTypeH264:
		return &rtpcodecs.H264Packet{}
	}
	return &rtpcodecs.OpusPacket{}
}

func (in *incoming) take(packet *rtp.Packet) {
	c := &in.p.heard.counts[in.line]
	c.packets.Add(1)
	c.bytes.Add(uint64(len(packet.Payload)))
	if ahead := int16(packet.SequenceNumber - in.seq); in.first {
		in.first, in.seq = false, packet.SequenceNumber
	} else if ahead > 0 {
		c.lost.Add(uint64(ahead - 1))
		in.seq = packet.SequenceNumber
	} else if c.lost.Load() > 0 { // it was late, or sent again
		c.lost.Add(^uint64(0))
	}
	if len(packet.Payload) > 0 {
		in.build.Push(packet)
	}
	in.drain()
}

// drain takes what is whole and in order.
func (in *incoming) drain() {
	for s := in.build.Pop(); s != nil; s = in.build.Pop() {
		if s.PrevDroppedPackets > 0 && in.begun {
			in.askKey()
		}
		if len(s.Data) == 0 || len(s.Data) > maxHeard {
			continue
		}
		in.p.heard.counts[in.line].frames.Add(1)
		if !in.begun {
			in.begun, in.base, in.since = true, s.PacketTimestamp, in.p.o.Record.now()
			if !mediafile.KeyFrame(in.mime, s.Data) {
				in.askKey()
			}
		}
		ahead := int64(int32(s.PacketTimestamp - in.base))
		in.base, in.since = s.PacketTimestamp, max(0, in.since+time.Duration(ahead)*time.Second/time.Duration(in.rate))
		if err := in.p.o.Record.write(in.line, in.mime, s.Data, in.since); err != nil {
			in.p.post(func() { in.p.end(HungUp, err, true) })
			return
		}
	}
}

// maxHeard bounds a frame that is kept.
const maxHeard = 4 << 20

// askKey asks for a key frame, RFC 4585 section 6.3.1.
func (in *incoming) askKey() {
	if now := time.Now(); !in.line.Sound() && now.Sub(in.asked) > asksAgain {
		in.asked = now
		_ = in.p.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(in.ssrc)}})
	}
}
