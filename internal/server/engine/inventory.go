package engine

import (
	"bytes"
	"slices"
)

// Row declares one kind of key: its first bytes are Prefix, then come Name bytes that
// name whose it is, then Kind. What a server discloses, its documentation and the
// test that scans its disk are made of rows.
type Row struct {
	Prefix string // two bytes
	Name   int    // length of the name, bytes
	Kind   string // behind the name
	Holds  string
	Until  string
}

// Inventory is a table of rows. Each package that keeps something in the engine has one.
type Inventory []Row

// Rows is what the engine itself keeps.
var Rows = Inventory{
	{Prefix: touchPrefix, Holds: "the first bytes of keys under which something was erased", Until: "the sweep, within 15 minutes"},
}

// Find is the row that declares key; false when none does.
func (inv Inventory) Find(key []byte) (Row, bool) {
	i := slices.IndexFunc(inv, func(r Row) bool {
		rest, ok := bytes.CutPrefix(key, []byte(r.Prefix))
		return ok && len(rest) >= r.Name && bytes.HasPrefix(rest[r.Name:], []byte(r.Kind))
	})
	if i < 0 {
		return Row{}, false
	}
	return inv[i], true
}
