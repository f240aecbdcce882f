package server

import (
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gobwas/ws"

	"sotto/internal/wire"
)

// Handler serves everything under /v1/, and the invitation page under /i.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/log", s.upgrade(Log))
	mux.HandleFunc("GET /v1/account", s.upgrade(Account))
	mux.HandleFunc("GET /v1/server", s.serveInfo)
	mux.HandleFunc("GET /v1/directory/{name}", s.serveLookup)
	mux.HandleFunc("POST /v1/directory/{name}/key-packages", s.serveClaim)
	mux.HandleFunc("PUT /v1/blobs/{blob}", s.blob(s.putBlob))
	mux.HandleFunc("GET /v1/blobs/{blob}", s.blob(s.getBlob))
	mux.HandleFunc("DELETE /v1/blobs/{blob}", s.blob(s.eraseBlob))
	mux.HandleFunc("HEAD /v1/uploads/{blob}", s.blob(s.headUpload))
	mux.HandleFunc("PATCH /v1/uploads/{blob}", s.blob(s.patchUpload))
	mux.HandleFunc("DELETE /v1/uploads/{blob}", s.blob(s.eraseBlob))
	mux.Handle("/i", s.page)
	mux.Handle("/i/", s.page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.secure.Load() && s.Pin() == (wire.Hash{}) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		// No web page has business here; a device sends no origin.
		if r.Header.Get("Origin") != "" {
			http.Error(w, "this server talks to devices, not to web pages", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// remote is the client's address: the peer's, or what a trusted proxy says it is.
func (s *Server) remote(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap()
	if s.o.ProxyHeader == "" || !s.trusted(addr) {
		return addr
	}
	said := strings.Join(r.Header.Values(s.o.ProxyHeader), ",")
	last := strings.TrimSpace(said[strings.LastIndexByte(said, ',')+1:])
	if a, err := netip.ParseAddr(last); err == nil {
		return a
	}
	if a, err := netip.ParseAddrPort(last); err == nil {
		return a.Addr()
	}
	return addr
}

func (s *Server) trusted(a netip.Addr) bool {
	for _, p := range s.o.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// upgrade makes a WebSocket of a request and gives it to a goroutine of its own, so
// that the stack and the buffers which HTTP needed are free.
func (s *Server) upgrade(kind Kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			w.Header().Set("Upgrade", "websocket")
			http.Error(w, "this address speaks WebSocket", http.StatusUpgradeRequired)
			return
		}
		remote := s.remote(r)
		c := &socket{srv: s, addr: addressKey(remote)}
		c.room.L = &c.mu
		c.last.Store(time.Now().Unix()) // from here on beat may look at it
		if err := s.policy.Load().connects.take(c.addr, s.o.Now()); err != nil {
			s.fail(w, err)
			return
		}
		if err := s.admit(c); err != nil {
			s.fail(w, err)
			return
		}
		conn, rw, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			if conn != nil {
				conn.Close()
			}
			s.dismiss(c)
			return
		}
		_ = conn.SetDeadline(time.Time{})
		early, _ := rw.Reader.Peek(rw.Reader.Buffered())
		early = append([]byte(nil), early...)
		if !c.attach(conn) {
			conn.Close()
			s.dismiss(c)
			return
		}
		c.sess = s.Connect(kind, remote, c)
		go func() {
			defer s.dismiss(c)
			c.serve(early)
		}()
	}
}

// admit counts a socket in, within the limits.
func (s *Server) admit(c *socket) error {
	l := s.policy.Load().limits
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return errGoingAway
	case uint64(len(s.sockets)) >= l.Connections:
		return wire.Refuse(wire.CodeSlowDown, "the server has as many connections as it takes; try again later")
	case s.perAddr[c.addr] >= l.ConnectionsPerAddress:
		return wire.Refuse(wire.CodeSlowDown, "too many connections from one address")
	}
	s.sockets[c] = struct{}{}
	s.perAddr[c.addr]++
	s.wait.Add(1)
	return nil
}

func (s *Server) dismiss(c *socket) {
	s.mu.Lock()
	delete(s.sockets, c)
	if s.perAddr[c.addr]--; s.perAddr[c.addr] == 0 {
		delete(s.perAddr, c.addr)
	}
	s.mu.Unlock()
	s.wait.Done()
}

// fail answers with a refusal.
func (s *Server) fail(w http.ResponseWriter, err error) {
	code := wire.CodeOf(err)
	f := wire.Failure{Sentence: "something went wrong at the server"}
	if e, ok := err.(*wire.Error); ok {
		f = wire.Failure{Sentence: e.Sentence, AfterMS: uint64(e.After.Milliseconds())}
		if e.After > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(e.After/time.Second)+1))
		}
	} else if code == wire.CodeMalformed {
		f.Sentence = "the server could not read this request"
	} else {
		s.o.Log.Error("a request failed", "err", err)
	}
	w.Header().Set(wire.HeaderCode, strconv.Itoa(int(code)))
	s.write(w, httpStatus(code), f)
}

var statuses = map[wire.Code]int{
	wire.CodeMalformed: 400, wire.CodeNotAuthenticated: 401, wire.CodeCapability: 403,
	wire.CodeSuspended: 403, wire.CodeNoHandle: 404, wire.CodeNoBlob: 404, wire.CodeOffset: 409,
	wire.CodeTooLarge: 413, wire.CodeSlowDown: 429, wire.CodeQuota: 429, wire.CodeStorageFull: 507,
}

func httpStatus(c wire.Code) int {
	if n, ok := statuses[c]; ok {
		return n
	}
	return http.StatusInternalServerError
}

func (s *Server) write(w http.ResponseWriter, status int, body any) {
	b := wire.Marshal(body)
	w.Header().Set("Content-Type", "application/cbor")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func (s *Server) serveInfo(w http.ResponseWriter, r *http.Request) {
	s.write(w, http.StatusOK, wire.ServerInfo{Lowest: wire.Version, Highest: wire.Version, Open: s.policy.Load().open, Host: s.dir.Host()})
}

// target is the name in the path, in its one normal form.
func (s *Server) target(r *http.Request) (string, error) {
	name := r.PathValue("name")
	h, err := wire.ParseHandle(name + "@localhost")
	if err != nil || h.Name != name {
		return "", wire.Refuse(wire.CodeMalformed, "that is not a name in its normal form")
	}
	return name, nil
}

func (s *Server) serveLookup(w http.ResponseWriter, r *http.Request) {
	name, err := s.target(r)
	if err == nil {
		err = s.policy.Load().lookups.take(addressKey(s.remote(r)), s.o.Now())
	}
	var l wire.Lookup
	if err == nil {
		l, err = s.dir.Lookup(name)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	s.write(w, http.StatusOK, l)
}

func (s *Server) serveClaim(w http.ResponseWriter, r *http.Request) {
	out, err := s.claimPackages(w, r)
	if err != nil {
		s.fail(w, err)
		return
	}
	s.write(w, http.StatusOK, out)
}

func (s *Server) claimPackages(w http.ResponseWriter, r *http.Request) (out wire.ClaimedPackages, err error) {
	name, err := s.target(r)
	if err != nil {
		return out, err
	}
	p := s.policy.Load()
	if err := p.claims.take(addressKey(s.remote(r)), s.o.Now()); err != nil {
		return out, err
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<10))
	if err != nil {
		return out, wire.Refuse(wire.CodeTooLarge, "a claim is at most 4096 bytes")
	}
	var q wire.ClaimPackages
	if err := wire.Unmarshal(b, &q); err != nil {
		return out, err
	}
	if _, err := s.dir.Account(name); err != nil {
		return out, err
	}
	spare := p.targets.take(name, s.o.Now()) != nil
	return s.dir.Claim(name, q, spare)
}
