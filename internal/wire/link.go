package wire

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LinkKind says what an invitation link invites to.
type LinkKind uint8

// The kinds of links.
const (
	LinkAccount LinkKind = 1 // to register at Host, and to write to who invites
	LinkContact LinkKind = 2 // to write to who invites
	LinkRoom    LinkKind = 3 // to knock at a room of who invites
)

// Link is an invitation link: https://HOST/i#… with this in deterministic CBOR, in
// base64url. It stands behind the #, so that no server and no mail scanner that fetches
// the address learns it or spends it.
//
// What a link says of people is what whoever made it says. Its holder looks the handle up
// and compares Account before anything is written to them.
type Link struct {
	Kind    LinkKind `cbor:"1,keyasint"`
	Host    string   `cbor:"2,keyasint"`            // the server it names; Handle, if there is one, lives there
	Handle  string   `cbor:"3,keyasint,omitempty"`  // who invites
	Account Hash     `cbor:"4,keyasint,omitzero"`   // the hash of their genesis statement: whoever else the server names is not them
	Name    string   `cbor:"5,keyasint,omitempty"`  // the name they show
	Code    string   `cbor:"6,keyasint,omitempty"`  // the right to register, once
	Title   string   `cbor:"7,keyasint,omitempty"`  // of the room
	ID      [16]byte `cbor:"8,keyasint,omitzero"`   // of a link to a room, among those of who made it
	Secret  Secret   `cbor:"9,keyasint,omitzero"`   // shown when knocking
	Until   uint64   `cbor:"10,keyasint,omitempty"` // Unix milliseconds; 0: no end known
	Approve bool     `cbor:"11,keyasint,omitempty"` // an admin has to say yes
	Pin     Hash     `cbor:"12,keyasint,omitzero"`  // SHA-256 of the key (SPKI) of a server that vouches for itself; zero: a public certificate
}

// Limits of a link.
const (
	MaxLink     = 2048 // bytes of all of it
	MaxLinkText = 256  // bytes of Name, of Title
	MaxLinkCode = 64   // bytes of Code
)

// LinkScheme begins a link that the operating system hands to sotto.
const LinkScheme = "sotto:"

// String is the link as people pass it on.
func (l Link) String() string {
	scheme, host := "https://", l.Host
	if Loopback(host) {
		scheme = "http://"
		if hostName(host) == strings.Trim(host, "[]") { // without a port it is 443 all the same
			host += ":443"
		}
	}
	return scheme + host + "/i#" + l.fragment()
}

// Scheme is the link for the operating system: sotto:…, without a host and a #, which
// some systems change on the way.
func (l Link) Scheme() string { return LinkScheme + l.fragment() }

func (l Link) fragment() string { return base64.RawURLEncoding.EncodeToString(Marshal(l)) }

// ParseLink reads a link: whole, from the # on, or with LinkScheme. It forgives what
// happens to links in mails: line breaks, and marks around them.
func ParseLink(s string) (Link, error) {
	if len(s) > 2*MaxLink {
		return Link{}, notALink()
	}
	s = strings.Join(strings.FieldsFunc(s, unicode.IsSpace), "")
	s = strings.TrimLeft(s, `<("'`)
	s = strings.TrimRight(s, `>)"'.,;:!?`)
	if len(s) > MaxLink {
		return Link{}, notALink()
	}
	if len(s) >= len(LinkScheme) && lower(s[:len(LinkScheme)]) == LinkScheme {
		return decodeLink(s[len(LinkScheme):])
	}
	page, fragment, ok := strings.Cut(s, "#")
	if !ok {
		return Link{}, notALink()
	}
	l, err := decodeLink(fragment)
	if err != nil || page == "" {
		return l, err
	}
	// What people see of a link has to be what it does.
	scheme, rest, _ := strings.Cut(page, "://")
	host, path, _ := strings.Cut(rest, "/")
	normal, err := ParseHost(host)
	if scheme = lower(scheme); scheme != "https" && scheme != "http" || path != "i" || err != nil || normal != l.Host {
		return Link{}, Refuse(CodeMalformed, "this invitation link shows another server than it leads to: ask who sent it for a new one")
	}
	return l, nil
}

func decodeLink(fragment string) (l Link, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(fragment)
	if err == nil {
		err = Unmarshal(b, &l)
	}
	if err != nil || !l.sound() {
		return Link{}, Refuse(CodeMalformed, "this invitation link is damaged: copy all of it, to its end")
	}
	return l, nil
}

func notALink() error {
	return Refuse(CodeMalformed, "this is not an invitation link: it ends with a # and what follows it")
}

// sound says whether a link is one that a program makes.
func (l Link) sound() bool {
	host, err := ParseHost(l.Host)
	if err != nil || host != l.Host || !linkText(l.Name) || !linkText(l.Title) || len(l.Code) > MaxLinkCode {
		return false
	}
	for _, c := range []byte(l.Code) {
		if !alnum(c) && c != '-' {
			return false
		}
	}
	if l.Handle != "" {
		if h, err := ParseHandle(l.Handle); err != nil || h.String() != l.Handle || h.Host != l.Host {
			return false
		}
	} else if l.Name != "" {
		return false
	}
	people := l.Handle != ""
	if people != (l.Account != Hash{}) {
		return false
	}
	room := l.ID != [16]byte{} || l.Secret != Secret{} || l.Title != "" || l.Approve
	switch l.Kind {
	case LinkAccount:
		return !room
	case LinkContact:
		return people && !room && l.Code == ""
	case LinkRoom:
		return people && l.ID != [16]byte{} && l.Secret != Secret{}
	}
	return false
}

// LinkText brings a name or a title into the form in which a link carries it: one line of at
// most MaxLinkText bytes.
func LinkText(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	for len(s) > MaxLinkText {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// IsLink says whether a text is meant as a link, so that it is not taken for something else.
func IsLink(s string) bool {
	s = strings.TrimSpace(s)
	return strings.Contains(s, "#") || len(s) >= len(LinkScheme) && lower(s[:len(LinkScheme)]) == LinkScheme
}

// linkText is a name that somebody gave themselves or a room, in one line.
func linkText(s string) bool {
	return len(s) <= MaxLinkText && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// LocalNetwork says whether a host is on somebody's own network: an address in a private
// range (RFC 1918, RFC 4193, RFC 3927, RFC 6598), a name in .local (RFC 6762) or
// .home.arpa (RFC 8375), or a name without a dot. Nobody outside can vouch for such a
// host, so a server there may vouch for itself: a device takes the key it meets first, or
// that a link names, and no other after.
func LocalNetwork(host string) bool {
	if Loopback(host) {
		return false
	}
	name := hostName(host)
	if a, err := netip.ParseAddr(name); err == nil {
		return a.IsPrivate() || a.IsLinkLocalUnicast() || shared.Contains(a)
	}
	return !strings.Contains(name, ".") || strings.HasSuffix(name, ".local") || strings.HasSuffix(name, ".home.arpa")
}

// SelfVouched says whether a server at host may vouch for itself at all: also at an address
// of the public network, where only a link's key counts. Names of the public network have
// certificates that others vouch for.
func SelfVouched(host string) bool {
	a, err := netip.ParseAddr(hostName(host))
	return LocalNetwork(host) || err == nil && !a.IsLoopback() && !a.IsUnspecified() && !a.IsMulticast()
}

var shared = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598

// hostName is a host without its port and brackets.
func hostName(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}
