package desktop

import (
	"os"
	"path/filepath"
)

// openers are the commands that show an address, the best first: a window of its own, made
// by a browser of the Chromium family, then whatever the person has chosen.
func (d *Desktop) openers(address string) (out []command) {
	app := "--app=" + address
	switch d.goos {
	case "windows":
		for _, dir := range []string{os.Getenv("ProgramFiles(x86)"), os.Getenv("ProgramFiles"), os.Getenv("LocalAppData")} {
			for _, exe := range []string{`Microsoft\Edge\Application\msedge.exe`, `Google\Chrome\Application\chrome.exe`, `Chromium\Application\chrome.exe`} {
				if dir == "" {
					continue
				}
				if path, err := d.look(dir + `\` + exe); err == nil {
					out = append(out, command{args: []string{path, app}, stays: true})
				}
			}
		}
		return append(out, command{args: []string{filepath.Join(os.Getenv("SystemRoot"), "System32", "rundll32.exe"), "url.dll,FileProtocolHandler", address}})
	case "darwin":
		for _, name := range []string{"Google Chrome", "Microsoft Edge", "Chromium", "Brave Browser"} {
			if _, err := d.look("/Applications/" + name + ".app/Contents/MacOS/" + name); err == nil {
				out = append(out, command{args: []string{"/usr/bin/open", "-na", name, "--args", app}})
			}
		}
		return append(out, command{args: []string{"/usr/bin/open", address}})
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge-stable", "microsoft-edge", "brave-browser"} {
		if path, err := d.look(name); err == nil {
			out = append(out, command{args: []string{path, app}, stays: true})
		}
	}
	if path, err := d.look("xdg-open"); err == nil {
		out = append(out, command{args: []string{path, address}, stays: true})
	}
	return out
}
