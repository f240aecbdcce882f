package files

import "os"

// mark writes the stream in which Windows keeps that a file came from the internet: it warns
// before it opens such a file.
func mark(path string) {
	_ = os.WriteFile(path+":Zone.Identifier", []byte("[ZoneTransfer]\r\nZoneId=3\r\n"), 0o600)
}
