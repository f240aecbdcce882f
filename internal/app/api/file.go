package api

// File is a file of a message, as this device has it. Name, type, bounds, length, waveform and
// preview are its sender's word.
type File struct {
	Number   int    `json:"number"`  // of the message's files, from 1
	Message  string `json:"message"` // id
	Room     string `json:"room"`
	Account  string `json:"account"` // who sent it
	Own      bool   `json:"own"`
	Time     int64  `json:"time"`
	Name     string `json:"name"` // safe to show and to keep
	Type     string `json:"type"` // media type
	Size     uint64 `json:"size"` // bytes
	Kind     string `json:"kind"` // file, voice or video: the last two were recorded for this message
	Width    uint32 `json:"width,omitempty"`
	Height   uint32 `json:"height,omitempty"`
	Duration uint64 `json:"duration,omitempty"` // milliseconds
	Wave     string `json:"wave,omitempty"`     // base64: loudness from 0 to 255, at even distances
	Preview  string `json:"preview,omitempty"`  // base64: a small picture, a PNG, JPEG or WebP
	Danger   string `json:"danger,omitempty"`   // program, script, shortcut, macros, disk or page: do not open it without thought
	Until    int64  `json:"until,omitempty"`    // it can be had
	State    string `json:"state"`              // offered, waiting, moving, paused, stored (of an own one: the server has it), here, failed, expired
	Done     int64  `json:"done"`               // bytes on the way, of Total
	Total    int64  `json:"total"`
	Rate     int64  `json:"rate,omitempty"` // bytes in a second
	Left     int64  `json:"left,omitempty"` // seconds
	Path     string `json:"path,omitempty"` // on this computer
	Why      string `json:"why,omitempty"`
	Code     string `json:"code,omitempty"` // of why: see docs/command-line.md
}

// FileList asks for files.
type FileList struct {
	Room   string `query:"room"`   // of this room alone
	Before int64  `query:"before"` // of messages said before a time
	Limit  int    `query:"limit"`  // those of at most so many messages: 1 to 200, 60 by default
}

// NewFiles writes a message with files.
type NewFiles struct {
	To    string    `json:"to"` // a room's id or a handle
	Text  string    `json:"text,omitempty"`
	Reply string    `json:"reply,omitempty"` // the message that it answers
	Keep  int64     `json:"keep,omitempty"`  // seconds that they can be had; 30 days by default
	Files []NewFile `json:"files"`
}

// NewFile is a file that is to be sent: one of this computer, or one that was handed over.
type NewFile struct {
	Path     string `json:"path,omitempty"` // absolute
	Handed   string `json:"handed,omitempty"`
	Name     string `json:"name,omitempty"` // for the others
	Type     string `json:"type,omitempty"` // media type; by its name
	Raw      bool   `json:"raw,omitempty"`  // of a picture: also what the camera wrote into it
	Kind     string `json:"kind,omitempty"` // file, voice or video
	Width    uint32 `json:"width,omitempty"`
	Height   uint32 `json:"height,omitempty"`
	Duration uint64 `json:"duration,omitempty"` // milliseconds
	Wave     string `json:"wave,omitempty"`     // base64, at most 256 bytes
	Preview  string `json:"preview,omitempty"`  // base64: a PNG, JPEG or WebP of at most 32 KiB
}

// FilePart is a part of a file that a window hands over, to be sent.
type FilePart struct {
	ID   string `json:"id,omitempty"` // none begins one
	At   int64  `json:"at"`           // where the part belongs
	Data string `json:"data"`         // base64, at most 700 KiB of it
}

// HandedFile is how far a file was handed over.
type HandedFile struct {
	ID   string `json:"id"`
	Size int64  `json:"size"`
}

// GetFile fetches a file.
type GetFile struct {
	Folder string `json:"folder"` // absolute
}

// FileChange changes how a file goes on.
type FileChange struct {
	Paused bool `json:"paused"`
}
