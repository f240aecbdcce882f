package engine

// askEvery is how many bytes are committed before the disk is asked again how much
// room it has.
const askEvery = 1 << 20

// free is the room on the disk in bytes; false where the file system does not say.
func (db *DB) free() (uint64, bool) {
	u, err := db.o.FS.GetDiskUsage(db.o.Dir)
	return u.AvailBytes, err == nil
}

// room says whether n more bytes may be committed. A disk that runs full in spite of
// it (somebody else fills it too) shuts the fence.
func (db *DB) room(n int64, shrinks bool) bool {
	if db.budget.Add(-n) >= 0 {
		return true
	}
	free, known := db.free()
	if !known {
		db.budget.Store(askEvery)
		return true
	}
	if free < db.o.Reserve+uint64(n) {
		db.budget.Store(0)
		return shrinks && free >= db.o.Reserve/4+uint64(n)
	}
	db.budget.Store(min(askEvery, int64(min(free-db.o.Reserve-uint64(n), askEvery))))
	return true
}
