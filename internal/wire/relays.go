package wire

// Relays answers OpRelays: where the STUN and TURN of this account's home server answer, and
// with what this device authenticates there. A server that has none refuses with CodeNoRelay.
type Relays struct {
	Username string   `cbor:"1,keyasint"`
	Password string   `cbor:"2,keyasint"`
	Until    uint64   `cbor:"3,keyasint"` // Unix milliseconds; what is allocated by then goes on
	URLs     []string `cbor:"4,keyasint"` // RFC 7064 and RFC 7065, at most MaxRelayURLs of MaxRelayURL bytes
}

// Limits of Relays.
const (
	MaxRelayURLs = 16
	MaxRelayURL  = 300
)
