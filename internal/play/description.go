package play

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"sotto/internal/room"
)

// SDP is a description of a side with a DTLS key of that name, as browsers write them.
func SDP(key string) string {
	print := sha256.Sum256([]byte(key))
	var digits []string
	for _, b := range print {
		digits = append(digits, fmt.Sprintf("%02X", b))
	}
	return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:" + key + "\r\na=fingerprint:sha-256 " + strings.Join(digits, ":") + "\r\n"
}

// Candidate is the n-th of some ICE candidates.
func Candidate(n int) room.Candidate {
	return room.Candidate{Mid: "0", Candidate: fmt.Sprintf("candidate:1 1 udp %d 192.0.2.1 %d typ host", 2130706431-n, 50000+n)}
}
