package command

import (
	"bytes"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out bytes.Buffer
	if err := (Demo{Once: true}).Run(t.Context(), &IO{Out: &out}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"[stored]", "db/", "neither the texts nor the link", "Bo reads: " + anaFirst, "[read]", "Bo: " + boAnswer} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
