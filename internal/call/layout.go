package call

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"sotto/internal/mediafile"
)

// Line is a place of media in a call, by the order in the descriptions.
type Line int

// The lines. After them comes the data channel.
const (
	Mic Line = iota
	Camera
	Screen
	ScreenSound

	Lines
)

var lineNames = [Lines]string{"microphone", "camera", "screen", "screen sound"}

func (l Line) String() string { return lineNames[l] }

// Sound says whether a line is one of sound.
func (l Line) Sound() bool { return l == Mic || l == ScreenSound }

func (l Line) kind() webrtc.RTPCodecType {
	if l.Sound() {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}

// The fingerprints and payload types of codecs. Both sides say that they take FEC and DTX
// of Opus, RFC 7587 section 7.
const (
	opusParameters = "minptime=10;useinbandfec=1;usedtx=1"
	h264Parameters = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
)

// codecs are those that calls take, the first first (RFC 7742).
var codecs = []webrtc.RTPCodecParameters{
	{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48_000, Channels: 2, SDPFmtpLine: opusParameters}, PayloadType: 111},
	picture(webrtc.MimeTypeVP8, "", 96), repeated(96, 97),
	picture(webrtc.MimeTypeVP9, "profile-id=0", 98), repeated(98, 99),
	picture(webrtc.MimeTypeAV1, "", 45), repeated(45, 46),
	picture(webrtc.MimeTypeH264, h264Parameters, 102), repeated(102, 103),
}

func picture(mime, parameters string, payload webrtc.PayloadType) webrtc.RTPCodecParameters {
	feedback := []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	return webrtc.RTPCodecParameters{PayloadType: payload, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: mime, ClockRate: videoRate, SDPFmtpLine: parameters, RTCPFeedback: feedback}}
}

// repeated is what is sent again of a payload type, RFC 4588.
func repeated(of, payload webrtc.PayloadType) webrtc.RTPCodecParameters {
	return webrtc.RTPCodecParameters{PayloadType: payload, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeRTX, ClockRate: videoRate, SDPFmtpLine: fmt.Sprintf("apt=%d", of)}}
}

const videoRate = 90_000 // RTP units a second of all pictures

// mimeOf is the codec that a line sends: that of its file, else the one that is preferred.
func mimeOf(l Line, play mediafile.Reader) (string, error) {
	mime := mediafile.VP8
	if l.Sound() {
		mime = mediafile.Opus
	}
	if play == nil || play.Codec() == mime {
		return mime, nil
	}
	if l.Sound() || play.Codec() == mediafile.Opus {
		return "", fmt.Errorf("%s cannot be played as %s", play.Codec(), l)
	}
	return play.Codec(), nil
}

// checkLayout holds a description against the layout of a call, before Pion sees it.
func checkLayout(text string) error {
	if len(text) > MaxSDP {
		return fmt.Errorf("%w: it has %d bytes", ErrLayout, len(text))
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return fmt.Errorf("%w: %v", ErrLayout, err)
	}
	if len(d.MediaDescriptions) != int(Lines)+1 {
		return fmt.Errorf("%w: it has %d lines of media", ErrLayout, len(d.MediaDescriptions))
	}
	for i, m := range d.MediaDescriptions {
		want := "application"
		if Line(i) < Lines {
			want = Line(i).kind().String()
		}
		if m.MediaName.Media != want {
			return fmt.Errorf("%w: its line %d is %q", ErrLayout, i, m.MediaName.Media)
		}
		if Line(i) == Lines && !strings.Contains(strings.Join(m.MediaName.Protos, "/"), "SCTP") {
			return fmt.Errorf("%w: its data channel is none", ErrLayout)
		}
	}
	return nil
}

// capability is a codec as a track has it.
func capability(mime string) webrtc.RTPCodecCapability {
	for _, c := range codecs {
		if c.MimeType == mime {
			c.RTCPFeedback = nil
			return c.RTPCodecCapability
		}
	}
	return webrtc.RTPCodecCapability{MimeType: mime}
}
