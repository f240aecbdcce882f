package config

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// Where a relay listens.
const (
	RelayAuto = -1 // 3478, or what the system chooses
	RelayOff  = -2
)

// RelayPort is the port that is registered for STUN and TURN.
const RelayPort = 3478

// RelayAt is the port of the relay, RelayAuto or RelayOff.
func (c *Config) RelayAt() (int, error) {
	switch c.RelayPort {
	case "auto":
		return RelayAuto, nil
	case "off":
		return RelayOff, nil
	}
	n, err := strconv.ParseUint(c.RelayPort, 10, 16)
	if err != nil || n == 0 {
		return 0, errors.New("write \"auto\", \"off\" or the number of a port")
	}
	return int(n), nil
}

// RelayRange is the range of relayed ports.
func (c *Config) RelayRange() (out [2]uint16, err error) {
	from, to, _ := strings.Cut(c.RelayPorts, "-")
	a, err := strconv.ParseUint(from, 10, 16)
	b, err2 := strconv.ParseUint(to, 10, 16)
	if err != nil || err2 != nil || a < 1024 || b < a {
		return out, errors.New("write a range of ports above 1023, such as \"49152-65535\"")
	}
	return [2]uint16{uint16(a), uint16(b)}, nil
}

// RelayOutside are the addresses that the world sees relayed sockets as.
func (c *Config) RelayOutside() (out []netip.Addr, err error) {
	var seen [2]bool
	for _, s := range c.RelayAddresses {
		a, err := netip.ParseAddr(s)
		switch {
		case err != nil, a.Is4In6(), a.Zone() != "", a.IsUnspecified():
			return nil, errors.New("write IP addresses")
		case seen[0] && a.Is4(), seen[1] && a.Is6():
			return nil, errors.New("write one IPv4 and one IPv6 address at most")
		}
		seen[0], seen[1] = seen[0] || a.Is4(), seen[1] || a.Is6()
		out = append(out, a)
	}
	return out, nil
}

// RelayReach are the networks that are not public and yet allowed.
func (c *Config) RelayReach() ([]netip.Prefix, error) { return parsePrefixes(c.RelayPeers) }

func second[T any](_ T, err error) error { return err }
