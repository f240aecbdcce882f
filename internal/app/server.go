package app

import (
	"sotto/internal/app/api"
	"sotto/internal/explain"
)

var errNoServer = explain.Refuse("no server", "this program runs no home server here: start one with \"sotto server\"")

func startServer(c *call, in api.NewServer) (api.LocalServer, error) {
	s := c.app.o.Server
	if s == nil {
		return api.LocalServer{}, errNoServer
	}
	return s.Start(c.ctx, in.Host)
}

func stopServer(c *call) error {
	s := c.app.o.Server
	if s == nil {
		return errNoServer
	}
	return s.Stop()
}
