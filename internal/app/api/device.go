package api

// OwnDevice is a device of this person.
type OwnDevice struct {
	Device string `json:"device"` // 32 hexadecimal digits
	Name   string `json:"name"`   // what it is called here
	Added  int64  `json:"added,omitempty"`
	By     string `json:"by,omitempty"` // the device that linked it
	Self   bool   `json:"self"`
	// While the history is coming to it, as far as this device knows: messages there, and in all.
	History *Progress `json:"history,omitempty"`
}

// Progress is how far something is.
type Progress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// RenameDevice calls a device something else.
type RenameDevice struct {
	Name string `json:"name"` // at most 64 bytes; empty: the first digits of its own name
}

// Linking is the linking of a device: under way, or the last one. Stage none: there was none.
type Linking struct {
	Stage string   `json:"stage"` // none, waiting, compare, adding, done, failed
	Old   bool     `json:"old"`   // this device has the account, and shows the code
	Code  string   `json:"code,omitempty"`
	Text  string   `json:"text,omitempty"` // what the QR code holds
	QR    string   `json:"qr,omitempty"`   // rows of 0 and 1
	Until int64    `json:"until,omitempty"`
	Words []string `json:"words,omitempty"` // two, which both devices show
	Name  string   `json:"name,omitempty"`  // what the new device would like to be called
	Why   *Failure `json:"why,omitempty"`   // of failed
}

// ConfirmLinking says that both devices show the same words.
type ConfirmLinking struct {
	Passphrase string `json:"passphrase,omitempty"` // where one guards the key
}

// LinkDevice makes this device, which has no account, one of an account's.
type LinkDevice struct {
	Handle     string `json:"handle,omitempty"` // not with what the QR code holds
	Code       string `json:"code"`             // digits, or what the QR code holds
	Name       string `json:"name,omitempty"`   // of this device
	Passphrase string `json:"passphrase,omitempty"`
}
