package wire

// DeviceName names a device within its chain.
type DeviceName [16]byte

// Register opens an account (OpRegister): the genesis statement names the handle
// and the first device. A server that is not open demands an invitation.
type Register struct {
	Genesis    []byte `cbor:"1,keyasint"` // identity: a signed statement
	Invitation string `cbor:"2,keyasint,omitempty"`
}

// Invite asks for a code with which somebody may register here once (OpInvite). How many
// a person may have open, and make in a week, is the operator's to say: over it, or where
// people may make none, the refusal is CodeQuota.
type Invite struct {
	Lifetime uint64 `cbor:"1,keyasint,omitempty"` // seconds; 0: MaxInvitationLifetime
}

// Invited answers Invite. Nobody can get the code again: the server keeps its hash.
type Invited struct {
	Code  string `cbor:"1,keyasint"`
	Until uint64 `cbor:"2,keyasint"` // Unix milliseconds
}

// Auth proves that this connection is a device of the account (OpAuth): an Ed25519
// signature by the device's key over AuthMessage.
type Auth struct {
	Handle    string     `cbor:"1,keyasint"`
	Device    DeviceName `cbor:"2,keyasint"`
	Signature []byte     `cbor:"3,keyasint"`
}

// AuthMessage is what Auth signs: it binds the server's nonce, the host as the
// device knows it, the handle and the device.
func AuthMessage(nonce []byte, host, handle string, device DeviceName) []byte {
	return Marshal([]any{"sotto auth v1", nonce, host, handle, device[:]})
}

// Statement adds to the account's chain (OpStatement): a compare-and-swap on its head.
type Statement struct {
	Head   Hash   `cbor:"1,keyasint"` // hash of the statement it follows
	Signed []byte `cbor:"2,keyasint"`
}

// Publish adds this device's key packages and sets its inbox's public capability
// (OpPublish). Empty fields change nothing.
type Publish struct {
	Suite      uint16     `cbor:"1,keyasint,omitempty"`
	OneTime    [][]byte   `cbor:"2,keyasint,omitempty"`
	LastResort []byte     `cbor:"3,keyasint,omitempty"`
	Inbox      *InboxName `cbor:"4,keyasint,omitempty"`
	Capability *Secret    `cbor:"5,keyasint,omitempty"` // public: the directory gives it to anybody
	Private    *Hash      `cbor:"6,keyasint,omitempty"` // of a private capability, good before the directory names the inbox
}

// KeyPackageCount says how many one-time key packages of this device are left that are
// not over KeyPackageLife, and whether it has a last resort: of all suites together,
// since a device publishes in one.
type KeyPackageCount struct {
	OneTime    uint32 `cbor:"1,keyasint"`
	LastResort bool   `cbor:"2,keyasint"`
}

// InboxWatch asks for the inbox's entries after a place, then for new ones (OpInbox).
type InboxWatch struct {
	After uint64 `cbor:"1,keyasint"`
}

// InboxState answers InboxWatch.
type InboxState struct {
	Head  uint64 `cbor:"1,keyasint"`
	Acked uint64 `cbor:"2,keyasint"`
}

// InboxEvent brings an inbox entry.
type InboxEvent struct {
	Seq    uint64 `cbor:"1,keyasint"`
	TimeMS uint64 `cbor:"2,keyasint"`
	Bytes  []byte `cbor:"3,keyasint"`
}

// InboxAck erases the inbox's entries through Through (OpInboxAck).
type InboxAck struct {
	Through uint64 `cbor:"1,keyasint"`
}

// Capability adds and drops private capabilities of this device's inbox (OpCapability).
type Capability struct {
	Add  []Hash `cbor:"1,keyasint,omitempty"`
	Drop []Hash `cbor:"2,keyasint,omitempty"`
}

// Headers of plain HTTPS. Secrets are lower-case hexadecimal digits.
const (
	HeaderTicket = "Sotto-Ticket" // PUT of a blob: the secret of Ticket
	HeaderErase  = "Sotto-Erase"  // DELETE of a blob: the secret whose hash TicketRequest or UploadRequest named
	HeaderCode   = "Sotto-Code"   // of a refusal: its Code, decimal; the body is a Failure
)

// TicketRequest asks for the right to put one blob (OpTicket).
type TicketRequest struct {
	Size  uint64 `cbor:"1,keyasint"` // bytes, exact
	TTL   uint64 `cbor:"2,keyasint"` // seconds
	Erase Hash   `cbor:"3,keyasint"` // hash of the secret that erases it
}

// Ticket answers TicketRequest: PUT /v1/blobs/{blob, hex} with the header HeaderTicket
// within an hour. An equal request before the blob is put answers with the same blob
// and a fresh ticket that takes the place of the first.
type Ticket struct {
	Blob   [16]byte `cbor:"1,keyasint"`
	Ticket Secret   `cbor:"2,keyasint"`
}

// UploadRequest asks for the right to put a blob in pieces (OpUpload) under a name that the
// device chose at random, with a ticket of its own. A request that is equal but for TTL is answered
// alike as long as the blob stands or is waited for.
type UploadRequest struct {
	Blob   [16]byte `cbor:"1,keyasint"`
	Size   uint64   `cbor:"2,keyasint"` // bytes, exact
	TTL    uint64   `cbor:"3,keyasint"` // seconds from the first request on
	Erase  Hash     `cbor:"4,keyasint"` // of the secret that erases it
	Ticket Hash     `cbor:"5,keyasint"` // of the secret with which its pieces are put
}

// Headers of draft-ietf-httpbis-resumable-upload, and its type of a piece.
const (
	HeaderOffset   = "Upload-Offset"   // bytes that the server has durably, decimal
	HeaderComplete = "Upload-Complete" // "?1" when that is all, else "?0"
	HeaderLength   = "Upload-Length"   // bytes of the whole, decimal
	TypePiece      = "application/partial-upload"
)

// Lookup answers GET /v1/directory/{name}: the chain, and where each active device
// takes invitations. Proof is reserved for the transparency log.
type Lookup struct {
	Handle  string   `cbor:"1,keyasint"`
	Chain   [][]byte `cbor:"2,keyasint"`
	Devices []Inbox  `cbor:"3,keyasint,omitempty"`
	Proof   []byte   `cbor:"4,keyasint,omitempty"`
}

// Inbox says where a device takes invitations, and with which public capability.
type Inbox struct {
	Device     DeviceName `cbor:"1,keyasint"`
	Inbox      InboxName  `cbor:"2,keyasint"`
	Capability Secret     `cbor:"3,keyasint"`
}

// ClaimPackages is the body of POST /v1/directory/{name}/key-packages: one key
// package for each named device (all active ones when none is named).
type ClaimPackages struct {
	Suite   uint16       `cbor:"1,keyasint"`
	Devices []DeviceName `cbor:"2,keyasint,omitempty"`
}

// ClaimedPackages answers ClaimPackages. A one-time package is handed out once and
// within KeyPackageLife of its publishing, else the last resort. A device without a key package is missing.
type ClaimedPackages struct {
	Packages []ClaimedPackage `cbor:"1,keyasint,omitempty"`
}

// ClaimedPackage is one device's key package.
type ClaimedPackage struct {
	Device     DeviceName `cbor:"1,keyasint"`
	KeyPackage []byte     `cbor:"2,keyasint"`
	LastResort bool       `cbor:"3,keyasint,omitempty"`
}

// ServerInfo answers GET /v1/server.
type ServerInfo struct {
	Lowest  uint16 `cbor:"1,keyasint"`
	Highest uint16 `cbor:"2,keyasint"`
	Open    bool   `cbor:"3,keyasint"` // registration without an invitation
	Host    string `cbor:"4,keyasint"` // the host part of its handles
}
