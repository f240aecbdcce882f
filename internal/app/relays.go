package app

import (
	"sotto/internal/app/api"
	"sotto/internal/client"
)

// relays answers where a call is helped. A home server that helps none is no failure: a call
// may do without.
func relays(c *call, in api.RelayQuery) (api.Relays, error) {
	only, err := c.relayedOnly(in.Room)
	if err != nil {
		return api.Relays{}, err
	}
	r, err := c.c.Relays(c.ctx)
	switch {
	case client.NoRelay(err):
		return api.Relays{Servers: []api.Relay{}, Only: only}, nil
	case err != nil:
		return api.Relays{}, err
	}
	return api.Relays{
		Servers: []api.Relay{{URLs: r.URLs, Username: r.Username, Credential: r.Password}},
		Only:    only, Until: r.Until,
	}, nil
}

// relayedOnly says whether a call in a room takes relayed paths only; with nobody in particular,
// as the settings say.
func (c *call) relayedOnly(in string) (bool, error) {
	if in == "" {
		s, err := c.c.Settings()
		return s.CallsRelay, err
	}
	id, err := roomID("room", in)
	if err != nil {
		return false, err
	}
	return c.c.RelayedOnly(id)
}
