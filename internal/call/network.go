package call

import (
	"fmt"
	"net"
	"slices"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
)

// network is the machine's network as ICE uses it. It differs from Pion's own in three
// things: interfaces are looked at anew for each round, relays are reached over IPv6 where
// there is no IPv4 (Pion takes IPv4 only), and of a server's addresses the first is taken to
// which there is a way. Sockets to relays say that their address is one of IPv4, whatever it
// is: the client of TURN asks for a relayed address of that family (RFC 8656 section 7.2), and
// it is IPv4 that everybody reaches through a relay.
type network struct{ *stdnet.Net }

func newNetwork() (*network, error) {
	n, err := stdnet.NewNet()
	if err != nil {
		return nil, fmt.Errorf("the network's interfaces: %w", err)
	}
	return &network{n}, nil
}

// Interfaces are those of now. Each caller gets a list of its own: ICE asks from several
// goroutines.
func (n *network) Interfaces() ([]*transport.Interface, error) {
	now, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	return now.Interfaces()
}

// ListenPacket opens the socket to a relay, for both families.
func (n *network) ListenPacket(family, address string) (net.PacketConn, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil && (family == "udp4" || family == "udp") && host == "0.0.0.0" {
		c, err := net.ListenPacket("udp", net.JoinHostPort("", port))
		return relaySocket{c}, err
	}
	return net.ListenPacket(family, address)
}

// ResolveUDPAddr resolves a relay's name.
func (n *network) ResolveUDPAddr(family, address string) (*net.UDPAddr, error) {
	if family != "udp" {
		return net.ResolveUDPAddr(family, address)
	}
	ip, port, err := n.reach(address)
	return &net.UDPAddr{IP: ip, Port: port}, err
}

// ResolveTCPAddr resolves a relay's name.
func (n *network) ResolveTCPAddr(_, address string) (*net.TCPAddr, error) {
	ip, port, err := n.reach(address)
	return &net.TCPAddr{IP: ip, Port: port}, err
}

// DialTCP connects to a relay over the family of its address.
func (n *network) DialTCP(_ string, from, to *net.TCPAddr) (transport.TCPConn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	if from != nil {
		d.LocalAddr = from
	}
	c, err := d.Dial("tcp", to.String())
	if err != nil {
		return nil, err
	}
	return relayStream{c.(*net.TCPConn)}, nil
}

type relaySocket struct{ net.PacketConn }

func (c relaySocket) LocalAddr() net.Addr {
	return &net.UDPAddr{IP: net.IPv4zero, Port: c.PacketConn.LocalAddr().(*net.UDPAddr).Port}
}

type relayStream struct{ *net.TCPConn }

func (c relayStream) LocalAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4zero, Port: c.TCPConn.LocalAddr().(*net.TCPAddr).Port}
}

// reach answers the first address of a server to which there is a way: connecting a socket
// of UDP asks the routes and sends nothing.
func (n *network) reach(address string) (net.IP, int, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, 0, err
	}
	port, err := net.LookupPort("udp", service)
	if err != nil {
		return nil, 0, err
	}
	list, err := net.LookupIP(host)
	if err != nil {
		return nil, 0, err
	}
	for _, ip := range list {
		if c, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: ip, Port: port}); err == nil {
			c.Close()
			return ip, port, nil
		}
	}
	return list[0], port, nil
}

// addresses are those of this machine by which others may reach it.
func addresses() []string {
	list, _ := net.InterfaceAddrs() // none is what there is when they cannot be read
	out := []string{}
	for _, a := range list {
		if p, ok := a.(*net.IPNet); ok && p.IP.IsGlobalUnicast() {
			out = append(out, p.IP.String())
		}
	}
	slices.Sort(out)
	return out
}
