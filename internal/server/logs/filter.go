package logs

import (
	"encoding/binary"

	"sotto/internal/wire"
)

// filter says which hashes surely stand nowhere in a log, so that an append of a new
// entry, which is nearly every one, reads nothing. It is a Bloom filter (four bits
// for an entry, taken from the entry's own SHA-256) that is made of the hash keys at
// a log's first append, and again with twice the room when it is full.
type filter struct {
	bits []uint64
	room int // hashes that may be added
}

const filterBits = 10 // for each hash: one false alarm in a hundred

func newFilter(hashes int) *filter {
	room := max(64, 2*hashes)
	return &filter{bits: make([]uint64, (room*filterBits+63)/64), room: room}
}

func (f *filter) add(h []byte) {
	for i := range 4 {
		word, bit := f.at(h, i)
		f.bits[word] |= bit
	}
	f.room--
}

// has is true for every hash that was added, and for a few others.
func (f *filter) has(h []byte) bool {
	for i := range 4 {
		if word, bit := f.at(h, i); f.bits[word]&bit == 0 {
			return false
		}
	}
	return true
}

func (f *filter) at(h []byte, i int) (word int, bit uint64) {
	n := binary.BigEndian.Uint64(h[8*i:]) % uint64(len(f.bits)*64)
	return int(n / 64), 1 << (n % 64)
}

// mayStand says whether an entry with this hash can stand in the log. Called with the
// log locked and fresh.
func (l *Logs) mayStand(lg *log, hash wire.Hash) (bool, error) {
	if lg.filter == nil || lg.filter.room <= 0 {
		var hashes [][32]byte
		err := l.db.Scan(logKey(lg.name, kindHash), logKey(lg.name, afterHashes), func(k, _ []byte) (bool, error) {
			if len(k) >= 32 {
				hashes = append(hashes, [32]byte(k[len(k)-32:]))
			}
			return true, nil
		})
		if err != nil {
			return false, err
		}
		lg.filter = newFilter(len(hashes))
		for _, h := range hashes {
			lg.filter.add(h[:])
		}
	}
	return lg.filter.has(hash[:]), nil
}
