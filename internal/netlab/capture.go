//go:build linux

package netlab

import (
	"encoding/binary"
	"math"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sotto/internal/netns"
)

// capture is everything that passes an interface, as it lies on the wire.
type capture struct {
	file    *os.File
	wait    sync.WaitGroup
	packets [][]byte // IP packets; read them after stop
}

// listenAt begins to capture what a namespace's interface sends and gets.
func listenAt(ns string) (*capture, error) {
	c := &capture{}
	err := netns.In("/run/netns/"+ns, func() error {
		const all = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // in the order of the network
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, all)
		if err == nil {
			err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20)
			c.file = os.NewFile(uintptr(fd), "capture")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	c.wait.Go(func() {
		for b := make([]byte, 1<<16); ; {
			n, err := c.file.Read(b)
			if err != nil {
				return
			}
			c.packets = append(c.packets, append([]byte{}, b[:n]...))
		}
	})
	return c, nil
}

// stop ends the capture.
func (c *capture) stop() {
	_ = c.file.SetReadDeadline(time.Now()) // it only wakes the reader
	c.file.Close()
	c.wait.Wait()
}

// udp is the contents of a UDP packet over IPv4, and nil of all others.
func udp(packet []byte) []byte {
	if len(packet) < 28 || packet[0]>>4 != 4 || packet[9] != unix.IPPROTO_UDP {
		return nil
	}
	head := int(packet[0]&15) * 4
	if len(packet) < head+8 || int(binary.BigEndian.Uint16(packet[head+4:])) > len(packet)-head {
		return nil
	}
	return packet[head+8 : head+int(binary.BigEndian.Uint16(packet[head+4:]))]
}

// entropy is how many bits a byte of these takes: 8 of what looks like chance.
func entropy(b []byte) float64 {
	var counts [256]float64
	for _, x := range b {
		counts[x]++
	}
	bits := 0.0
	for _, n := range counts {
		if n > 0 {
			p := n / float64(len(b))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
