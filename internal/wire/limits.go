package wire

import "time"

// Limits, enforced on both sides. A change of any of them is a change of the
// protocol (docs/protocol.md, "Limits").
const (
	MaxEntry      = 256 << 10 // bytes of one log entry
	MaxSwap       = 4 << 20   // bytes of one entry that swaps the token, sent in parts
	PartSize      = 192 << 10 // bytes of one part of such an entry
	MaxFrame      = 320 << 10 // bytes of one WebSocket message
	MaxSignal     = 16 << 10  // bytes of one signal
	MaxInboxEntry = 64 << 10  // bytes of one inbox entry
	MaxBlob       = 16 << 20  // bytes of one plain blob (trees, pictures of rooms)
	MaxUpload     = 64 << 30  // bytes of one blob that is put in pieces; a server may take less
	MaxPiece      = 16 << 20  // bytes of one piece of it
	MaxHandle     = 320       // bytes of a handle in its normal form

	MaxAdds          = 50   // members added by one commit
	MaxCursorsCreate = 4096 // cursors named by one create
	MaxCursorsLeaf   = 2    // live cursors under one tag
	MaxWatch         = 512  // cursors in one watch frame
	MaxWatched       = 4096 // cursors watched by one connection
	MaxCredit        = 16 << 20
	MaxKeyPackage    = 16 << 10  // bytes of one key package
	MaxKeyPackages   = 100       // one-time key packages kept for one device
	MaxClaim         = 16        // devices served by one claim
	MaxStatement     = 8 << 10   // bytes of one signed chain statement
	MaxChain         = 256       // statements of one chain
	ChainReserve     = 16        // places of a chain that devices leave, beside one for each active device
	MaxRecord        = 256 << 10 // bytes of one sealed recovery record
	MaxBackup        = 4 << 10   // bytes of the sealed pointer to a backup
	MaxReason        = 200       // bytes of why a server will be switched off

	MaxLogEntries = 100_000   // entries standing in one log
	MaxLogBytes   = 256 << 20 // bytes standing in one log

	MaxMeetingMessage  = 64 << 10 // bytes of one message of a meeting
	MaxMeetingMessages = 64       // messages that one side of a meeting may say
	MaxMeetingBytes    = 1 << 20  // bytes of these

	SpareSwaps     = 1024     // entries that swap the token and are taken although the log is full
	SpareSwapBytes = 32 << 20 // bytes of these

	InboxStrangers        = 100 // entries the public capability may hold in one inbox
	InboxPrivate          = 200 // entries one private capability may hold
	MaxCapabilities       = 4096
	InboxStrangerTime     = 14 * 24 * time.Hour
	InboxPrivateTime      = 30 * 24 * time.Hour
	CursorUnclaimed       = 7 * 24 * time.Hour
	CursorAbandoned       = MaxEntryLifetime + 30*24*time.Hour // a claimed cursor that nobody used is dropped
	KeyPackageLife        = 60 * 24 * time.Hour                // a one-time key package is handed out
	EntryLifetime         = 30 * 24 * time.Hour                // default lifetime of an entry
	MaxEntryLifetime      = 90 * 24 * time.Hour
	MinEntryLifetime      = time.Minute
	MaxBlobLifetime       = 90 * 24 * time.Hour
	UploadIdle            = 7 * 24 * time.Hour // a blob that came in part is kept so long after its last piece
	SwapInterval          = time.Second        // between two swaps of one log
	LogNameRest           = 90 * 24 * time.Hour
	MinInvitationLifetime = time.Minute
	ReserveTime           = 7 * 24 * time.Hour    // a handle is kept for an account that is about to move
	MaxRetiring           = 3660 * 24 * time.Hour // a server says no earlier when it will be switched off
	MovedTime             = 30 * 24 * time.Hour   // an account that moved away is kept its inboxes
	MaxInvitationLifetime = 30 * 24 * time.Hour
	ErasedWithin          = 15 * time.Minute // an erased entry has left every file
	MeetingTime           = 2 * time.Minute  // how long a meeting lasts
	SignalsPerSecond      = 50               // of one connection
	PadMinimum            = 256              // smallest padded entry, bytes
)
