package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"sotto/internal/wire"
)

// Status is what `sotto server status` prints. It names nobody.
type Status struct {
	Version     string `json:"version"`
	Host        string `json:"host"`
	Open        bool   `json:"open"`
	UptimeS     int64  `json:"uptime_s"`
	Accounts    int    `json:"accounts"` // that live here
	Moved       int    `json:"moved"`    // accounts that moved away, whose handles are forwarded
	Logs        uint64 `json:"logs"`
	Entries     uint64 `json:"entries"`   // that stand in logs
	LogBytes    uint64 `json:"log_bytes"` // of them
	Blobs       int    `json:"blobs"`
	Bytes       uint64 `json:"bytes"` // of blobs
	Connections int    `json:"connections"`
	Watches     int    `json:"watches"`
	Meetings    int    `json:"meetings"`           // of devices that are being linked, now
	Relay       uint16 `json:"relay"`              // the port of the relay; 0: there is none
	Relayed     int    `json:"relayed"`            // addresses that are relayed, now
	RelayBytes  uint64 `json:"relay_bytes"`        // forwarded since the start
	RelayStops  uint64 `json:"relay_stops"`        // packets that a quota, or whom they were for, stopped
	Memory      uint64 `json:"memory"`             // bytes that the process holds
	Retiring    string `json:"retiring,omitempty"` // when it is to be switched off
	Reason      string `json:"reason,omitempty"`
}

// Status says how the server is. It counts the logs: the answer of a server with a
// hundred thousand of them takes about a second. Logs that cannot be read are not
// counted, and the server's own log says so.
func (s *Server) Status() Status {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	blobs, blobBytes := s.blobs.Stats()
	total, err := s.logs.Totals()
	if err != nil {
		s.o.Log.Error("the logs could not be counted", "err", err)
	}
	s.mu.Lock()
	n := len(s.sessions)
	s.mu.Unlock()
	here, moved := s.dir.Accounts()
	st := Status{
		Version: version(), Host: s.dir.Host(), Open: s.policy.Load().open,
		UptimeS:  int64(s.o.Now().Sub(s.started) / time.Second),
		Accounts: here, Moved: moved, Logs: total.Logs, Entries: total.Entries, LogBytes: total.Bytes,
		Watches: s.logs.Stats().Watches, Meetings: s.meetings.Count(),
		Blobs: blobs, Bytes: blobBytes, Connections: n, Memory: m.Sys - m.HeapReleased,
	}
	if r := s.relay.Load(); r != nil {
		n := r.Stats()
		st.Relay, st.Relayed, st.RelayBytes, st.RelayStops = r.Port(), n.Allocations, n.Bytes, n.Refused
	}
	if r := s.dir.Retiring(); r != nil {
		st.Retiring, st.Reason = time.UnixMilli(int64(r.On)).UTC().Format(time.RFC3339), r.Reason
	}
	return st
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, x := range info.Settings {
		if x.Key == "vcs.revision" {
			return info.Main.Version + " " + x.Value[:min(12, len(x.Value))]
		}
	}
	return info.Main.Version
}

// Invitations are codes to register with, and the same as links.
type Invitations struct {
	Codes []string  `json:"codes"`
	Links []string  `json:"links"`
	Until time.Time `json:"until"`
}

// Invite makes n invitations, each good once within a lifetime; 0 is the longest.
func (s *Server) Invite(n int, lifetime time.Duration) (out Invitations, err error) {
	if out.Codes, out.Until, err = s.dir.Invite(n, lifetime); err != nil {
		return out, err
	}
	for _, code := range out.Codes {
		l := wire.Link{Kind: wire.LinkAccount, Host: s.dir.Host(), Code: code, Until: uint64(out.Until.UnixMilli()), Pin: s.Pin()}
		out.Links = append(out.Links, l.String())
	}
	return out, nil
}

// Suspend suspends an account, or lifts it. Its devices lose their connections.
func (s *Server) Suspend(handle string, suspended bool) error {
	name, err := s.dir.Name(handle)
	if err != nil {
		return err
	}
	a, err := s.dir.Suspend(name, suspended)
	if err != nil || !suspended {
		return err
	}
	s.endAccount(a, errSuspended)
	return nil
}

// Delete deletes an account as its owner would.
func (s *Server) Delete(handle string) error {
	name, err := s.dir.Name(handle)
	if err != nil {
		return err
	}
	a, err := s.dir.Delete(name)
	if err != nil {
		return err
	}
	s.endAccount(a, errDeleted)
	return nil
}

// adminRequest and adminAnswer cross the admin socket.
type adminRequest struct {
	Count    int           `json:"count,omitempty"`
	Lifetime time.Duration `json:"lifetime,omitempty"`
	Handle   string        `json:"handle,omitempty"`
	Lift     bool          `json:"lift,omitempty"`
	On       time.Time     `json:"on,omitzero"`
	Reason   string        `json:"reason,omitempty"`
}

type adminAnswer struct {
	Invitations *Invitations `json:"invitations,omitempty"`
	Status      *Status      `json:"status,omitempty"`
	Code        wire.Code    `json:"code,omitempty"`
	Error       string       `json:"error,omitempty"`
}

func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	for path, do := range map[string]func(adminRequest) (adminAnswer, error){
		"POST /invite": func(q adminRequest) (a adminAnswer, err error) {
			i, err := s.Invite(q.Count, q.Lifetime)
			return adminAnswer{Invitations: &i}, err
		},
		"POST /suspend": func(q adminRequest) (a adminAnswer, err error) {
			return a, s.Suspend(q.Handle, !q.Lift)
		},
		"POST /delete": func(q adminRequest) (a adminAnswer, err error) { return a, s.Delete(q.Handle) },
		"POST /retire": func(q adminRequest) (a adminAnswer, err error) { return a, s.Retire(q.On, q.Reason) },
		"POST /sweep":  func(adminRequest) (a adminAnswer, err error) { return a, s.Sweep() },
		"POST /status": func(adminRequest) (a adminAnswer, err error) { x := s.Status(); a.Status = &x; return a, nil },
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			var q adminRequest
			var a adminAnswer
			err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&q)
			if err == nil {
				a, err = do(q)
			}
			if err != nil {
				a = adminAnswer{Code: wire.CodeOf(err), Error: err.Error()}
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(a)
		})
	}
	return mux
}

func adminPath(dataDir string) string { return filepath.Join(dataDir, "admin.sock") }

// serveAdmin listens on a socket in the data directory, which only the same user may
// open. Whoever holds the directory's lock owns the socket: one left by a crash goes.
// A data directory that is not on the disk has none.
func (s *Server) serveAdmin() (io.Closer, error) {
	if info, err := os.Stat(s.o.Dir); err != nil || !info.IsDir() {
		return io.NopCloser(nil), nil
	}
	path := adminPath(s.o.Dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("server: admin socket: %w", err)
	}
	var ln net.Listener
	err := inShort(path, func(short string) (err error) {
		if ln, err = net.Listen("unix", short); err == nil {
			err = os.Chmod(short, 0o600)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("server: admin socket: %w", err)
	}
	web := &http.Server{Handler: s.adminHandler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = web.Serve(sameUser{ln}) }()
	return closers{web, path}, nil
}

type closers struct {
	web  *http.Server
	path string
}

func (c closers) Close() error {
	err := c.web.Close()
	if gone := os.Remove(c.path); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// sameUser takes connections of the server's own user only.
type sameUser struct{ net.Listener }

func (l sameUser) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || peerIsUs(c) {
			return c, err
		}
		c.Close()
	}
}

// InviteRemote asks the server that runs on dataDir for n invitations.
func InviteRemote(ctx context.Context, dataDir string, n int, lifetime time.Duration) (Invitations, error) {
	a, err := remote(ctx, dataDir, "invite", adminRequest{Count: n, Lifetime: lifetime})
	if err != nil || a.Invitations == nil {
		return Invitations{}, err
	}
	return *a.Invitations, nil
}

// SuspendRemote suspends an account, or lifts it.
func SuspendRemote(ctx context.Context, dataDir, handle string, suspended bool) error {
	_, err := remote(ctx, dataDir, "suspend", adminRequest{Handle: handle, Lift: !suspended})
	return err
}

// DeleteRemote deletes an account.
func DeleteRemote(ctx context.Context, dataDir, handle string) error {
	_, err := remote(ctx, dataDir, "delete", adminRequest{Handle: handle})
	return err
}

// RetireRemote notes that the server will be switched off at a time; a zero time takes that
// back.
func RetireRemote(ctx context.Context, dataDir string, on time.Time, reason string) error {
	_, err := remote(ctx, dataDir, "retire", adminRequest{On: on, Reason: reason})
	return err
}

// SweepRemote makes what was erased so far leave every file of the server's engine
// now, not within wire.ErasedWithin. It returns when that is done.
func SweepRemote(ctx context.Context, dataDir string) error {
	_, err := remote(ctx, dataDir, "sweep", adminRequest{})
	return err
}

// StatusRemote asks how the server is.
func StatusRemote(ctx context.Context, dataDir string) (Status, error) {
	a, err := remote(ctx, dataDir, "status", adminRequest{})
	if err != nil || a.Status == nil {
		return Status{}, err
	}
	return *a.Status, nil
}

func remote(ctx context.Context, dataDir, what string, q adminRequest) (a adminAnswer, err error) {
	t := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (c net.Conn, err error) {
			err = inShort(adminPath(dataDir), func(short string) (err error) {
				c, err = new(net.Dialer).DialContext(ctx, "unix", short)
				return err
			})
			return c, err
		},
	}
	defer t.CloseIdleConnections()
	b, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://sotto/"+what, bytes.NewReader(b))
	if err != nil {
		return a, err
	}
	resp, err := t.RoundTrip(r)
	if err != nil {
		return a, fmt.Errorf("no server runs on %s that this user may talk to: %w", dataDir, err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&a); err != nil {
		return a, fmt.Errorf("the server's answer was not readable: %w", err)
	}
	if a.Error != "" {
		return a, wire.Refuse(a.Code, "%s", a.Error)
	}
	return a, nil
}
