//go:build linux && chaos

package chaos

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// disk mounts a disk in memory at a directory that it makes. It goes with the namespace.
func disk(dir string, bytes int64) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts cannot be made private: %w", err)
	}
	if err := unix.Mount("chaos", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes)); err != nil {
		return fmt.Errorf("a disk in memory: %w", err)
	}
	return nil
}

// resize gives a mounted disk another size, and nothing less than what is on it.
func resize(dir string, bytes int64) error {
	if err := unix.Mount("chaos", dir, "tmpfs", unix.MS_REMOUNT, fmt.Sprintf("size=%d,mode=0700", bytes)); err != nil {
		return fmt.Errorf("another size for a disk in memory: %w", err)
	}
	return nil
}

// used is how many bytes stand on the disk at a directory.
func used(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Blocks-s.Bfree) * s.Bsize, nil
}
