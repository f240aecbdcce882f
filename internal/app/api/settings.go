package api

// Settings are the person's, for this device. Receipts, typing, presence, disappear,
// recent_emoji, calls_relay and calls_from are alike on all of their devices.
type Settings struct {
	Theme       string `json:"theme"`    // system, light or dark
	Language    string `json:"language"` // "" as the system; en, de, es
	EnterSends  bool   `json:"enter_sends"`
	SingleKeys  bool   `json:"single_keys"`
	TextSize    int    `json:"text_size"` // percent, 80 to 200
	Notify      string `json:"notify"`    // text, sender, plain or off
	Sounds      bool   `json:"sounds"`
	Receipts    bool   `json:"receipts"` // tell others when their messages arrive and are read
	Typing      bool   `json:"typing"`
	Presence    bool   `json:"presence"`
	LockAfter   int    `json:"lock_after"` // minutes without use; 0 never
	AtLogin     bool   `json:"at_login"`   // start when the person logs in
	Retention   int64  `json:"retention"`  // days that this device keeps messages; 0 for ever
	Disappear   int64  `json:"disappear"`  // seconds, of rooms made here
	RecentEmoji string `json:"recent_emoji"`
	CallsRelay  bool   `json:"calls_relay"`  // take relayed paths only, always
	CallsFrom   string `json:"calls_from"`   // whose calls ring: accepted or compared
	CallsRing   bool   `json:"calls_ring"`   // this device rings
	SendRate    int64  `json:"send_rate"`    // KiB of files in a second; 0 as fast as it goes
	ReceiveRate int64  `json:"receive_rate"` // the same for those that come
}

// SettingsChange changes some.
type SettingsChange struct {
	Theme       *string `json:"theme,omitempty"`
	Language    *string `json:"language,omitempty"`
	EnterSends  *bool   `json:"enter_sends,omitempty"`
	SingleKeys  *bool   `json:"single_keys,omitempty"`
	TextSize    *int    `json:"text_size,omitempty"`
	Notify      *string `json:"notify,omitempty"`
	Sounds      *bool   `json:"sounds,omitempty"`
	Receipts    *bool   `json:"receipts,omitempty"`
	Typing      *bool   `json:"typing,omitempty"`
	Presence    *bool   `json:"presence,omitempty"`
	LockAfter   *int    `json:"lock_after,omitempty"`
	AtLogin     *bool   `json:"at_login,omitempty"`
	Retention   *int64  `json:"retention,omitempty"`
	Disappear   *int64  `json:"disappear,omitempty"`
	RecentEmoji *string `json:"recent_emoji,omitempty"`
	CallsRelay  *bool   `json:"calls_relay,omitempty"`
	CallsFrom   *string `json:"calls_from,omitempty"`
	CallsRing   *bool   `json:"calls_ring,omitempty"`
	SendRate    *int64  `json:"send_rate,omitempty"`
	ReceiveRate *int64  `json:"receive_rate,omitempty"`
}

// Storage is what this device keeps.
type Storage struct {
	Database int64         `json:"database"` // bytes on the disk
	Messages int64         `json:"messages"`
	Rooms    []RoomStorage `json:"rooms"` // the largest first, at most 50
}

// RoomStorage is what one room takes.
type RoomStorage struct {
	Room     string `json:"room"`
	Name     string `json:"name"`
	Messages int64  `json:"messages"`
	Bytes    int64  `json:"bytes"`
}

// ExportQuery says how everything is exported.
type ExportQuery struct {
	Format string `query:"format"` // json or html: a ZIP archive
}

// QRQuery asks for a QR code.
type QRQuery struct {
	Text string `query:"text"`
}

// QR is a QR code: rows of 0 and 1, separated by newlines.
type QR struct {
	Rows string `json:"rows"`
}
