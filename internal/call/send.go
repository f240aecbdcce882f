package call

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	rtpcodecs "github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"sotto/internal/mediafile"
)

// mtu is how many bytes of RTP are in a packet: with SRTP, TURN, UDP and IPv6 around it, it
// passes where 1280 bytes pass.
const mtu = 1150

// sender sends what a file says on a line. It is timed by the file, and begins when media
// flow.
type sender struct {
	line  Line
	file  mediafile.Reader
	track *webrtc.TrackLocalStaticRTP
	rate  uint32 // RTP units a second
	pack  rtp.Packetizer

	ctx    context.Context
	budget *budget
	ended  func(error)
	once   sync.Once

	since  []mediafile.Frame // what was sent since the last key frame, and that; none: it was too much
	size   int               // bytes of it
	wanted atomic.Bool       // the other side wants a key frame
	again  time.Time         // when it was last given one

	packets, bytes, thinned atomic.Uint64
	farLoss                 atomic.Uint32 // of 256, as the other side reports it
}

func (p *Peer) newSender(l Line) (*sender, error) {
	mime, err := mimeOf(l, p.o.Play[l])
	if err != nil {
		return nil, err
	}
	kind := capability(mime)
	track, err := webrtc.NewTrackLocalStaticRTP(kind, strings.ReplaceAll(l.String(), " ", "-"), "sotto")
	if err != nil {
		return nil, err
	}
	s := &sender{line: l, file: p.o.Play[l], track: track, rate: kind.ClockRate, ctx: p.ctx, budget: &p.budget}
	s.pack = rtp.NewPacketizer(mtu, 0, 0, payloader(mime), rtp.NewRandomSequencer(), kind.ClockRate)
	if s.file != nil {
		p.left++
	}
	s.ended = func(err error) { p.post(func() { p.playedLine(l, err) }) }
	return s, nil
}

func payloader(mime string) rtp.Payloader {
	switch mime {
	case mediafile.VP8:
		return &rtpcodecs.VP8Payloader{EnablePictureID: true}
	case mediafile.VP9:
		return &rtpcodecs.VP9Payloader{}
	case mediafile.AV1:
		return &rtpcodecs.AV1Payloader{}
	}
	return &rtpcodecs.OpusPayloader{}
}

// reports reads what the other side reports of the line. The interceptors see it by that.
func (s *sender) reports(r *webrtc.RTPSender) {
	for {
		list, _, err := r.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range list {
			switch x := packet.(type) {
			case *rtcp.ReceiverReport:
				for _, report := range x.Reports {
					s.farLoss.Store(uint32(report.FractionLost))
				}
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				s.wanted.Store(true)
			}
		}
	}
}

// start plays the file, once.
func (s *sender) start() {
	if s.file != nil {
		s.once.Do(func() { go s.play() })
	}
}

func (s *sender) play() {
	began := time.Now()
	frame, err := s.file.Next()
	for err == nil {
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(time.Until(began.Add(frame.At))):
		}
		var next mediafile.Frame
		next, err = s.file.Next()
		lasts := 20 * time.Millisecond // of the last frame
		if err == nil {
			lasts = next.At - frame.At
		}
		s.send(frame, units(frame.At+lasts, s.rate)-units(frame.At, s.rate))
		frame = next
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	s.ended(err)
}

// units is a time in units of RTP.
func units(t time.Duration, rate uint32) uint32 {
	return uint32(uint64(t/time.Microsecond) * uint64(rate) / 1e6)
}

// send sends a frame, or leaves a picture out for which the path has no room.
func (s *sender) send(f mediafile.Frame, lasts uint32) {
	if !s.budget.take(s.line, len(f.Data), f.Key) {
		s.thinned.Add(1)
		s.pack.SkipSamples(lasts)
		return
	}
	if !s.line.Sound() {
		s.repeat(f)
	}
	s.write(f, lasts)
}

// A file has the key frames that it has. Who asks for one (RFC 4585 section 6.3.1, RFC 5104
// section 4.3.1) gets the last one again with all that came after it, as fast as it goes.
const (
	mostAgain  = 1 << 20 // bytes that are kept for that
	againEvery = 2 * time.Second
)

// repeat keeps a picture, and sends those before it again if they are wanted.
func (s *sender) repeat(f mediafile.Frame) {
	wanted := s.wanted.Swap(false)
	if f.Key {
		s.since, s.size = nil, 0
	} else if now := time.Now(); wanted && s.since != nil && now.Sub(s.again) > againEvery {
		s.again = now
		for _, before := range s.since {
			s.write(before, s.rate/1000)
		}
	}
	s.size += len(f.Data)
	switch {
	case s.size > mostAgain:
		s.since = nil
	case f.Key || s.since != nil:
		s.since = append(s.since, f)
	}
}

// write sends a frame's packets.
func (s *sender) write(f mediafile.Frame, lasts uint32) {
	for _, packet := range s.pack.Packetize(f.Data, lasts) {
		if s.line.Sound() {
			packet.Marker = false // the sound has no pauses that begin and end
		}
		if s.track.WriteRTP(packet) == nil { // while there is no path packets are lost
			s.packets.Add(1)
			s.bytes.Add(uint64(len(packet.Payload)))
		}
	}
}

// playedLine notes that a file is at its end.
func (p *Peer) playedLine(l Line, err error) {
	switch l {
	case Mic:
		p.own.Mic = false
	case Camera:
		p.own.Camera = false
	case Screen:
		p.own.Screen = false
	}
	p.sayOwn()
	if p.left--; p.left == 0 || err != nil {
		p.o.Tell(Event{Kind: Played, Err: err})
	}
}
