package command

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"time"

	"sotto/internal/server"
	"sotto/internal/server/config"
	"sotto/internal/wire"
)

// Serve runs a home server until it is stopped. What is said here outweighs what a
// configuration file says.
type Serve struct {
	Listen      string `help:"Where to listen. Plain HTTP is spoken on loopback only." placeholder:"HOST:PORT"`
	Host        string `help:"The host part of this server's handles, if it is not the domain or the address." placeholder:"NAME[:PORT]"`
	Domain      string `help:"Get certificates by ACME for this name." placeholder:"NAME"`
	TLSCert     string `name:"tls-cert" help:"Or take the certificate from this file." placeholder:"FILE"`
	TLSKey      string `name:"tls-key" help:"And its key from this one." placeholder:"FILE"`
	SelfSigned  bool   `help:"Or make a certificate of its own, for a server on your own network. Devices know it by its key, which invitation links carry."`
	BehindProxy bool   `help:"A proxy in front does TLS."`
	RelayPort   string `help:"Where calls are relayed: a port, off, or auto." placeholder:"PORT"`
	Open        bool   `help:"Let anybody register. Otherwise an account needs an invitation."`
	Config      string `help:"A configuration file; SIGHUP reads limits and who may register from it again." placeholder:"FILE"`
	PrintConfig bool   `help:"Print a configuration file with every setting explained."`
	CheckConfig string `help:"Say what is wrong with a configuration file, and end." placeholder:"FILE"`
	Verbose     bool   `help:"Log more."`
	UntilEOF    bool   `name:"until-eof" hidden:"" help:"End when the standard input ends: for a program that starts the server."`
}

// plainListen is where a server without certificates listens when nobody says.
const plainListen = "127.0.0.1:7700"

// Run serves.
func (o Serve) Run(ctx context.Context, dir string, x *IO) error {
	switch {
	case o.PrintConfig:
		return config.Print(x.Out)
	case o.CheckConfig != "":
		if err := config.Check(o.CheckConfig); err != nil {
			return fail("bad configuration", "%s", err)
		}
		x.say(Done{"done", "checked", o.CheckConfig}, "%s is in order", o.CheckConfig)
		return nil
	}
	c, err := o.config(dir)
	if err != nil {
		return err
	}
	return o.serve(ctx, c, x)
}

// config is the file's, with the options on top.
func (o Serve) config(dir string) (c config.Config, err error) {
	c = config.Default()
	if o.Config != "" {
		if c, err = config.Load(o.Config); err != nil {
			return c, fail("bad configuration", "%s", err)
		}
	} else if dir == "" {
		return c, Usage("where shall the server keep its data? Say --data DIR, or --config FILE")
	}
	for to, from := range map[*string]string{
		&c.Data: dir, &c.Listen: o.Listen, &c.Host: o.Host, &c.Domain: o.Domain, &c.CertFile: o.TLSCert, &c.KeyFile: o.TLSKey,
		&c.RelayPort: o.RelayPort,
	} {
		if from != "" {
			*to = from
		}
	}
	c.BehindProxy = c.BehindProxy || o.BehindProxy
	c.SelfSigned = c.SelfSigned || o.SelfSigned
	c.Open = c.Open || o.Open
	if c.Listen == config.Default().Listen && c.Domain == "" && c.CertFile == "" && !c.SelfSigned {
		c.Listen = plainListen
	}
	return c, nil
}

func (o Serve) serve(ctx context.Context, c config.Config, x *IO) error {
	level := slog.LevelWarn
	if o.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(x.Err, &slog.HandlerOptions{Level: level}))
	proxies, err := c.ProxyPrefixes()
	if err != nil {
		return fail("bad configuration", "proxies: %s", err)
	}
	header := ""
	if c.BehindProxy {
		header = c.ProxyHeader
	}
	executable := ""
	if c.Programs {
		if executable, err = os.Executable(); err != nil {
			log.Warn("this program is not offered on the invitation page", "err", err)
		}
	}
	far, err := objectStore(ctx, c.Objects)
	if err != nil {
		return err
	}
	relays, err := relayOptions(c)
	if err != nil {
		return err
	}
	s, err := server.New(server.Options{
		Far:        far,
		Executable: executable, ProgramsDir: c.ProgramsDir,
		Dir: c.Data, Log: log, Host: c.Host, Open: c.Open, Limits: c.Limits, ProxyHeader: header, Proxies: proxies,
	})
	if err != nil {
		return fail("server", "%s", err)
	}
	defer o.reload(s, log)()
	if o.UntilEOF {
		var end context.CancelFunc
		ctx, end = context.WithCancel(ctx)
		defer end()
		go func() { // ends with the process at the latest
			_, _ = io.Copy(io.Discard, x.In)
			end()
		}()
	}
	err = s.Serve(ctx, server.ServeOptions{
		Listen: c.Listen, Domain: c.Domain, ACME: c.ACME, CertFile: c.CertFile, KeyFile: c.KeyFile, BehindProxy: c.BehindProxy, Own: c.SelfSigned, Relay: relays,
		Ready: func(at netip.AddrPort) { o.ready(s, at, c, x) },
	})
	if err = errors.Join(err, s.Close()); err != nil {
		return fail("server", "%s", err)
	}
	return nil
}

// relayOptions are what the configuration says of relaying; nil: no call is relayed.
func relayOptions(c config.Config) (*server.RelayOptions, error) {
	port, err := c.RelayAt()
	if err != nil {
		return nil, fail("bad configuration", "relay-port: %s", err)
	}
	if port == config.RelayOff {
		return nil, nil
	}
	o := &server.RelayOptions{Port: port}
	if port == config.RelayAuto {
		o.Port, o.Instead = config.RelayPort, true
	}
	if o.Ports, err = c.RelayRange(); err != nil {
		return nil, fail("bad configuration", "relay-ports: %s", err)
	}
	if o.Outside, err = c.RelayOutside(); err != nil {
		return nil, fail("bad configuration", "relay-addresses: %s", err)
	}
	if o.Peers, err = c.RelayReach(); err != nil {
		return nil, fail("bad configuration", "relay-peers: %s", err)
	}
	return o, nil
}

// ready prints the one line that says that the server serves.
func (o Serve) ready(s *server.Server, at netip.AddrPort, c config.Config, x *IO) {
	st := s.Status()
	x.say(struct {
		Type   string `json:"type"` // "serving"
		Listen string `json:"listen"`
		Host   string `json:"host"`
		Open   bool   `json:"open"`
		Data   string `json:"data"`
		Pin    string `json:"pin,omitempty"` // SHA-256 of the key of a server that vouches for itself
	}{"serving", at.String(), st.Host, c.Open, c.Data, pinText(s.Pin())},
		"sotto: serving %s · handles are NAME@%s · %s · data in %s", at, st.Host, entry(c.Open), c.Data)
}

func pinText(pin wire.Hash) string {
	if pin == (wire.Hash{}) {
		return ""
	}
	return hex.EncodeToString(pin[:])
}

func entry(open bool) string {
	if open {
		return "anybody may register"
	}
	return "by invitation"
}

// reload reads the configuration file again on SIGHUP, until stop.
func (o Serve) reload(s *server.Server, log *slog.Logger) (stop func()) {
	if o.Config == "" || hangup == nil {
		return func() {}
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, hangup)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range c {
			fresh, err := o.config("")
			if err != nil {
				log.Error("the configuration stays as it was", "err", err)
				continue
			}
			s.Reload(fresh.Open, fresh.Limits)
		}
	}()
	return func() { signal.Stop(c); close(c); <-done }
}

// ServerInvite makes invitations.
type ServerInvite struct {
	Count    int           `default:"1" help:"How many."`
	Lifetime time.Duration `default:"720h" help:"How long they are good: a minute at least, 30 days at most."`
}

// Run prints one per line: the code, and the same as a link.
func (o ServerInvite) Run(ctx context.Context, dir string, x *IO) error {
	if o.Lifetime < wire.MinInvitationLifetime || o.Lifetime > wire.MaxInvitationLifetime {
		return Usage("an invitation is good for a minute at least and 30 days (720h) at most")
	}
	made, err := server.InviteRemote(ctx, dir, o.Count, o.Lifetime)
	if err != nil {
		return admin(err)
	}
	for i, c := range made.Codes {
		x.say(struct {
			Type  string    `json:"type"` // "invitation"
			Code  string    `json:"code"`
			Link  string    `json:"link"`
			Until time.Time `json:"until"`
		}{"invitation", c, made.Links[i], made.Until.UTC()}, "%s  %s", c, made.Links[i])
	}
	return nil
}

// ServerSuspend suspends an account.
type ServerSuspend struct {
	Handle string `arg:"" help:"Whose account."`
	Lift   bool   `help:"End the suspension."`
}

// Run suspends.
func (o ServerSuspend) Run(ctx context.Context, dir string, x *IO) error {
	if err := server.SuspendRemote(ctx, dir, o.Handle, !o.Lift); err != nil {
		return admin(err)
	}
	done := "suspended"
	if o.Lift {
		done = "lifted"
	}
	x.say(Done{"done", done, o.Handle}, "%s %s", done, line(o.Handle))
	return nil
}

// ServerDelete deletes an account.
type ServerDelete struct {
	Handle string `arg:"" help:"Whose account."`
}

// Run deletes.
func (o ServerDelete) Run(ctx context.Context, dir string, x *IO) error {
	if err := server.DeleteRemote(ctx, dir, o.Handle); err != nil {
		return admin(err)
	}
	x.say(Done{"done", "deleted", o.Handle}, "deleted %s; the name rests for a year", line(o.Handle))
	return nil
}

// ServerStatus tells how the server is. It names nobody.
type ServerStatus struct{}

// Run prints it.
func (ServerStatus) Run(ctx context.Context, dir string, x *IO) error {
	st, err := server.StatusRemote(ctx, dir)
	if err != nil {
		return admin(err)
	}
	if x.JSON {
		x.object(struct {
			Type string `json:"type"` // "status"
			server.Status
		}{"status", st})
		return nil
	}
	x.printf("version     %s\nhost        %s\nregistering %s\nup          %s\naccounts    %d%s\nlogs        %d, %d entries, %s\nblobs       %d, %s\nconnections %d, watching %d, meetings %d\nrelay       %s\nmemory      %s\n",
		st.Version, st.Host, entry(st.Open), seconds(st.UptimeS), st.Accounts, movedAway(st.Moved), st.Logs, st.Entries, size(st.LogBytes), st.Blobs, size(st.Bytes), st.Connections, st.Watches, st.Meetings, relayText(st), size(st.Memory))
	if st.Retiring != "" {
		x.printf("retires     %s; still to leave: %s, %s\n", st.Retiring, count(st.Accounts, plural(st.Accounts, "account", "accounts")), count(int(st.Logs), plural(int(st.Logs), "log", "logs")))
	}
	return nil
}

func relayText(st server.Status) string {
	if st.Relay == 0 {
		return "off"
	}
	return fmt.Sprintf("port %d, %s, %s forwarded, %d packets refused", st.Relay, count(st.Relayed, plural(st.Relayed, "address", "addresses")), size(st.RelayBytes), st.RelayStops)
}

// movedAway says how many handles are forwarded, if there are any.
func movedAway(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", moved away %d", n)
}

// admin tells the refusal of a server from a server that is not there.
func admin(err error) error {
	if f := Explain(err); f.Code != "failed" {
		return f
	}
	return unreachable("%s", err)
}

func size(n uint64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 10<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

func seconds(s int64) string { return (time.Duration(s) * time.Second).String() }
