// Package command holds sotto's commands. Each is a struct of its options with a Run
// method that takes its input and outputs, so that tests run it without a process.
// cmd/sotto is a table of them. It may know both client and server, as it is what puts
// either on a machine; it never knows how arguments are parsed.
//
// With --json each command prints one object per line; their types, in json.go, are
// what docs/command-line.md describes.
package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"sotto/internal/client"
)

// IO is what a command reads and where it prints.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	JSON     bool
	Terminal bool          // Out is one
	Resumes  bool          // what goes on until it is stopped was begun by another process
	Dir      string        // where names of files begin; "": in this process's working directory
	Timeout  time.Duration // how long servers may take
	Private  []string      // hosts that may have addresses in private ranges
	Secret   string        // the file with the passphrase of a locked home; "": ask for it

	tap    func(client.Network) client.Network // stands between a device and the network
	opened *[32]byte                           // the key of this process's home, once its passphrase was given
	failed error                               // of the first write to Out that failed
}

// Local is a command that needs neither a device nor a running server.
type Local interface {
	Run(ctx context.Context, x *IO) error
}

// OnServer is a command to the server that runs on a data directory.
type OnServer interface {
	Run(ctx context.Context, dir string, x *IO) error
}

// OnDevice is a command of the device in a home directory.
type OnDevice interface {
	Run(ctx context.Context, d *Device, x *IO) error
}

// OnHome is a command about a home directory itself. It needs no device, and runs also
// while another process holds the home.
type OnHome interface {
	RunHome(ctx context.Context, home string, x *IO) error
}

// Follower is a command that may go on until it is stopped.
type Follower interface{ Follows() bool }

// printf prints to a person; what comes from others has to be clean.
func (x *IO) printf(format string, args ...any) { x.write(fmt.Appendf(nil, format, args...)) }

// object prints one JSON object on its line.
func (x *IO) object(v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		x.failed = err
		return
	}
	x.write(append(plainJSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), '\n'))
}

func (x *IO) write(b []byte) {
	if x.failed == nil {
		_, x.failed = x.Out.Write(b)
	}
}

// say prints an object or a line, whichever is asked for.
func (x *IO) say(v any, format string, args ...any) {
	if x.JSON {
		x.object(v)
		return
	}
	x.printf(format+"\n", args...)
}
