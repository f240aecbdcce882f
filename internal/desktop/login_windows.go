package desktop

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

const (
	runKey     = `Software\Microsoft\Windows\CurrentVersion\Run`
	classesKey = `Software\Classes\sotto`
)

// commandLine quotes arguments as CommandLineToArgvW takes them apart.
func commandLine(args []string) string {
	var out []string
	for _, a := range args {
		out = append(out, windows.EscapeArg(a))
	}
	return strings.Join(out, " ")
}

// AtLogin says whether this sotto starts when the person logs in.
func (d *Desktop) AtLogin() (bool, error) {
	k, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer k.Close()
	have, _, err := k.GetStringValue(d.o.Name)
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	return have == commandLine(append(append([]string(nil), d.o.Program...), atLoginArgs...)), err
}

// SetAtLogin has it start when the person logs in, or not.
func (d *Desktop) SetAtLogin(on bool) error {
	k, _, err := registry.CreateKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if err != nil {
		return err
	}
	defer k.Close()
	if on {
		return k.SetStringValue(d.o.Name, commandLine(append(append([]string(nil), d.o.Program...), atLoginArgs...)))
	}
	if err := k.DeleteValue(d.o.Name); err != nil && !errors.Is(err, registry.ErrNotExist) {
		return err
	}
	return nil
}

// TakeLinks has the system hand links that begin with sotto: to this sotto. Windows puts the
// link where %1 stands; browsers escape quotes in it, and -- keeps it from being an option.
func (d *Desktop) TakeLinks() error {
	for path, values := range map[string]map[string]string{
		classesKey:                         {"": "URL:sotto", "URL Protocol": ""},
		classesKey + `\shell\open\command`: {"": commandLine(d.o.Program) + ` -- "%1"`},
	} {
		k, _, err := registry.CreateKey(registry.CURRENT_USER, path, registry.SET_VALUE)
		if err != nil {
			return err
		}
		for name, value := range values {
			if err := k.SetStringValue(name, value); err != nil {
				k.Close()
				return err
			}
		}
		k.Close()
	}
	return nil
}

// apart puts a program into a group of its own; one that shows nothing itself gets no
// window, not even for a moment.
func apart(cmd *exec.Cmd, shows bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: !shows}
}
