package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"sotto/internal/app"
	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/custody"
	"sotto/internal/handover"
	"sotto/internal/homeserver"
	"sotto/internal/wire"
	"sotto/ui"
)

// App is sotto with its interface. It runs until it is told to end; when one runs for the
// home already, that one opens a window.
type App struct {
	Link     string `arg:"" optional:"" help:"An invitation link to open."`
	NoWindow bool   `help:"Open no window: as at login."`
	Port     int    `help:"The port on this computer, instead of the one of last time." placeholder:"PORT"`
	PrintURL bool   `name:"print-url" help:"Print the address that opens a window, instead of opening one."`

	Desktop app.Desktop `kong:"-"` // what the system does for a person; nil: this machine's
}

// apiSocket is where the app answers this user's programs.
const apiSocket = "app.sock"

// Run serves the interface of a home.
func (o App) Run(ctx context.Context, home string, x *IO, guest Guest) (err error) {
	if o.Link != "" && !isLink(o.Link) {
		return Usage("%q is neither a command nor an invitation link: sotto --help lists the commands", o.Link)
	}
	if home, err = filepath.Abs(home); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	var screen *system
	if o.Desktop == nil {
		screen = newSystem(program, home)
		defer screen.Close()
		o.Desktop = screen
	}
	show := !o.NoWindow || o.PrintURL
	switch url, err := askOpening(ctx, home, o.Link); {
	case err == nil && show:
		return o.show(url, x)
	case err == nil:
		return nil
	case !errors.Is(err, handover.ErrNobody):
		return err
	}
	options := o.options(home, x, guest)
	local := homeserver.New(homeserver.Options{Dir: filepath.Join(home, "server"), Program: []string{program}, Log: options.Log})
	options.Server = local
	defer local.Close()
	a, err := app.New(options)
	if errors.Is(err, app.ErrRunning) { // it is starting, or its socket cannot be made
		return o.again(ctx, home, x)
	}
	if err != nil {
		return err
	}
	local.Resume()
	err = a.Listen()
	if err == nil && show {
		err = o.show(a.Opening(), x)
	}
	if screen != nil {
		go func() { // the system's own programs may take a while
			if err := screen.takeLinks(home); err != nil {
				options.Log.Warn("links are not handed to sotto", "err", err)
			}
		}()
	}
	if err == nil {
		select {
		case <-ctx.Done():
		case <-a.Done():
		}
	}
	return errors.Join(err, a.Close())
}

// isLink says whether an argument looks like an invitation link. What is in it is read
// where it is shown.
func isLink(s string) bool {
	for _, scheme := range []string{"https://", "http://", wire.LinkScheme} {
		if strings.HasPrefix(s, scheme) {
			return (scheme == wire.LinkScheme || strings.Contains(s, "#")) && len(s) <= wire.MaxLink
		}
	}
	return false
}

// again asks the app that has begun to run in this moment.
func (o App) again(ctx context.Context, home string, x *IO) error {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		url, err := askOpening(ctx, home, o.Link)
		switch {
		case err == nil && o.NoWindow && !o.PrintURL:
			return nil
		case err == nil:
			return o.show(url, x)
		case !errors.Is(err, handover.ErrNobody) || time.Now().After(end):
			return fail("in use", "sotto runs already for this home, but does not answer: end it and try again")
		}
	}
}

func (o App) options(home string, x *IO, guest Guest) app.Options {
	version, _ := versionOf()
	out := app.Options{
		Home: home, Version: version, Port: o.Port, Link: o.Link, Desktop: o.Desktop,
		Custody: custody.At(home, custody.Options{}), Keyring: custody.KeyringHere,
		Log: slog.New(slog.NewTextHandler(x.Err, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Open: func(key [32]byte) (*app.Device, error) {
			d, err := openWith(home, key, !empty(home), x)
			if err != nil {
				return nil, err
			}
			return &app.Device{Client: d.Client, Close: d.Close}, nil
		},
		Guest: func(ctx context.Context, c *client.Client, r handover.Request, g handover.IO) int {
			io := &IO{In: g.In, Out: g.Out, Err: g.Err, Terminal: r.Terminal, Resumes: r.Resumes, Dir: r.Dir}
			return guest(ctx, &Device{Client: c, Home: home}, r.Args, io)
		},
	}
	if files, built := ui.Files(); built {
		out.UI = files
	}
	return out
}

// show opens a window, or prints the address where there is no screen.
func (o App) show(url string, x *IO) error {
	if o.Desktop != nil && !o.PrintURL && hasScreen() {
		err := o.Desktop.Open(url)
		if err == nil {
			return nil
		}
		fmt.Fprintf(x.Err, "sotto: no browser could be opened (%s); open this address yourself\n", err)
	}
	x.say(Opening{Type: "opening", URL: url}, "%s", url)
	return x.failed
}

// hasScreen says whether a browser can be shown.
func hasScreen() bool {
	switch runtime.GOOS {
	case "windows", "darwin":
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// askOpening asks the app that runs for a home for an address that opens a window, and
// hands it a link; ErrNobody when none runs.
func askOpening(ctx context.Context, home, link string) (string, error) {
	c := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return handover.Dial(filepath.Join(home, apiSocket))
		},
	}}
	body, err := json.Marshal(api.NewOpening{Link: link})
	if err != nil {
		return "", err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://app/api/v1/openings", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	q.Header.Set("Content-Type", "application/json")
	r, err := c.Do(q)
	if errors.Is(err, handover.ErrNobody) {
		return "", handover.ErrNobody
	}
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	var answer api.Opening
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil || r.StatusCode != http.StatusOK || answer.URL == "" {
		return "", fmt.Errorf("sotto runs for this home, but answers with status %d: it may be another version", r.StatusCode)
	}
	return answer.URL, nil
}
