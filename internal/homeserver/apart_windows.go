package homeserver

import (
	"os/exec"
	"syscall"
)

// apart puts the process into a group of its own, without a window: what is typed to stop
// the app stops the app, which then ends the server.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}
