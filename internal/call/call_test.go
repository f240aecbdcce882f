package call

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/turn/v5"
	"go.uber.org/goleak"

	"sotto/internal/mediafile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Ana calls Bo. Both play sound and a picture, both keep what they hear and see; Bo hangs up.
func TestCall(t *testing.T) {
	_, ana, bo := newTelephone()
	says, shows, answers := voice("ana speaks", 50), film("ana's picture", 30, 3000), voice("bo speaks", 50)
	anasRecord, anasPath := recorder(t)
	bosRecord, bosPath := recorder(t)
	talk(t, ana, bo,
		Options{Play: [Lines]mediafile.Reader{Mic: says, Camera: shows}, Record: anasRecord},
		Options{Play: [Lines]mediafile.Reader{Mic: answers}, Record: bosRecord})
	if e := ana.wants(t, Connected); e.Path.Relayed {
		t.Errorf("it is relayed: %+v", e.Path)
	}
	if e := bo.wants(t, Told); e.State != (State{Mic: true, Camera: true}) {
		t.Errorf("Bo is told %+v", e.State)
	}
	ana.wants(t, Played)
	q := ana.peer.Quality()
	if q.Sent[Mic].Packets != 50 || q.Sent[Camera].Packets < 90 || q.Thinned != 0 || q.Heard[Mic].Packets == 0 {
		t.Errorf("quality: %+v", q)
	}
	bo.peer.HangUp()
	if e := ana.wants(t, Over); e.End != HungUp || e.Err != nil {
		t.Errorf("over for Ana: %+v", e)
	}
	<-bo.peer.Done()
	if bo.end != HungUp {
		t.Errorf("Bo's end is %q", bo.end)
	}
	says.whole(t, bosPath, 2)
	shows.whole(t, strings.TrimSuffix(bosPath, ".ogg")+".ivf", 4)
	answers.whole(t, anasPath, 5)
}

// Who lost a picture asks for a key frame, and gets the last one again with what followed it.
func TestKeyFrameWanted(t *testing.T) {
	_, ana, bo := newTelephone()
	shows := &tape{codec: mediafile.VP8, name: "one key frame", n: 45, step: 33 * time.Millisecond, size: 500, key: 1000}
	record, path := recorder(t)
	talk(t, ana, bo, Options{Play: [Lines]mediafile.Reader{Camera: shows}}, Options{Record: record})
	bo.wants(t, Connected)
	for bo.peer.Quality().Heard[Camera].Frames < 5 {
		time.Sleep(5 * time.Millisecond)
	}
	ssrc := bo.peer.pc.GetTransceivers()[Camera].Receiver().Track().SSRC()
	if err := bo.peer.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(ssrc)}}); err != nil {
		t.Fatal(err)
	}
	ana.wants(t, Played)
	ana.peer.HangUp()
	bo.wants(t, Over)
	keys, before := 0, -1
	got, _ := shows.numbers(t, strings.TrimSuffix(path, ".ogg")+".ivf")
	for _, n := range got {
		if n == 0 {
			keys++
			before = -1
		}
		if n != before+1 {
			t.Fatalf("picture %d after %d", n, before)
		}
		before = n
	}
	if keys != 2 {
		t.Errorf("%d key frames came", keys)
	}
}

// Either side renews, then both at once: one renewal counts, the other is rolled back, and
// the call goes on.
func TestRenewal(t *testing.T) {
	line, ana, bo := newTelephone()
	talk(t, ana, bo, Options{}, Options{})
	ana.wants(t, Connected)
	bo.wants(t, Connected)
	fingerprints := fingerprint(t, ana) + fingerprint(t, bo)
	for _, who := range []*side{ana, bo} {
		who.peer.post(func() { who.peer.lost(true); who.peer.renew() })
		ana.wants(t, Connected)
		bo.wants(t, Connected)
	}
	line.mu.Lock()
	line.held = true
	line.mu.Unlock()
	// Bo's comes second in the log, and he learns that by Ana's.
	bo.peer.post(func() { bo.peer.lost(true); bo.peer.renew() })
	for held := true; held; time.Sleep(time.Millisecond) {
		line.mu.Lock()
		held = line.held
		line.mu.Unlock()
	}
	ana.peer.post(func() { ana.peer.lost(true); ana.peer.renew() })
	ana.wants(t, Connected)
	bo.wants(t, Connected)
	if now := fingerprint(t, ana) + fingerprint(t, bo); now != fingerprints {
		t.Errorf("the fingerprints were %s, and are %s", fingerprints, now)
	}
	if ana.peer.round != 3 || bo.peer.round != 3 {
		t.Errorf("rounds %d and %d", ana.peer.round, bo.peer.round)
	}
}

func fingerprint(t *testing.T, s *side) string {
	t.Helper()
	_, rest, ok := strings.Cut(s.peer.pc.LocalDescription().SDP, "a=fingerprint:")
	if !ok {
		t.Fatal("a description without a fingerprint")
	}
	text, _, _ := strings.Cut(rest, "\r")
	return text
}

// Descriptions have the five parts of the protocol, and Opus with FEC and DTX.
func TestLayout(t *testing.T) {
	_, ana, bo := newTelephone()
	talk(t, ana, bo, Options{}, Options{})
	bo.wants(t, Connected)
	for _, s := range []*side{ana, bo} {
		sdp := s.peer.pc.LocalDescription().SDP
		if err := checkLayout(sdp); err != nil {
			t.Error(err)
		}
		if n := strings.Count(sdp, "useinbandfec=1;usedtx=1"); n != 2 {
			t.Errorf("%d lines say FEC and DTX", n)
		}
		if strings.Count(sdp, "a=sendrecv") != 5 || !strings.Contains(sdp, "a=group:BUNDLE 0 1 2 3 4") || strings.Count(sdp, "a=rtcp-mux") < 4 {
			t.Errorf("not four lines both ways in one bundle:\n%s", sdp)
		}
		at := func(what string) int { return strings.Index(sdp, what) }
		if at("VP8/90000") < 0 || at("VP8/90000") > at("VP9/90000") || at("VP9/90000") > at("AV1/90000") || at("AV1/90000") > at("H264/90000") {
			t.Errorf("not VP8, VP9, AV1, H264:\n%s", sdp)
		}
	}
	good := ana.peer.pc.LocalDescription().SDP
	for name, sdp := range map[string]string{
		"nothing": "", "junk": "v=0\r\nx", "four": good[:strings.LastIndex(good, "m=")],
		"sound first": strings.Replace(good, "m=audio", "m=video", 1), "large": good + strings.Repeat("a=x\r\n", MaxSDP/5),
		"no channel": strings.Replace(good, "UDP/DTLS/SCTP", "UDP/TLS/RTP", 1),
	} {
		if _, err := Answer(Options{}, Media{Offer: sdp}); err == nil {
			t.Errorf("%s: answered", name)
		}
	}
}

// Where only relayed paths may be taken no address of a side is told.
func TestRelayedOnly(t *testing.T) {
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: "sotto", LoggerFactory: quiet(),
		AuthHandler: func(ra *turn.RequestAttributes) (string, []byte, bool) {
			return ra.Username, turn.GenerateAuthKey(ra.Username, "sotto", "secret"), true
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: socket, RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{
			RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	relay := func(context.Context) (Servers, error) {
		return Servers{Only: true, List: []Server{{URLs: []string{"turn:" + socket.LocalAddr().String() + "?transport=udp"}, Username: "ana", Credential: "secret"}}}, nil
	}
	line, ana, bo := newTelephone()
	says := voice("through the relay", 25)
	record, path := recorder(t)
	talk(t, ana, bo, Options{Servers: relay, Play: [Lines]mediafile.Reader{Mic: says}}, Options{Servers: relay, Record: record})
	if e := ana.wants(t, Connected); !e.Path.Relayed {
		t.Errorf("path %+v", e.Path)
	}
	ana.wants(t, Played)
	ana.peer.HangUp()
	<-ana.peer.Done()
	bo.wants(t, Over)
	says.whole(t, path, 2)
	for _, c := range line.told {
		if c.Candidate != "" && (!strings.Contains(c.Candidate, "typ relay") || !strings.Contains(c.Candidate, "raddr 0.0.0.0 rport 9")) {
			t.Errorf("told: %s", c.Candidate)
		}
	}
}

// What is junk on the data channel ends nothing; what is unknown is passed over.
func TestTexts(t *testing.T) {
	for in, want := range map[string]bool{
		`{"v":1,"mic":true,"colour":"red"}`: true, `{"v":2,"mic":true}`: false, `{`: false, ``: false, `[]`: false,
		`{"v":1,"mic":"yes"}`: false, `{"v":1,"bye":true}`: true, `{"v":1,"x":"` + strings.Repeat("x", MaxState) + `"}`: false,
	} {
		if got, ok := parseText([]byte(in)); ok != want || ok && got.V != 1 {
			t.Errorf("%.40q: %v %+v", in, ok, got)
		}
	}
}

// A goodbye without an end ends the call all the same, and so does a path that never comes.
func TestEnds(t *testing.T) {
	_, ana, bo := newTelephone()
	talk(t, ana, bo, Options{}, Options{})
	ana.wants(t, Connected)
	bo.wants(t, Connected)
	bo.peer.bye.Store(time.Now().Add(-byeLasts).UnixNano())
	if e := bo.wants(t, Over); e.End != HungUp || bo.end != HungUp {
		t.Errorf("after a goodbye: %+v, %q", e, bo.end)
	}
	_, ana, bo = newTelephone()
	talk(t, ana, bo, Options{}, Options{})
	ana.wants(t, Connected)
	ana.peer.post(func() { ana.peer.broken = time.Now().Add(-2 * giveUp) })
	if e := ana.wants(t, Over); e.End != Failed || ana.end != Failed {
		t.Errorf("without a path: %+v, %q", e, ana.end)
	}
}
