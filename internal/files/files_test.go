package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// What people and Mallory call files, and what they are kept as.
func TestSafeName(t *testing.T) {
	for in, want := range map[string]string{
		"report.pdf": "report.pdf", "Übersicht ä ö.txt": "Übersicht ä ö.txt", "写真.jpg": "写真.jpg", "archive.tar.gz": "archive.tar.gz",
		"../../etc/passwd": "passwd", `..\..\Windows\System32\cmd.exe`: "cmd.exe", "/etc/passwd": "passwd", "a/": "file", "": "file", ".": "file", "..": "file", "...": "file",
		".bashrc": "bashrc", "C:evil.txt": "evil.txt", "safe.txt:stream.exe": "stream.exe", "name. . .": "name", "trailing ": "trailing", "  spaces  ": "spaces",
		"con": "_con", "CON.txt": "_CON.txt", "nul.tar.gz": "_nul.tar.gz", "COM1": "_COM1", "com¹.txt": "_com¹.txt", "LPT9 .txt": "_LPT9 .txt", "CONTROL.txt": "CONTROL.txt", "COM10": "COM10", "conin$": "_conin$",
		"photo\u202egpj.exe": "photogpj.exe", "a\x00b\x1b[31mc": "ab[31mc", "a\nb\tc.txt": "a b c.txt", "zero\u200bwidth.txt": "zerowidth.txt", "\u2066left\u2069": "left",
		"photo.jpg\u2003\u2003\u2003\u2003.exe": "photo.jpg .exe", `what?*<>|".txt`: "what.txt", "\xff\xfebad": "bad",
	} {
		if got := SafeName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	long := SafeName(strings.Repeat("ä", 2048) + ".pdf")
	if len(long) > maxName || !strings.HasSuffix(long, "ä.pdf") || !utf8.ValidString(long) {
		t.Errorf("%d bytes: %q", len(long), long)
	}
	if got := SafeName("a." + strings.Repeat("x", 4096)); len(got) > maxName {
		t.Error(len(got))
	}
}

func FuzzSafeName(f *testing.F) {
	for _, s := range []string{"a.txt", "../x", "CON", "\u202e", strings.Repeat("é", 300) + ".png"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		name := SafeName(in)
		if name == "" || len(name) > maxName+1 || strings.ContainsAny(name, "/\\:\x00<>\"|?*") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") || device(name) || !utf8.ValidString(name) {
			t.Fatalf("%q from %q", name, in)
		}
		for _, r := range name {
			if !unicode.IsGraphic(r) {
				t.Fatalf("%q holds %U", name, r)
			}
		}
		if filepath.Base(name) != name {
			t.Fatalf("%q is no name of a file", name)
		}
		if again := SafeName(name); again != name {
			t.Fatalf("%q and then %q", name, again)
		}
	})
}

func TestNumbered(t *testing.T) {
	for want, got := range map[string]string{
		"a.txt": Numbered("a.txt", 1), "a (2).txt": Numbered("a.txt", 2), "a (3).tar.gz": Numbered("a.tar.gz", 3), "plain (2)": Numbered("plain", 2),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDanger(t *testing.T) {
	for name, want := range map[string]Danger{
		"a.pdf": Safe, "a.jpg": Safe, "a.EXE": Program, "a.txt.lnk": Shortcut, "run.sh": Script, "x.docm": Macros, "x.docx": Safe, "disk.iso": Image, "page.svg": Page,
		"photo\u202egpj.exe": Program, "setup.exe. ": Program, "a.exe:x.txt": Safe, "noext": Safe,
	} {
		if got := DangerOf(name, "application/octet-stream"); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if DangerOf("readme", "TEXT/HTML; charset=utf-8") != Page {
		t.Error("a page without an ending")
	}
}

// Place never writes over a file, and what it placed is there under the one name.
func TestPlace(t *testing.T) {
	dir := t.TempDir()
	d := Disk{}
	part, name := filepath.Join(dir, "part"), filepath.Join(dir, "name")
	f, err := d.Create(part)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("new"), 0); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close(), os.WriteFile(name, []byte("old"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := d.Place(part, name); !errors.Is(err, fs.ErrExist) {
		t.Fatal("placed over a file:", err)
	}
	if b, _ := os.ReadFile(name); string(b) != "old" {
		t.Fatalf("%q", b)
	}
	if err := d.Place(part, name+"2"); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(name + "2"); string(b) != "new" {
		t.Fatalf("%q", b)
	}
	if names, err := d.Names(dir); err != nil || len(names) != 2 {
		t.Error(names, err)
	}
	if names, err := d.Names(filepath.Join(dir, "none")); err != nil || names != nil {
		t.Error(names, err)
	}
	if runtime.GOOS != "windows" {
		if err := os.Symlink(name, filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Reopen(filepath.Join(dir, "link")); err == nil {
			t.Error("a link was opened to be written")
		}
	}
	if _, err := d.Open(dir); err == nil {
		t.Error("a directory was opened as a file")
	}
}
