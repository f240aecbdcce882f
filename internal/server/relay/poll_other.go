//go:build !linux

package relay

import "net/netip"

// pollers are there where the system has epoll. Elsewhere each socket has a goroutine of its own.
type pollers struct{}

func newPollers() (*pollers, error) { return &pollers{}, nil }

func (*pollers) open(at netip.AddrPort) (datagrams, error) { return openWaiting(at) }

func (*pollers) close() {}
