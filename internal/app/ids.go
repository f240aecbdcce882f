package app

import (
	"encoding/hex"
	"hash/fnv"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/mimi"
)

// hexID reads an id of n bytes: lower-case hexadecimal and nothing else.
func hexID(field, text string, into []byte) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(into) || hex.EncodeToString(b) != text {
		return malformed(field, "%q is no id", clip(text))
	}
	copy(into, b)
	return nil
}

func roomID(field, text string) (room.ID, error) {
	var id room.ID
	err := hexID(field, text, id[:])
	return id, err
}

func accountID(field, text string) (identity.ID, error) {
	var id identity.ID
	err := hexID(field, text, id[:])
	return id, err
}

func messageID(field, text string) (mimi.MessageID, error) {
	var id mimi.MessageID
	err := hexID(field, text, id[:])
	return id, err
}

// room is the room that the path names.
func (c *call) room() (room.ID, error) { return roomID("room", c.r.PathValue("room")) }

// account is the person that the path names.
func (c *call) account() (identity.ID, error) { return accountID("account", c.r.PathValue("account")) }

// message is the message that the path names.
func (c *call) message() (mimi.MessageID, error) {
	return messageID("message", c.r.PathValue("message"))
}

func text(id []byte) string { return hex.EncodeToString(id) }

// tint is the colour of a monogram, 1 to 6.
func tint(id []byte) int {
	h := fnv.New32a()
	h.Write(id)
	return 1 + int(h.Sum32()%6)
}
