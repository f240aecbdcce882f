package command

import (
	"context"
	"runtime"
	"runtime/debug"
)

// Version tells which sotto this is.
type Version struct{}

// Run prints it.
func (Version) Run(_ context.Context, x *IO) error {
	version, revision := versionOf()
	x.say(struct {
		Type     string `json:"type"` // "version"
		Version  string `json:"version"`
		Revision string `json:"revision,omitempty"`
		Go       string `json:"go"`
		System   string `json:"system"`
	}{"version", version, revision, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH},
		"sotto %s (%s, %s/%s)", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// versionOf is what the build says of itself.
func versionOf() (version, revision string) {
	version = "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return version, revision
}
