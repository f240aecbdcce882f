package handover

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// What a guest may find.
var (
	ErrNobody = errors.New("nobody holds this home")
	ErrWait   = errors.New("the holder of this home is about to end")
	ErrAgain  = errors.New("the holder of this home was stopped, and this with it")
	ErrLost   = errors.New("the sotto process that held this home ended in the middle of this")
	ErrOther  = errors.New("a sotto of another version holds this home: stop it first")
)

// Join hands a request to the holder at path and waits for its end. A request that
// follows is kept back, with ErrWait, from a holder that does not stay. ErrAgain is a
// request that goes on elsewhere, since the holder stops: the guest may take its place.
func Join(ctx context.Context, path string, r Request, x IO) (code int, err error) {
	c, err := Dial(path)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	w := &wire{rw: c}
	c.SetReadDeadline(time.Now().Add(grace))
	var h hello
	if err := w.receiveJSON(kindHello, &h); err != nil {
		return 0, ErrNobody // it closed at this moment
	}
	if h.Version != version {
		return 0, ErrOther
	}
	if r.Follows && !h.Stays {
		return 0, ErrWait
	}
	c.SetReadDeadline(time.Time{})
	if err := w.sendJSON(kindRequest, r); err != nil {
		return 0, ErrNobody
	}
	defer context.AfterFunc(ctx, func() {
		_ = w.send(kindCancel, nil)
		c.SetReadDeadline(time.Now().Add(grace))
	})()
	return follow(w, x)
}

// follow passes on what the holder sends until the command has ended.
func follow(w *wire, x IO) (int, error) {
	for {
		kind, b, err := w.receive()
		if err != nil {
			return 0, ErrLost
		}
		switch kind {
		case kindWant:
			go feed(w, x.In)
		case kindOut:
			_, err = x.Out.Write(b)
		case kindErr:
			_, err = x.Err.Write(b)
		case kindExit:
			var e exit
			if err := json.Unmarshal(b, &e); err != nil {
				return 0, ErrLost
			}
			switch {
			case e.Declined:
				return 0, ErrNobody
			case e.Again:
				return 0, ErrAgain
			}
			return e.Code, nil
		default:
			return 0, ErrLost
		}
		if err != nil {
			return 0, err // nobody reads what we print
		}
	}
}

// feed reads once. A read that never ends is left behind at the end of the process.
func feed(w *wire, in io.Reader) {
	b := make([]byte, chunk)
	n, err := in.Read(b)
	if n > 0 {
		_ = w.send(kindInput, b[:n])
	}
	if err != nil {
		_ = w.send(kindEnd, nil)
	} else if n == 0 {
		_ = w.send(kindInput, nil)
	}
}
