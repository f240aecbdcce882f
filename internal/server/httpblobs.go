package server

import (
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"sotto/internal/server/blobs"
	"sotto/internal/wire"
)

// blob takes the name out of the path and counts the request.
func (s *Server) blob(serve func(w http.ResponseWriter, r *http.Request, name [16]byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var name [16]byte
		err := unhex(name[:], r.PathValue("blob"))
		if err != nil {
			err = wire.Refuse(wire.CodeNoBlob, "a blob's name is 32 hexadecimal digits in lower case")
		} else {
			err = s.policy.Load().blobs.take(addressKey(s.remote(r)), s.o.Now())
		}
		if err == nil {
			err = serve(w, r, name)
		}
		if err != nil {
			s.fail(w, err)
		}
	}
}

// unhex reads exactly len(dst) bytes in lower case.
func unhex(dst []byte, text string) error {
	if len(text) != 2*len(dst) || strings.ToLower(text) != text {
		return wire.ErrMalformed
	}
	_, err := hex.Decode(dst, []byte(text))
	return err
}

func (s *Server) putBlob(w http.ResponseWriter, r *http.Request, name [16]byte) error {
	var ticket wire.Secret
	if err := unhex(ticket[:], r.Header.Get(wire.HeaderTicket)); err != nil {
		return wire.Refuse(wire.CodeCapability, "a blob is put with a ticket, in the header "+wire.HeaderTicket)
	}
	if r.ContentLength < 0 {
		return wire.Refuse(wire.CodeMalformed, "announce the blob's size in Content-Length")
	}
	body := &patient{body: r.Body, rc: http.NewResponseController(w)}
	if err := s.blobs.Put(name, ticket, r.ContentLength, body); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// patient gives every piece of a body its own time, so that a slow line may take long
// and a silent one may not.
type patient struct {
	body  io.Reader
	rc    *http.ResponseController
	ended atomic.Bool
}

func (p *patient) Read(b []byte) (int, error) {
	_ = p.rc.SetReadDeadline(time.Now().Add(writeTimeout))
	if p.ended.Load() {
		_ = p.rc.SetReadDeadline(time.Unix(1, 0))
	}
	return p.body.Read(b)
}

// end ends the reading, from another goroutine.
func (p *patient) end() {
	p.ended.Store(true)
	_ = p.rc.SetReadDeadline(time.Unix(1, 0))
}

func (s *Server) getBlob(w http.ResponseWriter, r *http.Request, name [16]byte) error {
	b, err := s.blobs.Get(name)
	if err != nil {
		return err
	}
	defer b.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", "attachment")
	http.ServeContent(&patientWriter{w, http.NewResponseController(w)}, r, "", time.Time{}, b)
	return nil
}

type patientWriter struct {
	http.ResponseWriter
	rc *http.ResponseController
}

func (p *patientWriter) Write(b []byte) (int, error) {
	_ = p.rc.SetWriteDeadline(time.Now().Add(writeTimeout))
	return p.ResponseWriter.Write(b)
}

func (s *Server) eraseBlob(w http.ResponseWriter, r *http.Request, name [16]byte) error {
	var secret wire.Secret
	if err := unhex(secret[:], r.Header.Get(wire.HeaderErase)); err != nil {
		return wire.Refuse(wire.CodeCapability, "a blob is erased with its secret, in the header "+wire.HeaderErase)
	}
	if err := s.blobs.Erase(name, secret); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// ticketOf reads the secret with which a blob is put.
func ticketOf(r *http.Request) (ticket wire.Secret, err error) {
	if err := unhex(ticket[:], r.Header.Get(wire.HeaderTicket)); err != nil {
		return ticket, wire.Refuse(wire.CodeCapability, "a blob is put with a ticket, in the header "+wire.HeaderTicket)
	}
	return ticket, nil
}

// tell writes how far a blob has come, draft-ietf-httpbis-resumable-upload section 4.1.
func tell(w http.ResponseWriter, p blobs.Progress) {
	h := w.Header()
	h.Set(wire.HeaderOffset, strconv.FormatUint(p.Offset, 10))
	h.Set(wire.HeaderLength, strconv.FormatUint(p.Size, 10))
	h.Set(wire.HeaderComplete, map[bool]string{true: "?1", false: "?0"}[p.Complete()])
}

// headUpload says how far a blob has come.
func (s *Server) headUpload(w http.ResponseWriter, r *http.Request, name [16]byte) error {
	ticket, err := ticketOf(r)
	if err != nil {
		return err
	}
	p, err := s.blobs.Progress(name, ticket)
	if err != nil {
		return err
	}
	tell(w, p)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// patchUpload takes the next piece of a blob.
func (s *Server) patchUpload(w http.ResponseWriter, r *http.Request, name [16]byte) error {
	ticket, err := ticketOf(r)
	if err != nil {
		return err
	}
	at, err := strconv.ParseUint(r.Header.Get(wire.HeaderOffset), 10, 63)
	if err != nil || r.ContentLength < 0 || r.Header.Get("Content-Type") != wire.TypePiece {
		return wire.Refuse(wire.CodeMalformed, "a piece comes as %s, with %s and Content-Length", wire.TypePiece, wire.HeaderOffset)
	}
	body := &patient{body: r.Body, rc: http.NewResponseController(w)}
	p, err := s.blobs.Append(name, ticket, at, uint64(r.ContentLength), body, body.end)
	if p.Size > 0 {
		tell(w, p)
	}
	if err != nil {
		return err
	}
	if p.Size > 0 && p.Complete() {
		s.putAway()
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
