package call

import (
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/cc"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// How ICE waits. A path that has been silent for iceSilent counts as broken; checks and
// consent (RFC 7675) go every iceKeep.
const (
	iceSilent   = 2500 * time.Millisecond
	iceFailed   = 12 * time.Second
	iceKeep     = time.Second
	iceStun     = 3 * time.Second
	dialTimeout = 5 * time.Second
	relayWaits  = 2 * time.Second // a relayed path before it is taken, where a direct one may still come
	otherWaits  = 300 * time.Millisecond
)

// First and last bit rates of the estimate of what the path carries, bits a second.
const (
	rateFirst = 900_000
	rateLeast = 30_000
	rateMost  = 20_000_000
)

// quiet makes loggers that write nothing: addresses of people belong into no log.
func quiet() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled, ScopeLevels: map[string]logging.LogLevel{}}
}

// newConnection is a peer connection as calls have it, and what estimates its path.
func newConnection(servers Servers, loopback bool) (*webrtc.PeerConnection, cc.BandwidthEstimator, error) {
	media, registry, logs := &webrtc.MediaEngine{}, &interceptor.Registry{}, quiet()
	for _, c := range codecs {
		kind := webrtc.RTPCodecTypeVideo
		if c.Channels > 0 {
			kind = webrtc.RTPCodecTypeAudio
		}
		if err := media.RegisterCodec(c, kind); err != nil {
			return nil, nil, err
		}
	}
	estimator, err := intercept(media, registry, logs)
	if err != nil {
		return nil, nil, err
	}
	net, err := newNetwork()
	if err != nil {
		return nil, nil, err
	}
	s := webrtc.SettingEngine{LoggerFactory: logs}
	s.SetNet(net)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetIncludeLoopbackCandidate(loopback)
	s.SetICETimeouts(iceSilent, iceFailed, iceKeep)
	s.SetSTUNGatherTimeout(iceStun)
	if servers.Only {
		s.SetRelayAcceptanceMinWait(0)
	} else {
		s.SetSrflxAcceptanceMinWait(otherWaits)
		s.SetPrflxAcceptanceMinWait(otherWaits)
		s.SetRelayAcceptanceMinWait(relayWaits)
	}
	s.SetSCTPMaxReceiveBufferSize(16 * MaxState)
	s.DisableActiveTCP(true)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(s))
	pc, err := api.NewPeerConnection(servers.configuration())
	if err != nil {
		return nil, nil, err
	}
	return pc, <-estimator, nil
}

// intercept registers what stands between packets and the network: RTCP reports, lost
// packets asked for and sent again (RFC 4585), the feedback of congestion control, and its
// estimate. Those added last see outgoing packets first.
func intercept(media *webrtc.MediaEngine, registry *interceptor.Registry, logs logging.LoggerFactory) (<-chan cc.BandwidthEstimator, error) {
	made := make(chan cc.BandwidthEstimator, 1)
	control, err := cc.NewInterceptor(func() (cc.BandwidthEstimator, error) {
		return gcc.NewSendSideBWE(gcc.SendSideBWEInitialBitrate(rateFirst), gcc.SendSideBWEMinBitrate(rateLeast),
			gcc.SendSideBWEMaxBitrate(rateMost), gcc.SendSideBWEPacer(gcc.NewNoOpPacer()), gcc.WithLoggerFactory(logs))
	})
	if err != nil {
		return nil, err
	}
	control.OnNewPeerConnection(func(_ string, e cc.BandwidthEstimator) { made <- e })
	registry.Add(control)
	if err := webrtc.ConfigureTWCCHeaderExtensionSender(media, registry); err != nil {
		return nil, err
	}
	if err := webrtc.ConfigureNackWithOptions(media, registry, []nack.GeneratorOption{nack.WithGeneratorLoggerFactory(logs)},
		nack.WithResponderLoggerFactory(logs)); err != nil {
		return nil, err
	}
	if err := webrtc.ConfigureRTCPReportsWithOptions(registry, []report.ReceiverOption{report.WithReceiverLoggerFactory(logs)},
		report.WithSenderLoggerFactory(logs)); err != nil {
		return nil, err
	}
	if err := webrtc.ConfigureTWCCSenderWithOptions(media, registry, twcc.WithLoggerFactory(logs)); err != nil {
		return nil, err
	}
	return made, media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: sdp.SDESMidURI}, webrtc.RTPCodecTypeVideo)
}

// configuration is how Pion wants it.
func (s Servers) configuration() webrtc.Configuration {
	c := webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle, RTCPMuxPolicy: webrtc.RTCPMuxPolicyRequire}
	if s.Only {
		c.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	for _, server := range s.List {
		c.ICEServers = append(c.ICEServers, webrtc.ICEServer{URLs: server.URLs, Username: server.Username, Credential: server.Credential})
	}
	return c
}
