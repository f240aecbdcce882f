package api

// Recovery is how this account's 24 words stand.
type Recovery struct {
	Set    bool  `json:"set"`
	At     int64 `json:"at,omitempty"`     // since when
	Places []int `json:"places,omitempty"` // new words wait to be confirmed: these are asked for, from 1
	Record bool  `json:"record"`           // the home server holds the sealed record of people and conversations as this device knows them
	Back   *Back `json:"back,omitempty"`   // after a recovery: what is not back yet
}

// Back is what a recovery has not brought back yet.
type Back struct {
	People int      `json:"people"` // whose servers have not answered
	Rooms  []string `json:"rooms"`  // titles of rooms of which no member has said yes
}

// MakeWords makes new words.
type MakeWords struct {
	Old        string `json:"old,omitempty"`        // the words that the account has
	Passphrase string `json:"passphrase,omitempty"` // where one guards the key
}

// NewWords are words to be written down. Nothing answers them a second time.
type NewWords struct {
	Words  []string `json:"words"`  // 24
	Places []int    `json:"places"` // that are asked for, from 1
}

// ConfirmWords takes the words that were asked for.
type ConfirmWords struct {
	Words []string `json:"words"`
}

// RecoverAccount makes this device, which has no account, the only one of an account.
type RecoverAccount struct {
	Handle     string      `json:"handle"`
	Words      string      `json:"words"`
	Name       string      `json:"name,omitempty"` // of this device
	Passphrase string      `json:"passphrase,omitempty"`
	Backup     RestoreFrom `json:"backup,omitempty"` // that is restored then: server or handed
}
