package chunked

import "math/bits"

// minPadded is the least that a file is padded to: below it lengths tell most and padding costs
// least.
const minPadded = 1 << 10

// Padded is how many bytes a file of size bytes is padded to: by Padmé (Nikitin et al.,
// "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", 2019,
// section 4), which adds at most 12 percent, and to 1 KiB at least.
func Padded(size int64) int64 {
	if size <= minPadded {
		return minPadded
	}
	e := bits.Len64(uint64(size)) - 1
	s := bits.Len(uint(e))
	mask := int64(1)<<(e-s) - 1
	return (size + mask) &^ mask
}
