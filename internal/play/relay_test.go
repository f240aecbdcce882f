package play

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/turn/v5"

	"sotto/internal/client"
	"sotto/internal/doctor"
	"sotto/internal/server"
)

// held is an address at a relay, reached the way that a URL says.
type held struct {
	net.PacketConn
	client *turn.Client
}

func hold(t *testing.T, u string, r client.Relays) (*held, error) {
	rest, transport, _ := strings.Cut(strings.TrimPrefix(u, "turn:"), "?transport=")
	var conn net.PacketConn
	if transport == "udp" {
		conn = must(net.ListenPacket("udp4", "127.0.0.1:0"))
	} else {
		conn = turn.NewSTUNConn(must(net.Dial("tcp", rest)))
	}
	c := must(turn.NewClient(&turn.ClientConfig{TURNServerAddr: rest, Conn: conn, Username: r.Username, Password: r.Password, RTO: 100 * time.Millisecond}))
	t.Cleanup(func() { c.Close(); conn.Close() })
	if err := c.Listen(); err != nil {
		return nil, err
	}
	at, err := c.Allocate()
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { at.Close() })
	return &held{at, c}, nil
}

// passes sends to the other until it is there, since UDP and what pion/turn's client does
// beside it may be late.
func (h *held) passes(to *held, what string) error {
	b := make([]byte, 2000)
	for range 50 {
		_, err := h.WriteTo([]byte(what), to.LocalAddr())
		if err != nil {
			return err
		}
		if err := to.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			return err
		}
		if n, _, err := to.ReadFrom(b); err == nil && string(b[:n]) == what {
			return nil
		}
	}
	return errors.New("nothing came")
}

// Ana and Bo ask their home server where calls are helped, and talk through it over each way
// that it names. What they say passes the relay as they sent it, and the relay is all of what
// it passes. What a server gave before it stopped is asked for anew; Mallory, of another
// server, gets nothing here.
func TestRelaysOfAHomeServer(t *testing.T) {
	w := New(t)
	var mu sync.Mutex
	var passed bytes.Buffer
	h := &Host{w: w, Dir: t.TempDir(), Relay: &server.RelayOptions{Tap: func(_, _ netip.AddrPort, p []byte) {
		mu.Lock()
		defer mu.Unlock()
		passed.Write(p)
	}}}
	h.Start()
	t.Cleanup(h.Stop)
	other := &Host{w: w, Dir: t.TempDir(), Relay: &server.RelayOptions{}}
	other.Start()
	t.Cleanup(other.Stop)
	ana, bo, mallory := w.PersonAt("ana", h), w.PersonAt("bo", h), w.PersonAt("mallory", other)
	hers, his := must(ana.Client.Relays(patient(t))), must(bo.Client.Relays(patient(t)))
	if again := must(ana.Client.Relays(patient(t))); again.Username != hers.Username || his.Username == hers.Username {
		t.Errorf("%v, %v, %v", hers, again, his)
	}
	if len(hers.URLs) != 4 {
		t.Fatal(hers.URLs)
	}
	b := must(hold(t, his.URLs[1], his))
	for _, u := range hers.URLs[1:] {
		a := must(hold(t, u, hers))
		for _, err := range []error{
			a.client.CreatePermission(b.LocalAddr()), b.client.CreatePermission(a.LocalAddr()), a.passes(b, "ciphertext by "+u), b.passes(a, "an answer to "+u),
		} {
			if err != nil {
				t.Fatal(u, err)
			}
		}
		mu.Lock()
		if !strings.Contains(passed.String(), "ciphertext by "+u) || !strings.Contains(passed.String(), "an answer to "+u) {
			t.Error("something passed that the test did not see, by", u)
		}
		mu.Unlock()
	}
	if r := doctor.Run(patient(t), doctor.Options{Host: h.Name, URLs: hers.URLs, Username: hers.Username, Password: hers.Password}); !r.Direct || !r.Relayed {
		t.Errorf("%+v", r)
	}
	if _, err := hold(t, hers.URLs[1], must(mallory.Client.Relays(patient(t)))); err == nil {
		t.Error("another server's credential is taken")
	}
	h.Stop()
	if c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(hers.URLs[2], "turn:"), "?transport=tcp")); err == nil {
		c.Close()
		t.Error("a server that stopped relays")
	}
	h.Start()
	ana.Eventually("asks anew", func() bool {
		fresh, err := ana.Client.Relays(patient(t))
		if err != nil || fresh.Username == hers.Username {
			return false
		}
		_, err = hold(t, fresh.URLs[1], fresh)
		return err == nil
	}, func() any { return hers })
}

// A home server that relays nothing says so, which is no failure of a call.
func TestNoRelay(t *testing.T) {
	w := New(t)
	if _, err := w.Person("ana").Client.Relays(patient(t)); !client.NoRelay(err) {
		t.Error(err)
	}
}
