package app

import (
	"strings"

	"rsc.io/qr"

	"sotto/internal/app/api"
)

const maxQR = 1500 // bytes of a text; a QR code holds 2,331 at this level

// qrRows is a QR code as rows of 0 and 1, without the margin of four that belongs around it.
func qrRows(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", malformed("text", "this is too long for a QR code")
	}
	var b strings.Builder
	for y := range code.Size {
		if y > 0 {
			b.WriteByte('\n')
		}
		for x := range code.Size {
			if code.Black(x, y) {
				b.WriteByte('1')
			} else {
				b.WriteByte('0')
			}
		}
	}
	return b.String(), nil
}

func qrCode(_ *call, q api.QRQuery) (api.QR, error) {
	if q.Text == "" || len(q.Text) > maxQR {
		return api.QR{}, malformed("text", "a QR code holds 1 to %d bytes of text", maxQR)
	}
	rows, err := qrRows(q.Text)
	return api.QR{Rows: rows}, err
}
