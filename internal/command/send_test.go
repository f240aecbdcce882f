package command

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLines(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		in   io.Reader
		want []string
		err  error
	}{
		{strings.NewReader("one\n\n \ntwo\r\n three"), []string{"one", "two", " three"}, io.EOF},
		{strings.NewReader(""), nil, io.EOF},
		{io.MultiReader(strings.NewReader("one\nhalf of tw"), iotest.ErrReader(broken)), []string{"one"}, broken},
	} {
		next := lines(c.in)
		for _, want := range c.want {
			if got, err := next(); got != want || err != nil {
				t.Errorf("%q, %v, not %q", got, err, want)
			}
		}
		if got, err := next(); got != "" || !errors.Is(err, c.err) {
			t.Errorf("at last %q, %v, not %v", got, err, c.err)
		}
	}
}
