package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
)

// Print writes the whole file with every setting explained, at its default.
func Print(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("# sotto server. Every setting is shown at its default.\n")
	section(&b, reflect.ValueOf(Default()))
	_, err := w.Write(b.Bytes())
	return err
}

func section(b *bytes.Buffer, v reflect.Value) {
	for i := range v.NumField() {
		f, x := v.Type().Field(i), v.Field(i)
		if doc := f.Tag.Get("doc"); doc != "" {
			b.WriteByte('\n')
			comment(b, doc)
		}
		if x.Kind() == reflect.Struct {
			fmt.Fprintf(b, "[%s]\n", f.Tag.Get("toml"))
			section(b, x)
			continue
		}
		fmt.Fprintf(b, "%s = ", f.Tag.Get("toml"))
		switch x.Kind() {
		case reflect.String:
			fmt.Fprintf(b, "%q\n", x.String())
		case reflect.Slice:
			list := x.Interface().([]string)
			if len(list) > 0 {
				list = []string{`"` + strings.Join(list, `", "`) + `"`}
			}
			fmt.Fprintf(b, "%s\n", list)
		default:
			fmt.Fprintf(b, "%v\n", x.Interface())
		}
	}
}

// comment wraps doc at 78 columns.
func comment(b *bytes.Buffer, doc string) {
	line := "#"
	for word := range strings.FieldsSeq(doc) {
		if len(line)+1+len(word) > 78 {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}

// Load reads a file. What it does not say has its default. Every error names its line.
func Load(path string) (Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	return Parse(path, b)
}

// Check says what is wrong with a file, nil if nothing is.
func Check(path string) error {
	_, err := Load(path)
	return err
}

// Parse is Load for a file's bytes; path is for the errors.
func Parse(path string, b []byte) (Config, error) {
	c := Default()
	text := string(b)
	meta, err := toml.Decode(text, &c)
	if err != nil {
		var p toml.ParseError
		if errors.As(err, &p) {
			return Config{}, fmt.Errorf("%s:%d: %s", path, max(p.Position.Line, 1), strings.TrimPrefix(p.Message, "toml: "))
		}
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	var errs []error
	for _, k := range meta.Undecoded() {
		table, key := "", k[len(k)-1]
		if len(k) > 1 {
			table = k[0]
		}
		errs = append(errs, fmt.Errorf("%s:%d: there is no setting %q", path, lineOf(text, table, key), k.String()))
	}
	for _, f := range c.faults() {
		errs = append(errs, fmt.Errorf("%s:%d: %s: %s", path, lineOf(text, f.section, f.key), f.key, f.sentence))
	}
	if len(errs) > 0 {
		return Config{}, errors.Join(errs...)
	}
	return c, nil
}

func (l *Limits) faults() (out []fault) {
	v := reflect.ValueOf(*l)
	for i := range v.NumField() {
		n, tag := v.Field(i).Uint(), v.Type().Field(i).Tag
		least, off := uint64(1), tag.Get("zero") == "off"
		if off {
			least = 0
		}
		if n < least || n > math.MaxInt64 { // the library wraps negative ones
			out = append(out, fault{"limits", tag.Get("toml"), fmt.Sprintf("must be at least %d", least)})
		}
	}
	return out
}

// lineOf finds where a setting stands: the library tells lines of bad syntax only. A
// setting that is not written has the line of its table, or the first.
func lineOf(text, table, key string) int {
	current, at := "", 1
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			current = strings.TrimSpace(strings.SplitN(name, "]", 2)[0])
			if current == table || current == key {
				at = i + 1
			}
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		if ok && current == table && strings.Trim(strings.TrimSpace(name), `"'`) == key {
			return i + 1
		}
	}
	return at
}
