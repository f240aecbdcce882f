//go:build unix

package server

import (
	"io"
	"net"
	"syscall"
)

// newSource waits on the descriptor of a plain TCP connection, so that a buffer is
// taken only when bytes are there.
func newSource(conn net.Conn) source {
	if tcp, ok := bareConn(conn).(*net.TCPConn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			return &bare{raw}
		}
	}
	return &layered{conn: conn}
}

type bare struct{ raw syscall.RawConn }

func (s *bare) wait() (buf *[]byte, n int, err error) {
	failed := s.raw.Read(func(fd uintptr) bool {
		b := readPool.Get().(*[]byte)
		for {
			n, err = syscall.Read(int(fd), *b)
			if err != syscall.EINTR {
				break
			}
		}
		if err == syscall.EAGAIN {
			readPool.Put(b)
			return false
		}
		buf = b
		return true
	})
	if failed != nil {
		err = failed
	} else if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		if buf != nil {
			readPool.Put(buf)
		}
		return nil, 0, err
	}
	return buf, n, nil
}
