// Package ui holds the built web interface, which the app serves on loopback. It is built
// by npm from the sources beside it (make ui) into dist; without that only a placeholder
// is there, so that plain go build always compiles.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built interface: index.html, and what it names under assets, whose
// names hold a hash of their content and never change their meaning. It says false when
// the interface was not built into this binary.
func Files() (fs.FS, bool) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, false // cannot happen: dist is a valid path
	}
	_, err = fs.Stat(files, "index.html")
	return files, err == nil
}
