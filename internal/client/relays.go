package client

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sotto/internal/wire"
)

// Relays are where the home server helps calls: STUN and TURN, and with what this device
// authenticates there.
type Relays struct {
	URLs               []string // RFC 7064 and RFC 7065
	Username, Password string
	Until              int64 // Unix milliseconds
}

// relaysLeft is how long what was answered before must still be good.
const relaysLeft = 20 * time.Minute

// Relays asks the home server where calls are helped. What it answered is kept until it is
// nearly over or the connection is another: a server that starts anew has forgotten what it
// gave. A server without a relay refuses with wire.CodeNoRelay, an older one with
// wire.CodeUnknownOp.
func (c *Client) Relays(ctx context.Context) (out Relays, err error) {
	err = c.wait(ctx, func(done func(error)) {
		switch {
		case c.account == nil:
			done(ErrNoAccount)
			return
		case !c.account.link.up:
			done(ErrUnreachable)
			return
		}
		l := c.account.link
		if r := c.relays; r != nil && r.link == l && r.round == l.round && r.Until > c.now().Add(relaysLeft).UnixMilli() {
			out = r.Relays
			done(nil)
			return
		}
		round, host := l.round, c.self.Host
		ask(l, wire.OpRelays, wire.Done{}, func(a wire.Relays, err error) {
			if err == nil {
				out, err = readRelays(host, a)
			}
			if err == nil {
				c.relays = &relaysOf{out, l, round}
			}
			done(err)
		})
	})
	return out, err
}

// NoRelay says whether err is the word of a home server that helps no calls.
func NoRelay(err error) bool {
	return errors.Is(err, wire.Refuse(wire.CodeNoRelay, "")) || errors.Is(err, wire.Refuse(wire.CodeUnknownOp, ""))
}

// relaysOf is what a connection was told.
type relaysOf struct {
	Relays
	link  *link
	round int
}

// readRelays takes what is a relay of the home server itself: nobody else is contacted at a
// server's word.
func readRelays(host string, a wire.Relays) (out Relays, err error) {
	bad := wire.Refuse(wire.CodeMalformed, "what %s says of its relay makes no sense", host)
	if a.Username == "" || len(a.Username) > 128 || a.Password == "" || len(a.Password) > 128 || len(a.URLs) > wire.MaxRelayURLs || a.Until > 1<<52 {
		return out, bad
	}
	out = Relays{Username: a.Username, Password: a.Password, Until: int64(a.Until)}
	for _, u := range a.URLs {
		if relayURL(u, host) {
			out.URLs = append(out.URLs, u)
		}
	}
	if len(out.URLs) == 0 {
		return out, bad
	}
	return out, nil
}

// relayURL says whether u is of the one form that is taken, scheme:host:port with the
// transport of turn, at the machine that host names.
func relayURL(u, host string) bool {
	if len(u) > wire.MaxRelayURL {
		return false
	}
	scheme, rest, _ := strings.Cut(u, ":")
	at, query, _ := strings.Cut(rest, "?")
	switch {
	case scheme == "stun" && rest == at:
	case scheme == "turn" && (query == "transport=udp" || query == "transport=tcp"), scheme == "turns" && query == "transport=tcp":
	default:
		return false
	}
	i := strings.LastIndexByte(at, ':')
	if i < 0 {
		return false
	}
	port, err := strconv.ParseUint(at[i+1:], 10, 16)
	return err == nil && port != 0 && strconv.FormatUint(port, 10) == at[i+1:] && sameMachine(at[:i], host)
}

// sameMachine says whether a name or an address without a port is that of a home server.
func sameMachine(name, host string) bool {
	if h, err := url.Parse("//" + host); err == nil {
		want := h.Hostname()
		if a, err := netip.ParseAddr(want); err == nil && a.Is6() {
			want = "[" + want + "]"
		}
		return name == want
	}
	return false
}
