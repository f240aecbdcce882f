//go:build !windows && !darwin

package custody

import (
	"os"
	"path/filepath"
	"strconv"
)

// session says whether there is a session's bus, on which a keyring could answer. Without
// one the library would start a bus, with nobody on it and nobody to end it.
func session() bool {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		dir = filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	}
	_, err := os.Stat(filepath.Join(dir, "bus"))
	return err == nil
}
