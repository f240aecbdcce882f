package wire

import (
	"net/netip"
	"strconv"
	"strings"
)

// Handle is a person's name at a home server in its normal form: Name "ana", Host
// "example.org" or "example.org:7700".
type Handle struct{ Name, Host string }

func (h Handle) String() string { return h.Name + "@" + h.Host }

// ParseHandle brings a handle to its one normal form: lower case; a name of 1 to 32
// of a-z 0-9 . _ -, beginning and ending with a letter or digit; a host that
// ParseHost takes. Errors are refusals with CodeMalformed and a sentence.
func ParseHandle(s string) (Handle, error) {
	name, host, ok := strings.Cut(s, "@")
	if !ok || len(s) > MaxHandle {
		return Handle{}, Refuse(CodeMalformed, "%.80q is not a handle: write it as name@host", s)
	}
	name = lower(name)
	if !validName(name) {
		return Handle{}, Refuse(CodeMalformed, "%.80q is not a name: use 1 to 32 of a-z, 0-9, dot, dash and underscore", name)
	}
	host, err := ParseHost(host)
	if err != nil {
		return Handle{}, err
	}
	return Handle{name, host}, nil
}

func validName(s string) bool {
	if len(s) < 1 || len(s) > 32 || !alnum(s[0]) || !alnum(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if !alnum(s[i]) && s[i] != '.' && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return true
}

// lower is lower case for ASCII alone: strings.ToLower makes a k of the Kelvin sign, so
// that something which no keyboard types would name somebody.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func alnum(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// ParseHost brings a host to its normal form: a lower-case DNS name of letters,
// digits and dashes, an IPv4 address, or an IPv6 address in brackets; then, if it is
// not 443, a port. An IPv4 address has one form: neither octal nor hexadecimal, nor
// dressed as IPv6, since that is how a private address gets past a check.
func ParseHost(s string) (string, error) {
	bad := Refuse(CodeMalformed, "%.80q is not a host: write a name or an address, and a port if it is not 443", s)
	s = lower(s)
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		host, port = s[:i], s[i+1:]
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return "", bad
		}
	}
	switch {
	case strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]"):
		a, err := netip.ParseAddr(host[1 : len(host)-1])
		if err != nil || !a.Is6() || a.Is4In6() || a.Zone() != "" {
			return "", bad
		}
		host = "[" + a.String() + "]"
	case !validHost(host):
		return "", bad
	}
	if port == "" || port == "443" {
		return host, nil
	}
	return host + ":" + port, nil
}

func validHost(s string) bool {
	if len(s) < 1 || len(s) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if len(label) < 1 || len(label) > 63 || !alnum(label[0]) || !alnum(label[len(label)-1]) {
			return false
		}
		for i := range len(label) {
			if !alnum(label[i]) && label[i] != '-' {
				return false
			}
		}
		last = label
	}
	if number(last) { // then it is an IPv4 address or nothing (RFC 3986 3.2.2)
		a, err := netip.ParseAddr(s)
		return err == nil && a.Is4() && a.String() == s
	}
	return true
}

// number is whether browsers take a last label for a number, and the host for an IPv4
// address (URL Standard, "ends in a number").
func number(label string) bool {
	digits := "0123456789"
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		label, digits = hex, "0123456789abcdef"
	}
	return strings.Trim(label, digits) == ""
}

// Loopback says whether a host is this machine itself: localhost, or a loopback address.
// Such a host is spoken to without TLS.
func Loopback(host string) bool {
	name := hostName(host)
	a, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && a.IsLoopback()
}
