package mimi

import "fmt"

// Marshal writes the message in the one form that section 6.1 permits. It
// reads its own output back, so whatever it returns a receiver's Parse takes;
// a Content outside the limits is an error of the class Parse would give.
func (c *Content) Marshal() ([]byte, error) {
	if err := c.Extensions.check(); err != nil {
		return nil, err
	}
	b := appendArray(make([]byte, 0, 512), 7)
	b = appendBytes(b, c.Salt[:])
	b = appendOptionalID(b, c.Replaces)
	b = appendBytes(b, c.TopicID)
	b = c.Expires.append(b)
	b = appendOptionalID(b, c.InReplyTo)
	b = c.Extensions.append(b)
	w := &partWriter{b: b}
	if err := w.part(c.Body, 1); err != nil {
		return nil, err
	}
	if _, err := Parse(w.b); err != nil {
		return nil, fmt.Errorf("cannot send: %w", err)
	}
	return w.b, nil
}

func appendOptionalID(b []byte, id *MessageID) []byte {
	if id == nil {
		return appendNull(b)
	}
	return appendBytes(b, id[:])
}

// partWriter counts as it goes: slices of parts may share or contain
// themselves, and must not make it run or grow without end.
type partWriter struct {
	b     []byte
	parts int
}

func (w *partWriter) part(p Part, level int) error {
	if level > MaxDepth {
		return ErrTooDeep
	}
	if w.parts++; w.parts > MaxParts {
		return ErrTooMany
	}
	if len(w.b) > MaxMessage {
		return ErrTooLarge
	}
	switch body := p.Body.(type) {
	case Null:
		w.head(p, cardinalityNull)
	case Single:
		w.head(p, cardinalitySingle)
		w.b = appendBytes(appendText(w.b, body.ContentType), body.Content)
	case External:
		w.head(p, cardinalityExternal)
		w.b = body.append(w.b)
	case Multi:
		w.head(p, cardinalityMulti)
		return w.multi(body, level)
	default:
		return fmt.Errorf("%w: a part whose body is %T", ErrMalformed, p.Body)
	}
	return nil
}

func (w *partWriter) head(p Part, cardinality uint64) {
	w.b = appendArray(w.b, int(partLengths[cardinality]))
	w.b = appendUint(w.b, uint64(p.Disposition))
	w.b = appendText(w.b, p.Language)
	w.b = appendUint(w.b, cardinality)
}

func (w *partWriter) multi(m Multi, level int) error {
	w.b = appendUint(w.b, uint64(m.Semantics))
	w.b = appendArray(w.b, len(m.Parts))
	for _, p := range m.Parts {
		if err := w.part(p, level+1); err != nil {
			return err
		}
	}
	return nil
}

func (e External) append(b []byte) []byte {
	b = appendText(b, e.ContentType)
	b = appendText(b, e.URL)
	b = appendUint(b, uint64(e.Expires))
	b = appendUint(b, e.Size)
	b = appendUint(b, uint64(e.EncAlg))
	b = appendBytes(b, e.Key)
	b = appendBytes(b, e.Nonce)
	b = appendBytes(b, e.AAD)
	b = appendUint(b, uint64(e.HashAlg))
	b = appendBytes(b, e.ContentHash)
	b = appendText(b, e.Description)
	return appendText(b, e.Filename)
}
