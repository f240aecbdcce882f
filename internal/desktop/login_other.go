//go:build !windows

package desktop

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// AtLogin says whether this sotto starts when the person logs in.
func (d *Desktop) AtLogin() (bool, error) {
	path, content, err := d.loginFile()
	if err != nil {
		return false, err
	}
	return same(path, content)
}

// SetAtLogin has it start when the person logs in, or not.
func (d *Desktop) SetAtLogin(on bool) error {
	path, content, err := d.loginFile()
	if err != nil {
		return err
	}
	if on {
		return put(path, content)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// TakeLinks has the system hand links that begin with sotto: to this sotto. On a Mac that
// takes an application bundle, which a program by itself is not: ErrNone.
func (d *Desktop) TakeLinks() error {
	if d.goos == "darwin" {
		return ErrNone
	}
	data := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(data) { // the XDG Base Directory Specification has it so
		home, err := os.UserHomeDir()
		if err != nil {
			return err
		}
		data = filepath.Join(home, ".local", "share")
	}
	content, err := d.entry(true)
	if err != nil {
		return err
	}
	applications := filepath.Join(data, "applications")
	path := filepath.Join(applications, d.o.Name+".desktop")
	if done, err := same(path, content); err != nil || done {
		return err
	}
	if err := put(filepath.Join(data, "icons", "hicolor", "scalable", "apps", iconName+".svg"), mark); err != nil {
		return err
	}
	if err := put(path, content); err != nil {
		return err
	}
	if tool, err := d.look("xdg-mime"); err == nil {
		if err := d.first([]command{{args: []string{tool, "default", d.o.Name + ".desktop", "x-scheme-handler/sotto"}}}); err != nil {
			return errors.Join(err, os.Remove(path)) // so that the next time tries again
		}
	}
	if tool, err := d.look("update-desktop-database"); err == nil {
		_ = d.first([]command{{args: []string{tool, applications}}}) // it is a cache
	}
	return nil
}

// apart puts a program into a group of its own: what is typed to stop sotto does not close
// the person's browser.
func apart(cmd *exec.Cmd, _ bool) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
