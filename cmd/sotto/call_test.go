package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sotto/internal/mediafile"
)

// voice FILE WORDS PACKETS writes a file of sound that says the words in each packet of 20 ms.
func voice(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3, "voice file words packets")
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	s, err := mediafile.NewSound(f)
	ts.Check(err)
	for i := range n {
		ts.Check(s.Write(append([]byte{0xfc}, args[1]...), time.Duration(i)*20*time.Millisecond))
	}
	ts.Check(s.Close())
}

// hears FILE WORDS PACKETS demands so many packets with the words in a recording.
func hears(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3, "hears file words packets")
	want, err := strconv.Atoi(args[2])
	ts.Check(err)
	f, err := mediafile.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	n := 0
	for {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		if bytes.Contains(frame.Data, []byte(args[1])) {
			n++
		}
	}
	if n < want {
		ts.Fatalf("%s says %q %d times, not %d", args[0], args[1], n, want)
	}
}
