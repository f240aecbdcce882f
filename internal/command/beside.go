package command

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// Windows side by side, as the demonstration opens them. Only browsers of the Chromium
// family make a window of its own at a place that they are told; each window gets a profile
// of its own in the demonstration's directory, so that nothing of it is left in the
// person's.

// The windows' size in pixels.
const (
	besideWidth  = 760
	besideHeight = 860
)

// browser is the program of one.
type browser string

// errNoBrowser says that there is no browser that opens windows side by side.
var errNoBrowser = errors.New("no browser of the Chromium family is here, or it does not start")

// chromiums are where such browsers are found, the best first.
func chromiums(goos string) (out []string) {
	switch goos {
	case "windows":
		for _, dir := range []string{os.Getenv("ProgramFiles(x86)"), os.Getenv("ProgramFiles"), os.Getenv("LocalAppData")} {
			if dir != "" {
				out = append(out, filepath.Join(dir, `Microsoft\Edge\Application\msedge.exe`), filepath.Join(dir, `Google\Chrome\Application\chrome.exe`))
			}
		}
	case "darwin":
		for _, name := range []string{"Google Chrome", "Microsoft Edge", "Chromium", "Brave Browser"} {
			out = append(out, "/Applications/"+name+".app/Contents/MacOS/"+name)
		}
	default:
		out = []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge-stable", "microsoft-edge", "brave-browser"}
	}
	return out
}

// browserBegun is how long a browser runs that has not failed to start.
const browserBegun = 1500 * time.Millisecond

// openBeside opens a window for each address, the first at the left. dir is theirs: it
// may be removed once close has returned, which ends the windows.
func openBeside(dir string, urls ...string) (close func(), err error) {
	for _, name := range chromiums(runtime.GOOS) {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if close, err := browser(path).run(dir, urls); err == nil {
			return close, nil
		}
	}
	return nil, errNoBrowser
}

// run starts a browser's windows.
func (b browser) run(dir string, urls []string) (close func(), err error) {
	ended := make(chan error, len(urls))
	running := 0
	var all []*exec.Cmd
	close = func() {
		for _, c := range all {
			_ = c.Process.Kill() // of one that ended, it says so
		}
		for ; running > 0; running-- {
			<-ended
		}
	}
	for i, url := range urls {
		c := exec.Command(string(b), besideArgs(filepath.Join(dir, fmt.Sprintf("window%d", i+1)), i, url)...)
		if err := c.Start(); err != nil {
			close()
			return nil, err
		}
		all = append(all, c)
		running++
		go func() { ended <- c.Wait() }()
	}
	select {
	case err := <-ended: // it cannot run here, as on a screen that does not answer
		running--
		close()
		return nil, errors.Join(errNoBrowser, err)
	case <-time.After(browserBegun):
	}
	return close, nil
}

// besideArgs are a browser's arguments for the window at a place.
func besideArgs(profile string, place int, url string) []string {
	return []string{
		"--app=" + url, "--user-data-dir=" + profile, "--no-first-run", "--no-default-browser-check",
		fmt.Sprintf("--window-position=%d,0", place*besideWidth), fmt.Sprintf("--window-size=%d,%d", besideWidth, besideHeight),
	}
}
