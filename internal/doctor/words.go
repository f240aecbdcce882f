package doctor

import (
	"fmt"
	"net"
)

// Text says in a line what a check found.
func (c Check) Text() string {
	at := c.At + " (" + string(c.Family) + ")"
	switch {
	case c.Absent:
		return fmt.Sprintf("%s is not tried over %s: this network or the host has none", c.At, c.Family)
	case !c.Works && c.Way == STUN:
		return fmt.Sprintf("UDP does not go through to %s: %s", at, c.Why)
	case !c.Works:
		return fmt.Sprintf("calls cannot go through %s: %s", c.Way.through(at), c.Why)
	case c.Way == STUN:
		return fmt.Sprintf("UDP goes through to %s; the world sees you at %s%s", at, c.Seen, c.NAT.text())
	}
	return fmt.Sprintf("calls can go through %s", c.Way.through(at))
}

func (w Way) through(at string) string {
	switch w {
	case UDP:
		return at + " over UDP"
	case TLS:
		return at + " inside of TLS"
	}
	return at + " over TCP"
}

func (n NAT) text() string {
	switch n {
	case NATNone:
		return ", your own address"
	case NATSame:
		return ", whomever you talk to"
	case NATDifferent:
		return ", and elsewhere for everybody you talk to"
	}
	return ""
}

// Verdict says in a sentence or two how calls go here, and what to open.
func (r Report) Verdict(host string) string {
	name, open := host, host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	} else {
		open = host + ":443"
	}
	udp := r.any(UDP)
	switch {
	case r.Direct && r.different():
		return fmt.Sprintf("UDP goes through: calls can be direct. With people whose network gives them another address for everybody they talk to, as yours does, they go through %s.", name) + r.unrelayed(name)
	case r.Direct && r.Relayed:
		return "UDP goes through: calls can be direct." + r.unopened(name, udp)
	case r.Direct:
		return "UDP goes through: calls can be direct." + r.unrelayed(name)
	case udp:
		return fmt.Sprintf("Calls work here: they go through %s.", name)
	case r.any(TCP):
		return fmt.Sprintf("UDP does not go through here: calls go through %s over TCP, with more delay. To have them direct, let UDP out.", name)
	case r.any(Own), r.any(TLS):
		_, port, _ := net.SplitHostPort(open)
		return fmt.Sprintf("Only port %s is open here: calls go through %s, with more delay. To have them direct, let UDP out.", port, name)
	}
	return fmt.Sprintf("Calls cannot work here: nothing that helps them is reached at %s. Ask whoever runs this network to let UDP and TCP out to %s, or whoever runs the server whether its firewall lets them in.", name, r.ports(name))
}

// any says whether a way works in some family.
func (r Report) any(w Way) bool { return r.works(w, IPv4) || r.works(w, IPv6) }

func (r Report) different() bool {
	for _, c := range r.Checks {
		if c.NAT == NATDifferent {
			return true
		}
	}
	return false
}

func (r Report) unrelayed(name string) string {
	if r.Relayed {
		return ""
	}
	return fmt.Sprintf(" But %s relays none, so that those fail that cannot be direct: whoever runs it finds why in its log.", name)
}

func (r Report) unopened(name string, udp bool) string {
	if udp {
		return ""
	}
	return fmt.Sprintf(" Where they cannot, %s relays them over TCP only: its relayed ports may be closed in its firewall.", name)
}

// ports are what is to be opened: each place that was tried.
func (r Report) ports(name string) string {
	seen := map[string]bool{}
	text := ""
	for _, c := range r.Checks {
		if seen[c.At] {
			continue
		}
		seen[c.At] = true
		if text != "" {
			text += " and "
		}
		text += c.At
	}
	if text == "" {
		return name
	}
	return text
}
