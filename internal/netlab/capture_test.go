//go:build linux

package netlab

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestRelaySeesNothing records everything that reaches and leaves the home server while it
// relays a call with sound and a film. What the two say and show occurs in none of it, and
// what is relayed looks like chance.
func TestRelaySeesNothing(t *testing.T) {
	_, ana, bo := pair(t, symmetric, onlyHTTPS, 10)
	film := filepath.Join(ana.dir, "film.ivf")
	if err := writeFilm(film, "ana", 300, 30, 1000); err != nil {
		t.Fatal(err)
	}
	tap, err := listenAt("home")
	if err != nil {
		t.Fatal(err)
	}
	c, mine, err := ana.calls(bo, "--play", film, "--for", "3s")
	if err != nil {
		t.Fatal(err)
	}
	if o, err := c.wants(news("connected")); err != nil || !o.Relayed {
		t.Fatalf("relayed: %t, %v", o.Relayed, err)
	}
	if err := c.end(); err != nil {
		t.Fatal(err)
	}
	over, err := bo.waits.wants(news("over"))
	if err != nil {
		t.Fatal(err)
	}
	tap.stop()
	clear := [][]byte{mark("ana"), mark("bo")}
	for _, file := range []string{mine, over.Files[0], over.Files[1], film} { // they would be found
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, clear[0]) && !bytes.Contains(b, clear[1]) {
			t.Errorf("nothing is said in %s", file)
		}
	}
	var relayed []byte
	media := 0
	for _, p := range tap.packets {
		for _, m := range clear {
			if bytes.Contains(p, m[:16]) {
				t.Fatalf("the server saw %q: %q", m, p)
			}
		}
		if b := udp(p); len(b) > 300 { // the heads of TURN and RTP are in the clear, and short
			media++
			relayed = append(relayed, b[100:]...)
		}
	}
	bits := entropy(relayed)
	t.Logf("%d packets, %d of them relayed media over UDP; %d bytes of these with %.3f bits each", len(tap.packets), media, len(relayed), bits)
	if media < 60 || bits < 7.9 {
		t.Errorf("%d packets were relayed, with %.3f bits a byte", media, bits)
	}
}
