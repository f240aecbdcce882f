package mimi

import "errors"

// Media types that this package names.
const (
	ContentMediaType = "application/mimi-content"        // section 7.1
	StatusMediaType  = "application/mimi-message-status" // message-status section 7.1
	Markdown         = "text/markdown;variant=GFM-MIMI"  // section 7.1.1
	PlainText        = "text/plain;charset=utf-8"        // section 7.1
)

// Limits, enforced by Parse and Marshal alike. Lengths are in octets. Where
// the draft sets no number the limit is local policy, which section 9.1
// permits ("too large, according to local policy").
const (
	MaxMessage        = 240 << 10 // a whole encoded message or status report
	MaxDepth          = 4         // levels of parts, the body being the first: section 6.3
	MaxParts          = 256       // parts in a message, the draft's ceiling is 1024: section 9.1
	MaxTopic          = 4096      // section 9.1
	MaxURI            = 4096      // sender, room and attachment addresses; section 3.3 needs < 65536
	MaxExtensions     = 64        // entries in the extensions map
	MaxExtensionKey   = 255       // a text key: section 4.3
	MaxExtensionDepth = 4         // the extensions map is level 1: section 6.3
	MaxLanguage       = 255
	MaxContentType    = 255
	MaxKey            = 64 // key, nonce and content hash of an external part
	MaxAAD            = 4096
	MaxDescription    = 4096
	MaxFilename       = 255
	MaxReaction       = 64   // one reaction that this package builds
	MaxReports        = 1024 // pairs in a status report
)

// What Parse, Marshal and the constructors refuse; test with errors.Is.
var (
	// ErrMalformed: not CBOR, cut short, or a value of the wrong type or range.
	ErrMalformed = errors.New("mimi: malformed message")
	// ErrTrailing: bytes follow the end of the message.
	ErrTrailing = errors.New("mimi: bytes after the end of the message")
	// ErrNotDeterministic: CBOR, but not in the one form that RFC 8949
	// section 4.2.1 permits (lengths, integers, floats, order of keys).
	ErrNotDeterministic = errors.New("mimi: not deterministic CBOR")
	// ErrDuplicate: a map key or a reported message ID occurs twice.
	ErrDuplicate = errors.New("mimi: duplicate key")
	// ErrUTF8: a text that is not UTF-8.
	ErrUTF8 = errors.New("mimi: text is not UTF-8")
	// ErrTooDeep: parts or extension values are nested beyond section 6.3.
	ErrTooDeep = errors.New("mimi: nested too deeply")
	// ErrTooMany: more parts, extensions or reports than the limits allow.
	ErrTooMany = errors.New("mimi: too many elements")
	// ErrTooLarge: a string or the whole message is over its limit.
	ErrTooLarge = errors.New("mimi: too large")
	// ErrUnknown: a cardinality, part semantics or hash algorithm of a
	// message ID that the draft does not define.
	ErrUnknown = errors.New("mimi: unknown value")
	// ErrAddress: the sender or room that a message names is not the one
	// that it came from.
	ErrAddress = errors.New("mimi: message names another sender or room")
	// ErrExpiry: an expiry out of range or more than a year away (section 9.1).
	ErrExpiry = errors.New("mimi: unreasonable expiry")
)
