package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// What the machine takes of the nouns in openapi.json.
type (
	call struct {
		ID       string `json:"id"`
		Room     string `json:"room"`
		Name     string `json:"name"`
		Outgoing bool   `json:"outgoing"`
		Stage    string `json:"stage"`
		End      string `json:"end"`
	}
	candidate struct {
		Mid       string `json:"mid"`
		Line      int    `json:"line"`
		Candidate string `json:"candidate"`
	}
	otherSide struct {
		Call       call        `json:"call"`
		Round      int         `json:"round"`
		Offer      string      `json:"offer"`
		Candidates []candidate `json:"candidates"`
	}
	relays struct {
		Servers []struct {
			URLs       []string `json:"urls"`
			Username   string   `json:"username"`
			Credential string   `json:"credential"`
		} `json:"servers"`
		Only bool `json:"only"`
	}
	event struct {
		Type  string     `json:"type"`
		Call  *call      `json:"call"`
		Media *otherSide `json:"media"`
	}
)

// window names who holds a call. If the machine stops, and with it its stream of events, the
// app ends the call.
const window = "answering"

// app is a sotto that runs, by its socket.
type app struct{ http.Client }

func newApp(socket string) *app {
	return &app{http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}}}}
}

func (a *app) get(ctx context.Context, path string, out any) error {
	return a.do(ctx, http.MethodGet, path, nil, out)
}

func (a *app) post(ctx context.Context, path string, in any) error {
	return a.do(ctx, http.MethodPost, path, in, nil)
}

func (a *app) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://sotto/api/v1"+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := a.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 4096)) // what could be read of it
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, b)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// events calls f for each event until the stream or ctx ends, or f fails.
func (a *app) events(ctx context.Context, f func(event) error) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://sotto/api/v1/events?window="+window, nil)
	if err != nil {
		return err
	}
	resp, err := a.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return err
		}
		if err := f(e); err != nil {
			return err
		}
	}
	return lines.Err()
}
