//go:build !windows

package command

import (
	"os"
	"syscall"
)

// hangup is the signal that asks for the configuration to be read again.
var hangup os.Signal = syscall.SIGHUP
