package api

// Move moves this account to another home server.
type Move struct {
	Handle     string `json:"handle"`               // name@host there
	Invitation string `json:"invitation,omitempty"` // a link, or the code in it, where that server is not open
	Rooms      bool   `json:"rooms,omitempty"`      // the conversations at the old server move along
	Without    bool   `json:"without,omitempty"`    // the old server is gone for good: do not wait for it
	Passphrase string `json:"passphrase,omitempty"` // where one guards the key
}

// MoveRoom moves a conversation to another server.
type MoveRoom struct {
	Host string `json:"host,omitempty"` // "": one's own home server
}
