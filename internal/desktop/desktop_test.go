package desktop

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hostile is what somebody might write to break out of a notice.
const hostile = "\"; touch /tmp/pwned; $(id) `id` %u\n--help <b>&amp;</b> ' \\ \u202egpj.exe\x1b[31m \x00 end run"

// recorder is a desktop of some system that runs nothing.
func recorder(goos string, here ...string) (*Desktop, *[]command) {
	d := New(Options{Program: []string{"/opt/so tto/sotto", "--home", `/home/a"na/$HOME%`}})
	var ran []command
	d.goos = goos
	d.look = func(file string) (string, error) {
		if slices.Contains(here, file) {
			return file, nil
		}
		return "", exec.ErrNotFound
	}
	d.run = func(_ context.Context, c command) error { ran = append(ran, c); return nil }
	return d, &ran
}

// TestOpen: which command shows an address, on each system; and nothing but sotto's own.
func TestOpen(t *testing.T) {
	const at = "http://127.0.0.1:7777/#open=abc"
	t.Setenv("ProgramFiles", `C:\Program Files`)
	t.Setenv("SystemRoot", `C:\Windows`)
	edge := `C:\Program Files\Microsoft\Edge\Application\msedge.exe`
	for _, x := range []struct {
		goos string
		here []string
		want []string
	}{
		{"linux", []string{"xdg-open"}, []string{"xdg-open", at}},
		{"linux", []string{"xdg-open", "google-chrome"}, []string{"google-chrome", "--app=" + at}},
		{"freebsd", []string{"chromium", "google-chrome"}, []string{"chromium", "--app=" + at}},
		{"darwin", nil, []string{"/usr/bin/open", at}},
		{"darwin", []string{"/Applications/Chromium.app/Contents/MacOS/Chromium"}, []string{"/usr/bin/open", "-na", "Chromium", "--args", "--app=" + at}},
		{"windows", []string{edge}, []string{edge, "--app=" + at}},
		{"windows", nil, []string{filepath.Join(`C:\Windows`, "System32", "rundll32.exe"), "url.dll,FileProtocolHandler", at}},
	} {
		d, ran := recorder(x.goos, x.here...)
		if err := d.Open(at); err != nil || len(*ran) != 1 || !slices.Equal((*ran)[0].args, x.want) {
			t.Errorf("%s with %v: %v, %v", x.goos, x.here, *ran, err)
		}
		for _, bad := range []string{"", "-h", "file:///etc/passwd", "https://example.org/", "http://example.org:80/", "http://127.0.0.1/", "javascript:alert(1)", "http://a@127.0.0.1:1/", "http://127.0.0.1.example.org:80/", hostile} {
			if err := d.Open(bad); err == nil {
				t.Errorf("%s opens %q", x.goos, bad)
			}
		}
	}
	d, _ := recorder("linux")
	if err := d.Open(at); !errors.Is(err, ErrNone) {
		t.Errorf("without any browser: %v", err)
	}
}

// TestSecondChoice: a browser that fails leaves the address to the next.
func TestSecondChoice(t *testing.T) {
	d, ran := recorder("linux", "chromium", "xdg-open")
	d.run = func(_ context.Context, c command) error {
		*ran = append(*ran, c)
		if c.args[0] == "chromium" {
			return errors.New("no display")
		}
		return nil
	}
	if err := d.Open("http://localhost:1/"); err != nil || len(*ran) != 2 {
		t.Errorf("%v, %v", *ran, err)
	}
}

// TestHostileNotices: texts of others are arguments or values, never parts of a program.
func TestHostileNotices(t *testing.T) {
	for _, x := range []struct{ title, text string }{{hostile, hostile}, {"--icon=/etc/passwd", "-e"}, {strings.Repeat("x", 10_000), strings.Repeat("\u0301", 10_000)}} {
		n := Notice{Title: clean(x.title, mostTitle), Text: clean(x.text, mostText)}
		for _, s := range []string{n.Title, n.Text} {
			if strings.ContainsAny(s, "\x00\x1b\n\u202e") || utf8.RuneCountInString(s) > mostText+1 {
				t.Errorf("%q", s)
			}
		}
		plain, mine := banner(Notice{Title: "a", Text: "b"}), banner(n)
		if mine.stdin != plain.stdin || len(mine.args) != 4 || mine.args[1] != "-" || mine.args[2] != n.Title || mine.args[3] != n.Text {
			t.Errorf("%+v", mine)
		}
		plain, mine = toast(Notice{Title: "a", Text: "b"}), toast(n)
		if !slices.Equal(mine.args, plain.args) || !slices.Equal(mine.env, []string{"SOTTO_TITLE=" + n.Title, "SOTTO_TEXT=" + n.Text}) {
			t.Errorf("%+v", mine)
		}
	}
	b, err := base64.StdEncoding.DecodeString(encoded("é$"))
	if err != nil || string(b) != "\xe9\x00$\x00" {
		t.Errorf("%x, %v", b, err)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "  two \n\t lines ": "two lines", "a\u202eb\u2066c": "abc", "👩\u200d💻": "👩\u200d💻",
		"e" + strings.Repeat("\u0301", 50): "e" + strings.Repeat("\u0301", 4), "\xff": "", "": "", "123456789012": "1234567890…",
	} {
		if got := clean(in, 10); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
}

// unquote takes a line of the key Exec apart as the specification says.
func unquote(t *testing.T, line string) (out []string) {
	t.Helper()
	line = strings.NewReplacer(`\\`, `\`, `\s`, " ", `\n`, "\n", `\t`, "\t").Replace(line)
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] != '"' {
			word, rest, _ := strings.Cut(line, " ")
			out, line = append(out, word), rest
			continue
		}
		var b strings.Builder
		i := 1
		for ; line[i] != '"'; i++ {
			if line[i] == '\\' {
				i++
			} else if strings.ContainsRune("`$", rune(line[i])) {
				t.Fatalf("an unquoted %c in %s", line[i], line)
			}
			b.WriteByte(line[i])
		}
		out, line = append(out, strings.ReplaceAll(b.String(), "%%", "%")), line[i+1:]
	}
	return out
}

func TestEntries(t *testing.T) {
	d, _ := recorder("linux")
	for _, program := range [][]string{d.o.Program, {hostileName, `\`, `\\"`, "%u", "a;b|c&d", "*?#~"}} {
		d.o.Program = program
		for _, link := range []bool{false, true} {
			b, err := d.entry(link, "app", "--no-window")
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(b), "\nExec=") != 1 || strings.Count(string(b), "[") != 1 {
				t.Errorf("%s", b)
			}
			_, line, _ := strings.Cut(string(b), "\nExec=")
			line, _, _ = strings.Cut(line, "\n")
			want := append(slices.Clone(program), "app", "--no-window")
			if link {
				want = append(want, "--", "%u")
			}
			if got := unquote(t, line); !slices.Equal(got, want) {
				t.Errorf("%q, not %q", got, want)
			}
		}
		d.goos = "darwin"
		b, err := d.agent("app")
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for x := xml.NewDecoder(strings.NewReader(string(b))); ; {
			tok, err := x.Token()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, b)
			}
			if c, ok := tok.(xml.CharData); ok && strings.TrimSpace(string(c)) != "" {
				texts = append(texts, string(c))
			}
		}
		if !slices.Contains(texts, program[0]) || !slices.Contains(texts, program[len(program)-1]) {
			t.Errorf("%q", texts)
		}
	}
	d.o.Program = []string{"/a\nExec=evil"}
	if _, err := d.entry(false); err == nil {
		t.Error("a program's name made a line of its own")
	}
}

const hostileName = "/opt/$(id)`id` \"x' <b>&\\"

// TestAtLogin puts the file where the system looks for it, and takes it away.
func TestAtLogin(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	t.Setenv("HOME", config)
	for _, goos := range []string{"linux", "darwin"} {
		if goos == "darwin" {
			t.Setenv("XDG_CONFIG_HOME", "")
		}
		d, _ := recorder(goos)
		is := func(want bool) {
			t.Helper()
			if on, err := d.AtLogin(); err != nil || on != want {
				t.Fatalf("%s: %v, %v", goos, on, err)
			}
		}
		is(false)
		for range 2 {
			if err := d.SetAtLogin(true); err != nil {
				t.Fatal(err)
			}
			is(true)
		}
		other, _ := recorder(goos)
		other.o.Program = []string{"/elsewhere/sotto"}
		if on, err := other.AtLogin(); err != nil || on {
			t.Error("another sotto takes the entry for its own")
		}
		for range 2 {
			if err := d.SetAtLogin(false); err != nil {
				t.Fatal(err)
			}
			is(false)
		}
	}
}

// scripts are programs of this test in the only directory of PATH: each writes its
// arguments, one to a line, beside it.
func scripts(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, n := range names {
		text := "#!/bin/sh\nfor a in \"$@\"; do printf '%s\\n' \"$a\"; done > " + dir + "/" + n + ".new && /bin/mv " + dir + "/" + n + ".new " + dir + "/" + n + ".args\n"
		if err := os.WriteFile(filepath.Join(dir, n), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return dir
}

func argsOf(t *testing.T, dir, name string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name+".args"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}
