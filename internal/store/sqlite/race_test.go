//go:build race

package sqlite_test

// The race detector makes SQLite twenty times slower; the plays then cut the power at
// some of the writes only. There is one goroutine anyway.
func init() { thorough = false }
