package command

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestBeside opens windows with a browser that only says what it was asked for.
func TestBeside(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("browsers have fixed places there")
	}
	bin, dir := t.TempDir(), t.TempDir()
	program := "#!/bin/sh\necho \"$@\" > " + dir + "/$$.asked\nexec sleep 60\n"
	if err := os.WriteFile(filepath.Join(bin, "chromium"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	end, err := openBeside(dir, "http://127.0.0.1:1/#open=a", "http://127.0.0.1:2/#open=b")
	if err != nil {
		t.Fatal(err)
	}
	end()
	files, err := filepath.Glob(filepath.Join(dir, "*.asked"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d windows: %v", len(files), err)
	}
	both := ""
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		both += string(b)
	}
	for _, want := range []string{"--app=http://127.0.0.1:1/#open=a", "--app=http://127.0.0.1:2/#open=b", "--window-position=0,0", "--window-position=760,0", "window1", "window2"} {
		if !strings.Contains(both, want) {
			t.Errorf("no %q in\n%s", want, both)
		}
	}
}

// TestBesideFails goes on without windows when a browser ends at once.
func TestBesideFails(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("browsers have fixed places there")
	}
	bin := t.TempDir()
	for _, name := range chromiums(runtime.GOOS) {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	if _, err := openBeside(t.TempDir(), "http://127.0.0.1:1/", "http://127.0.0.1:2/"); err == nil {
		t.Error("windows of a browser that does not run")
	}
}
