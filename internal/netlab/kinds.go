//go:build linux

package netlab

import "fmt"

// kind is a network at which a person may be.
type kind struct {
	name   string
	v6only bool
	rules  func(inner string) string // of the router, for nft; nil: there is none, the person stands on the open network
}

// The kinds, by how a NAT maps and filters (RFC 4787 sections 4 and 5). A NAT of Linux keeps
// the port where it can, so that a person who is alone behind it has one mapping for all.
// What comes to it unasked it drops without a trace: a trace would take the port of the
// packet that is about to go out.
var (
	open       = kind{name: "open"}
	fullCone   = kind{name: "full cone", rules: func(inner string) string { return nat("masquerade") + passesTo(inner, "") }}
	addressed  = kind{name: "address-restricted", rules: func(inner string) string { return nat("masquerade") + passesTo(inner, "ip saddr @asked ") + asked }}
	restricted = kind{name: "restricted", rules: func(string) string { return nat("masquerade") }}
	symmetric  = kind{name: "symmetric", rules: func(string) string { return nat("masquerade fully-random") }}
	noUDP      = kind{name: "UDP blocked", rules: func(string) string { return nat("masquerade") + forward("meta l4proto udp drop") }}
	onlyHTTPS  = kind{name: "only HTTPS", rules: func(string) string {
		return nat("masquerade") + forward("ct state established,related accept", "tcp dport 443 accept", "drop")
	}}
	onlyIPv6 = kind{name: "only IPv6", v6only: true}
)

// kinds are those that every pair is made of; address-restricted comes with the long run.
var kinds = []kind{open, fullCone, restricted, symmetric, noUDP, onlyHTTPS, onlyIPv6}

// direct says whether two kinds reach each other without a relay.
func direct(a, b string) bool {
	if rank[a] > rank[b] {
		a, b = b, a
	}
	switch b {
	case noUDP.name, onlyHTTPS.name: // media are UDP, but to a relay
		return false
	case onlyIPv6.name: // the open network has both families, those behind NATs only one
		return a == open.name || a == onlyIPv6.name
	case symmetric.name:
		// Each destination sees another port. Whoever filters by port never hears from the one
		// that it has asked; whoever filters by address or not at all does.
		return a != restricted.name && a != symmetric.name
	}
	return true
}

var rank = map[string]int{open.name: 0, fullCone.name: 1, addressed.name: 2, restricted.name: 3, symmetric.name: 4, onlyIPv6.name: 5, noUDP.name: 6, onlyHTTPS.name: 7}

// nat is a router that hides who is behind it, and drops what comes unasked.
func nat(how string) string {
	return fmt.Sprintf(`table ip nat {
 chain out {
  type nat hook postrouting priority srcnat
  oifname "pub" %s
 }
 chain input {
  type filter hook input priority filter
  iifname "pub" ct state new drop
 }
}
`, how)
}

// passesTo lets UDP from outside in, if it is what the match says.
func passesTo(inner, match string) string {
	return fmt.Sprintf(`table ip in {
 set asked {
  type ipv4_addr
  flags dynamic,timeout
  timeout 60s
 }
 chain in {
  type nat hook prerouting priority dstnat
  iifname "pub" meta l4proto udp %sdnat to %s
 }
}
`, match, inner)
}

// asked notes to whom packets went.
const asked = `table ip in {
 chain note {
  type filter hook forward priority filter
  oifname "pub" update @asked { ip daddr }
 }
}
`

// forward is what a router lets through.
func forward(rules ...string) string {
	out := "table ip firewall {\n chain forward {\n  type filter hook forward priority filter\n"
	for _, r := range rules {
		out += "  " + r + "\n"
	}
	return out + " }\n}\n"
}
