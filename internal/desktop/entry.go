package desktop

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sotto/internal/durable"
)

const iconName = "sotto"

// A desktop entry (freedesktop.org Desktop Entry Specification 1.5) says how a program is
// started. entry makes one; link is whether it takes links.
func (d *Desktop) entry(link bool, args ...string) ([]byte, error) {
	exec, err := execLine(append(append([]string(nil), d.o.Program...), args...))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("[Desktop Entry]\nType=Application\nName=sotto\nComment=Messages that only the people in a conversation can read\nIcon=" + iconName + "\nTerminal=false\nCategories=Network;InstantMessaging;\n")
	if link {
		exec += " -- %u"
		b.WriteString("MimeType=x-scheme-handler/sotto;\n")
	} else {
		b.WriteString("X-GNOME-Autostart-enabled=true\n")
	}
	b.WriteString("Exec=" + exec + "\n")
	return b.Bytes(), nil
}

// execLine quotes arguments for the key Exec: each in double quotes, with what the shell
// would take as special behind a backslash, % doubled, and then the backslashes doubled
// once more as in every value of such a file.
func execLine(args []string) (string, error) {
	var out []string
	for _, a := range args {
		if strings.ContainsFunc(a, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return "", fmt.Errorf("%q cannot stand in a desktop entry", a)
		}
		a = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`, `%`, `%%`).Replace(a)
		out = append(out, strings.ReplaceAll(`"`+a+`"`, `\`, `\\`))
	}
	return strings.Join(out, " "), nil
}

// agent is the property list by which launchd starts a program at login on a Mac.
func (d *Desktop) agent(args ...string) ([]byte, error) {
	text := func(s string) string {
		var b bytes.Buffer
		_ = xml.EscapeText(&b, []byte(s)) // a buffer does not fail
		return b.String()
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n<plist version=\"1.0\">\n<dict>\n\t<key>Label</key>\n\t<string>" + text(d.label()) + "</string>\n\t<key>ProgramArguments</key>\n\t<array>\n")
	for _, a := range append(append([]string(nil), d.o.Program...), args...) {
		b.WriteString("\t\t<string>" + text(a) + "</string>\n")
	}
	b.WriteString("\t</array>\n\t<key>RunAtLoad</key>\n\t<true/>\n</dict>\n</plist>\n")
	return b.Bytes(), nil
}

func (d *Desktop) label() string { return "app." + d.o.Name }

// atLoginArgs are those with which sotto starts at login: without a window.
var atLoginArgs = []string{"app", "--no-window"}

// loginFile is the file that starts sotto at login, and what stands in it.
func (d *Desktop) loginFile() (path string, content []byte, err error) {
	if d.goos == "darwin" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", nil, err
		}
		content, err = d.agent(atLoginArgs...)
		return filepath.Join(home, "Library", "LaunchAgents", d.label()+".plist"), content, err
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", nil, err
	}
	content, err = d.entry(false, atLoginArgs...)
	return filepath.Join(dir, "autostart", d.o.Name+".desktop"), content, err
}

// put makes a file, and the directories that it needs.
func put(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return durable.Replace(path, content)
}

// same says whether a file has a content.
func same(path string, content []byte) (bool, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return bytes.Equal(b, content), err
}
