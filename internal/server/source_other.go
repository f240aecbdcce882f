//go:build !unix

package server

import "net"

func newSource(conn net.Conn) source { return &layered{conn: conn} }
