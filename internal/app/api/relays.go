package api

// RelayQuery says for a call in which room.
type RelayQuery struct {
	Room string `query:"room"`
}

// Relays are where a call may be helped: for RTCPeerConnection.
type Relays struct {
	Servers []Relay `json:"servers"`
	Only    bool    `json:"only"`            // take relayed paths only (iceTransportPolicy relay)
	Until   int64   `json:"until,omitempty"` // new paths can be opened until then
}

// Relay is a STUN or TURN server.
type Relay struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}
