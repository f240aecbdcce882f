package handover

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// socket is a listener that only processes of the same user get through to.
type socket struct {
	net.Listener
	path string
	once sync.Once
	err  error
}

// Listen listens on a unix socket that only processes of the same user reach. The caller
// holds the home, so a socket that stands there was left behind. Close removes it.
func Listen(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var ln net.Listener
	err := short(path, func(path string) (err error) {
		if ln, err = net.Listen("unix", path); err == nil {
			ln.(*net.UnixListener).SetUnlinkOnClose(false) // Close does it, by the whole path
			err = os.Chmod(path, 0o600)
		}
		return err
	})
	if err != nil {
		if ln != nil {
			ln.Close()
		}
		return nil, err
	}
	return &socket{Listener: ln, path: path}, nil
}

// Accept waits for a process of the same user.
func (s *socket) Accept() (net.Conn, error) {
	for {
		c, err := s.Listener.Accept()
		if err != nil || sameUser(c) {
			return c, err
		}
		c.Close()
	}
}

// Close ends listening and removes the socket.
func (s *socket) Close() error {
	s.once.Do(func() {
		os.Remove(s.path)
		s.err = s.Listener.Close()
	})
	return s.err
}

// Dial connects to a socket of Listen; ErrNobody when nobody listens there.
func Dial(path string) (net.Conn, error) {
	var c net.Conn
	err := short(path, func(path string) (err error) {
		c, err = net.DialTimeout("unix", path, time.Second)
		return err
	})
	if err != nil {
		return nil, ErrNobody
	}
	if !sameUser(c) {
		c.Close()
		return nil, fmt.Errorf("the socket %s belongs to another user", path)
	}
	return c, nil
}
