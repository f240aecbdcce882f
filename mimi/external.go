package mimi

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// EncAlg is an IANA AEAD algorithm number (RFC 5116 section 6), zero for
// content that is not encrypted.
type EncAlg uint16

// AEAD algorithms. Section 4.5 makes AES-128-GCM mandatory.
const (
	EncNone             EncAlg = 0
	EncAES128GCM        EncAlg = 1
	EncAES256GCM        EncAlg = 2
	EncChaCha20Poly1305 EncAlg = 29

	// EncChunkedCobblestone128 is sotto's own number for C2SP
	// chunked-encryption, Cobblestone-128: chunks of 16 KiB that can be read
	// at random and commit to the key. It lies in the range that RFC 5116
	// section 6 leaves for private use (0x8000 to 0xFFFF); a client that does
	// not know it cannot open the file and should say so. Size counts the
	// octets at the URL, as for every algorithm. This package only carries
	// Key, Nonce and AAD: their meaning belongs to the code that encrypts.
	EncChunkedCobblestone128 EncAlg = 0xF001
	// encPrivateFirst begins the private range; the rest of sotto's numbers
	// stay between 0xF000 and 0xF0FF.
	encPrivateFirst EncAlg = 0x8000
)

// Private reports whether a is for private use, so that it means something
// only between clients that agree.
func (a EncAlg) Private() bool { return a >= encPrivateFirst }

// HashAlg is an IANA Named Information hash algorithm number, zero for none.
type HashAlg uint8

// Hash algorithms that this package knows the length of.
const (
	HashNone   HashAlg = 0
	HashSHA256 HashAlg = 1
	HashSHA384 HashAlg = 7
	HashSHA512 HashAlg = 8
)

// External is content at a URL (section 4.5).
//
// Every field is the sender's word. The URL is fetched only when a person
// asks; Filename is a suggestion that SaveName makes safe.
type External struct {
	ContentType string
	URL         string
	Expires     uint32 // seconds since 1970, after which the URL is dead; 0 for never
	Size        uint64 // octets at the URL; 0 when not said
	EncAlg      EncAlg
	Key         []byte
	Nonce       []byte
	AAD         []byte
	HashAlg     HashAlg
	ContentHash []byte // hash of the octets at the URL
	Description string
	Filename    string
}

// aeadLengths holds the lengths of key and nonce, RFC 5116 and RFC 8439.
var aeadLengths = map[EncAlg][2]int{
	EncAES128GCM:        {16, 12},
	EncAES256GCM:        {32, 12},
	EncChaCha20Poly1305: {32, 12},
}

var hashLengths = map[HashAlg]int{HashNone: 0, HashSHA256: 32, HashSHA384: 48, HashSHA512: 64}

// consistent reports whether keys and hashes have the lengths that their
// algorithms need. Algorithms that are not known here pass.
func (e External) consistent() bool {
	if e.EncAlg == EncNone && len(e.Key)+len(e.Nonce)+len(e.AAD) > 0 { // section 4.5
		return false
	}
	if n, known := aeadLengths[e.EncAlg]; known && (len(e.Key) != n[0] || len(e.Nonce) != n[1]) {
		return false
	}
	n, known := hashLengths[e.HashAlg]
	return !known || len(e.ContentHash) == n
}

// SaveName is Filename as a name that is safe to create in a folder of the
// caller's choice: no directories, no leading dot, no control or direction
// characters, at most MaxFilename octets. It is "" when nothing remains.
// Names that only Windows reserves (CON, NUL) pass.
func (e External) SaveName() string {
	name := e.Filename[strings.LastIndexAny(e.Filename, `/\:`)+1:]
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsGraphic(r) || strings.ContainsRune(`<>"|?*`, r) {
			return -1 // format characters (Cf), such as U+202E, are not graphic
		}
		return r
	}, name)
	name = strings.TrimRight(strings.TrimLeft(name, ". "), ". ")
	for len(name) > MaxFilename {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return name
}
