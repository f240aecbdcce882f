package command

import (
	"errors"
	"io"
	"path/filepath"

	"sotto/internal/app"
	"sotto/internal/desktop"
	"sotto/ui"
)

// open opens both people's interfaces: two apps in this process, each with the home of one
// of them. Where there is a screen their windows stand side by side; everywhere the
// addresses are printed.
func (s *stage) open(guest Guest) (closeAll func() error, err error) {
	var ends []func() error
	closeAll = func() (err error) {
		for _, end := range ends {
			err = errors.Join(err, end())
		}
		return err
	}
	var addresses []string
	for _, name := range []string{"ana", "bo"} {
		quiet := &IO{Out: io.Discard, Err: s.x.Err}
		if quiet.Err == nil {
			quiet.Err = io.Discard
		}
		a, err := app.New(App{}.options(s.home(name), quiet, guest))
		if err != nil {
			return nil, errors.Join(err, closeAll())
		}
		ends = append(ends, a.Close)
		if err := a.Listen(); err != nil {
			return nil, errors.Join(err, closeAll())
		}
		addresses = append(addresses, a.Opening(), a.Opening())
	}
	if _, built := ui.Files(); built && hasScreen() {
		if end, err := openBeside(filepath.Join(s.dir, "windows"), addresses[0], addresses[2]); err == nil {
			ends = append([]func() error{func() error { end(); return nil }}, ends...)
			s.x.printf("\nAna's window is at the left, Bo's at the right.\n")
			return closeAll, nil
		}
		screen := system{desktop.New(desktop.Options{})}
		defer screen.Close()
		if screen.Open(addresses[0]) == nil && screen.Open(addresses[2]) == nil {
			s.x.printf("\nAna's and Bo's interfaces open in your browser.\n")
			return closeAll, nil
		}
	}
	s.x.printf("\nTheir interfaces, in a browser on this computer; each address works once, within two minutes:\n\n  Ana  %s\n  Bo   %s\n", addresses[1], addresses[3])
	return closeAll, nil
}
