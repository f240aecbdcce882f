package wire

import (
	"encoding/base64"
	"strings"
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
type Link struct {
	Kind    LinkKind `cbor:"1,keyasint"`
	Host    string   `cbor:"2,keyasint"`            // the server it names
	Handle  string   `cbor:"3,keyasint,omitempty"`  // who invites
	Account Hash     `cbor:"4,keyasint,omitempty"`  // the hash of their genesis statement: whoever else the server names is not them
	Name    string   `cbor:"5,keyasint,omitempty"`  // the name they show
	Code    string   `cbor:"6,keyasint,omitempty"`  // the right to register, once
	Title   string   `cbor:"7,keyasint,omitempty"`  // of the room
	ID      [16]byte `cbor:"8,keyasint,omitempty"`  // of a link to a room, among those of who made it
	Secret  Secret   `cbor:"9,keyasint,omitempty"`  // shown when knocking
	Until   uint64   `cbor:"10,keyasint,omitempty"` // Unix milliseconds; 0: no end known
	Approve bool     `cbor:"11,keyasint,omitempty"` // an admin has to say yes
	Pin     Hash     `cbor:"12,keyasint,omitempty"` // SHA-256 of the key (SPKI) of a server that vouches for itself; zero: a public certificate
}

// MaxLink is how many bytes a link may have.
const MaxLink = 2048

// String is the link as people pass it on.
func (l Link) String() string {
	scheme := "https://"
	if h, err := ParseHost(l.Host); err == nil && Loopback(h) {
		scheme = "http://"
	}
	return scheme + l.Host + "/i#" + base64.RawURLEncoding.EncodeToString(Marshal(l))
}

// ParseLink reads a link, whole or from the # on.
func ParseLink(s string) (Link, error) {
	var l Link
	s = strings.TrimSpace(s)
	_, secret, ok := strings.Cut(s, "#")
	if !ok || len(s) > MaxLink {
		return l, Refuse(CodeMalformed, "this is not an invitation link: it ends with a # and what follows it")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	if err == nil {
		err = Unmarshal(b, &l)
	}
	if err != nil {
		return Link{}, Refuse(CodeMalformed, "this invitation link is damaged: copy all of it, to its end")
	}
	return l, l.check()
}

func (l Link) check() error {
	host, err := ParseHost(l.Host)
	if err != nil || host != l.Host || l.Kind < LinkAccount || l.Kind > LinkRoom ||
		len(l.Name) > 256 || len(l.Title) > 256 || len(l.Code) > 64 {
		return Refuse(CodeMalformed, "this invitation link is damaged: copy all of it, to its end")
	}
	if l.Handle != "" {
		if h, err := ParseHandle(l.Handle); err != nil || h.String() != l.Handle {
			return Refuse(CodeMalformed, "this invitation link is damaged: copy all of it, to its end")
		}
	}
	return nil
}
