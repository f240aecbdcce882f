package sim

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"time"

	"sotto/internal/client"
	"sotto/internal/wire"
)

// deviceNet is the network as one life of a device has it.
type deviceNet struct {
	d    *Device
	life int
}

func (n *deviceNet) alive() bool {
	return n.d.life == n.life && (n.d.Client != nil || n.d.mallory != nil)
}

// tell calls back into the device, if it still lives.
func (n *deviceNet) tell(f func()) {
	if n.alive() {
		f()
	}
}

// Do implements client.Network. A request may be lost, answered into the void, or come
// twice, as a proxy that tries again does it.
func (n *deviceNet) Do(r client.Request, done func(client.Answer, error)) {
	d, w := n.d, n.d.w
	h := w.host(r.Host)
	end := func(after time.Duration, a client.Answer, err error) {
		w.After(after, func() { n.tell(func() { done(a, err) }) })
	}
	rtt := d.Weather.Delay + time.Duration(w.rng.Int64N(int64(d.Weather.Jitter)+1))
	if rate := d.Weather.Rate; rate > 0 {
		rtt += time.Duration(float64(len(r.Body)) / rate * float64(time.Second))
	}
	if h == nil || !h.up || h.Gone || d.Weather.Down {
		end(rtt, client.Answer{}, client.ErrUnreachable)
		return
	}
	if d.Weather.Lost || h.Mute {
		end(time.Minute, client.Answer{}, client.ErrUnreachable)
		return
	}
	w.After(2*rtt+h.Slow, func() {
		if !h.up {
			end(0, client.Answer{}, client.ErrUnreachable)
			return
		}
		a := h.request(r, d.addr)
		switch x := w.rng.Float64(); {
		case x < d.LoseAnswers:
			w.Stats.Fault("answer to a request lost")
			end(time.Minute, client.Answer{}, client.ErrUnreachable)
			return
		case x < 2*d.LoseAnswers:
			w.Stats.Fault("request repeated")
			a = h.request(r, d.addr)
		}
		if h.Evil != nil {
			h.Evil.answer(d, r, &a)
		}
		w.note("http", a.Body)
		end(rtt, a, nil)
	})
}

// request has the host's own handler serve a request.
func (h *Host) request(r client.Request, from netip.Addr) client.Answer {
	q := httptest.NewRequest(r.Method, "http://"+h.Name+r.Path, bytes.NewReader(r.Body))
	q.RemoteAddr = netip.AddrPortFrom(from, 1).String()
	for k, v := range r.Header {
		q.Header.Set(k, v)
	}
	q.ContentLength = int64(len(r.Body))
	rec := httptest.NewRecorder()
	h.ready()
	h.server.Handler().ServeHTTP(rec, q)
	h.look()
	a := client.Answer{Status: rec.Code, Offset: -1, Body: rec.Body.Bytes()}
	if n, err := strconv.ParseInt(rec.Header().Get(wire.HeaderOffset), 10, 64); err == nil {
		a.Offset = n
	}
	if c, err := strconv.Atoi(rec.Header().Get(wire.HeaderCode)); err == nil {
		a.Code = wire.Code(c)
	} else if rec.Code >= http.StatusBadRequest {
		a.Code = wire.CodeInternal
	}
	return a
}
