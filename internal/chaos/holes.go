//go:build linux && chaos

package chaos

// Faults of sotto that are known and not mended yet. Each narrows what a run does, or what it
// asks for, so that it finds others; without it, runs find it again. Set them to false to
// see.
const (
	// A device that is added to a group again before it has read that it was removed drops
	// the invitation once it reads that, and does not come in until it is invited again a
	// day later. So nobody is added again before they have read.
	holeReadded = false

	// When a process was killed while the network was bad, the kernel may still bring the
	// server its words, after those of the process that follows it. The server then thinks
	// that the former took the cursors back, and the person is warned of another program
	// that reads with this device's rights; for a minute, nothing comes. So this warning
	// is taken for none.
	holeElsewhere = false

	// When both of a pair began a room, and the two become one, a device forgets which of its
	// entries are on their way in the room that gives way. When it reads one there, it takes
	// itself for a restored copy, and says so. So this warning is taken for none about a
	// room that is no conversation any more.
	holeMerged = false

	// A device that was removed from a group tells once how far it has read. When that word
	// is lost, since the device was killed or the connection broke, what stood between its
	// last acknowledgement and its removal stands until its lifetime is over. So after a
	// run with such faults a server may hold some entries of a group.
	holeLastWord = false
)
