package faultfs

const sector = 512

// inode is one file: what the disk surely has, what a reader sees, and the changes
// between the two in their order.
type inode struct {
	durable []byte
	now     []byte
	pending []change
}

// change is a write of data at off, or with nil data a truncation to off.
type change struct {
	off  int64
	data []byte
}

func (f *inode) do(c change) {
	f.now = c.apply(f.now)
	f.pending = append(f.pending, c)
}

func (f *inode) sync() {
	for _, c := range f.pending {
		f.durable = c.apply(f.durable)
	}
	f.pending = nil
}

func (c change) apply(b []byte) []byte {
	if c.data == nil {
		return resize(b, c.off)
	}
	if end := c.off + int64(len(c.data)); end > int64(len(b)) {
		b = resize(b, end)
	}
	copy(b[c.off:], c.data)
	return b
}

// resize cuts b, or grows it with zeros.
func resize(b []byte, n int64) []byte {
	if n <= int64(len(b)) {
		clear(b[n:])
		return b[:n]
	}
	return append(b, make([]byte, n-int64(len(b)))...)
}

// fate is what becomes of one change, or one sector of it, at a crash.
type fate func() bool

// luck chooses the weather of one crash: everything unsynced is lost, everything is
// kept, or each change and each sector is decided alone.
func (d *Disk) luck() (keep, tear fate) {
	always := func(b bool) fate { return func() bool { return b } }
	switch d.rng.IntN(4) {
	case 0:
		return always(false), always(false)
	case 1:
		return always(true), always(false)
	}
	coin := func() bool { return d.rng.IntN(2) == 0 }
	return coin, coin
}

// survive is what the file holds after a crash. It leaves the inode as it is.
func (f *inode) survive(keep, tear fate) []byte {
	b := append([]byte(nil), f.durable...)
	for _, c := range f.pending {
		switch {
		case keep():
			b = c.apply(b)
		case c.data != nil && tear():
			b = c.torn(b, keep)
		}
	}
	return b
}

// torn applies some sectors of a write. A sector ends where the disk's do.
func (c change) torn(b []byte, keep fate) []byte {
	for at := int64(0); at < int64(len(c.data)); {
		end := min(at+sector-(c.off+at)%sector, int64(len(c.data)))
		if keep() {
			b = change{c.off + at, c.data[at:end]}.apply(b)
		}
		at = end
	}
	return b
}
