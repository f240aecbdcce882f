package command

import (
	"strings"

	"rsc.io/qr"
)

// quiet is the empty margin of a QR code, in modules.
const quiet = 4

// qrText draws a QR code with half blocks, two rows of modules on a line. Cameras want it
// dark on light: on a terminal it sets its own colours; elsewhere it is drawn for a light
// page.
func qrText(text string, terminal bool) (string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", fail("too long", "this is too long for a QR code")
	}
	glyphs := [2][2]string{{" ", "▄"}, {"▀", "█"}}
	dark := func(x, y int) int {
		if code.Black(x-quiet, y-quiet) {
			return 1
		}
		return 0
	}
	var b strings.Builder
	side := code.Size + 2*quiet
	for y := 0; y < side; y += 2 {
		if terminal {
			b.WriteString("\x1b[30;107m") // black on bright white
		}
		for x := range side {
			b.WriteString(glyphs[dark(x, y)][dark(x, y+1)])
		}
		if terminal {
			b.WriteString("\x1b[0m")
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}
