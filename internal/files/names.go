package files

import (
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxName      = 200 // bytes: file systems take 255, and some of it is for a number
	maxExtension = 16  // bytes that are kept of a name that is cut
	nameless     = "file"
)

// SafeName makes a name from outside one that can be created in a folder on every system and
// that shows what it is: no directory, no stream, no device, no leading dot, no trailing dot or
// space, no character that is not shown or that turns the direction of others, at most 200
// bytes with its extension. It is never empty.
func SafeName(name string) string {
	name = name[strings.LastIndexAny(name, `/\:`)+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, strings.ContainsRune(`<>"|?*`, r):
			return -1
		case unicode.IsSpace(r): // also wide ones, behind which an ending can hide
			return ' '
		case !unicode.IsGraphic(r): // controls, and format characters such as U+202E
			return -1
		}
		return r
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	name = trim(name)
	if len(name) > maxName {
		ext := filepath.Ext(name)
		if len(ext) > maxExtension {
			ext = ""
		}
		name = trim(cut(name[:len(name)-len(ext)], maxName-len(ext))) + ext
	}
	if name == "" {
		return nameless
	}
	if device(name) {
		return "_" + name
	}
	return name
}

func trim(name string) string {
	return strings.TrimRight(strings.TrimLeft(name, ". "), ". ")
}

// cut shortens a text to at most n bytes between two characters.
func cut(s string, n int) string {
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// device says whether Windows means a device by a name, whatever its extension.
func device(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	port, number := base[:min(3, len(base))], base[min(3, len(base)):]
	return (port == "COM" || port == "LPT") && utf8.RuneCountInString(number) == 1 && strings.Contains("0123456789¹²³", number)
}

// Numbered is a name with a number in it, for a folder that has those before it: "a.txt",
// "a (2).txt". A compound ending such as ".tar.gz" stays whole.
func Numbered(name string, n int) string {
	if n < 2 {
		return name
	}
	ext := filepath.Ext(name)
	base := strings.TrimSuffix(name, ext)
	if strings.HasSuffix(base, ".tar") {
		base, ext = strings.TrimSuffix(base, ".tar"), ".tar"+ext
	}
	return base + " (" + strconv.Itoa(n) + ")" + ext
}
