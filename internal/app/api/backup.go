package api

// BackupSchedule is when this device makes backups by itself.
type BackupSchedule string

// The schedules.
const (
	BackupOff    BackupSchedule = "off"
	BackupDaily  BackupSchedule = "daily"
	BackupWeekly BackupSchedule = "weekly"
)

// Backups is how backups stand on this device.
type Backups struct {
	Schedule   BackupSchedule `json:"schedule"`
	Folder     string         `json:"folder,omitempty"`   // where they go
	Server     bool           `json:"server"`             // they go to the home server
	Passphrase bool           `json:"passphrase"`         // files have one
	Last       int64          `json:"last,omitempty"`     // when the last one was begun
	Size       int64          `json:"size,omitempty"`     // of it, bytes
	Messages   int64          `json:"messages,omitempty"` // in it
	Next       int64          `json:"next,omitempty"`     // when one is due; also in the past, where no server is reached
	Until      int64          `json:"until,omitempty"`    // when one at the home server ends, if it is not renewed
	Failures   int            `json:"failures,omitempty"` // in a row
	Why        *Failure       `json:"why,omitempty"`      // the last of them
	Running    *Progress      `json:"running,omitempty"`  // one is being made
	Offer      *BackupOffer   `json:"offer,omitempty"`    // at the home server: it can be restored here without the words
	Restore    *Restore       `json:"restore,omitempty"`  // under way, or the last one
}

// BackupOffer is a backup that can be restored.
type BackupOffer struct {
	Time     int64 `json:"time"`
	Size     int64 `json:"size"`
	Messages int64 `json:"messages"`
}

// Restore is how far a backup was restored.
type Restore struct {
	Progress Progress `json:"progress"`
	Time     int64    `json:"time,omitempty"` // when the backup was made
	Done     bool     `json:"done"`
	Lost     int      `json:"lost,omitempty"` // parts that were gone or damaged
	Why      *Failure `json:"why,omitempty"`  // it ended before the end
}

// SetBackups says when and where backups are made.
type SetBackups struct {
	Schedule   BackupSchedule `json:"schedule"`
	Folder     string         `json:"folder,omitempty"` // absolute
	Server     bool           `json:"server,omitempty"`
	Passphrase string         `json:"passphrase,omitempty"` // of files; without one it stays as it was
}

// BackupPart is a part of a file that a window hands over, to be restored.
type BackupPart struct {
	At   int64  `json:"at"`   // where it belongs; 0 begins anew
	Data string `json:"data"` // base64
}

// BackupFile is how far a file was handed over, and what opens it.
type BackupFile struct {
	Size       int64 `json:"size"`
	Words      bool  `json:"words"`      // its account's 24 words
	Passphrase bool  `json:"passphrase"` // a passphrase
}

// RestoreFrom is where a backup is restored from.
type RestoreFrom string

// The places.
const (
	RestoreServer RestoreFrom = "server" // the home server
	RestoreHanded RestoreFrom = "handed" // the file that was handed over in parts
	RestoreFile   RestoreFrom = "file"   // a file of this computer
)

// RestoreBackup restores a backup of this account.
type RestoreBackup struct {
	From       RestoreFrom `json:"from"`
	File       string      `json:"file,omitempty"` // absolute
	Words      string      `json:"words,omitempty"`
	Passphrase string      `json:"passphrase,omitempty"`
}
