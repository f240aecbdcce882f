package mls

import (
	"bytes"
	"strings"
)

// memory is a store in a map; it counts what it is handed.
type memory map[string][]byte

func (m memory) Put(key, value []byte) { m[string(key)] = bytes.Clone(value) }
func (m memory) Delete(key []byte)     { delete(m, string(key)) }

func (m memory) Get(key []byte) ([]byte, bool) { v, ok := m[string(key)]; return v, ok }

func (m memory) Range(prefix []byte, fn func(key, value []byte) error) error {
	for k, v := range m {
		if strings.HasPrefix(k, string(prefix)) {
			if err := fn([]byte(k), v); err != nil {
				return err
			}
		}
	}
	return nil
}

// meter counts the bytes handed to a store.
type meter struct {
	memory
	bytes int
}

func (m *meter) Put(key, value []byte) { m.bytes += len(key) + len(value); m.memory.Put(key, value) }
func (m *meter) Delete(key []byte)     { m.bytes += len(key); m.memory.Delete(key) }
