package mimi

import "math"

// Parse reads one message (section 4.1). It accepts exactly what Marshal
// writes; anything else is an error of one of the classes in this package.
// The result shares no memory with b.
func Parse(b []byte) (*Content, error) {
	r := &reader{b: b}
	if len(b) > MaxMessage {
		return nil, r.fail(ErrTooLarge, "message of %d octets", len(b))
	}
	c, err := r.content()
	if err != nil {
		return nil, err
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return c, nil
}

func (r *reader) content() (*Content, error) {
	c := &Content{}
	steps := []func() error{
		func() error { return r.array(7, "message") },
		func() error { return r.salt(&c.Salt) },
		func() (err error) { c.Replaces, err = r.optionalID("replaces"); return },
		func() (err error) { c.TopicID, err = r.bytes(MaxTopic, "topic"); return },
		func() (err error) { c.Expires, err = r.expiry(); return },
		func() (err error) { c.InReplyTo, err = r.optionalID("in reply to"); return },
		func() (err error) { c.Extensions, err = r.extensions(); return },
		func() (err error) { c.Body, err = r.part(1); return },
	}
	return c, run(steps)
}

// run does the steps in order and stops at the first error.
func run(steps []func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) salt(s *Salt) error {
	b, err := r.bytes(MaxMessage, "salt")
	if err != nil {
		return err
	}
	if len(b) != len(s) {
		return r.fail(ErrMalformed, "salt has %d octets", len(b))
	}
	copy(s[:], b)
	return nil
}

func (r *reader) optionalID(name string) (*MessageID, error) {
	if r.null() {
		return nil, nil
	}
	id, err := r.messageID(name)
	return &id, err
}

// messageID refuses an unknown hash algorithm (section 9.1).
func (r *reader) messageID(name string) (id MessageID, err error) {
	b, err := r.bytes(MaxMessage, name)
	if err != nil {
		return id, err
	}
	if len(b) != len(id) {
		return id, r.fail(ErrMalformed, "%s has %d octets", name, len(b))
	}
	if copy(id[:], b); id[0] != hashSHA256 {
		return id, r.fail(ErrUnknown, "hash algorithm %d of %s", id[0], name)
	}
	return id, nil
}

func (r *reader) expiry() (*Expiry, error) {
	if r.null() {
		return nil, nil
	}
	if err := r.array(2, "expires"); err != nil {
		return nil, err
	}
	relative, err := r.bool("expires")
	if err != nil {
		return nil, err
	}
	s, err := r.uint(math.MaxUint32, "expires")
	return &Expiry{Relative: relative, Seconds: uint32(s)}, err
}

// partLengths are the items of a NestedPart's array by cardinality.
var partLengths = map[uint64]uint64{
	cardinalityNull: 3, cardinalitySingle: 5, cardinalityExternal: 15, cardinalityMulti: 5,
}

// part reads a NestedPart at a level; the body of the message is level 1.
func (r *reader) part(level int) (p Part, err error) {
	if level > MaxDepth { // section 6.3
		return p, r.fail(ErrTooDeep, "parts")
	}
	if r.parts++; r.parts > MaxParts {
		return p, r.fail(ErrTooMany, "parts")
	}
	var length, disposition, cardinality uint64
	err = run([]func() error{
		func() (err error) { length, err = r.expect(majorArray, "part"); return },
		func() (err error) { disposition, err = r.uint(math.MaxUint8, "disposition"); return },
		func() (err error) { p.Language, err = r.text(MaxLanguage, "language"); return },
		func() (err error) { cardinality, err = r.uint(math.MaxUint64, "cardinality"); return },
	})
	if err != nil {
		return p, err
	}
	p.Disposition = Disposition(disposition)
	want, known := partLengths[cardinality]
	if !known {
		return p, r.fail(ErrUnknown, "cardinality %d", cardinality)
	}
	if length != want {
		return p, r.fail(ErrMalformed, "part has %d items, not %d", length, want)
	}
	p.Body, err = r.body(cardinality, level)
	return p, err
}

func (r *reader) body(cardinality uint64, level int) (Body, error) {
	switch cardinality {
	case cardinalitySingle:
		return r.single()
	case cardinalityExternal:
		return r.external()
	case cardinalityMulti:
		return r.multi(level)
	}
	return Null{}, nil
}

func (r *reader) single() (s Single, err error) {
	if s.ContentType, err = r.text(MaxContentType, "content type"); err != nil {
		return s, err
	}
	s.Content, err = r.bytes(MaxMessage, "content")
	return s, err
}

func (r *reader) external() (External, error) {
	var e External
	var expires, enc, hash uint64
	err := run([]func() error{
		func() (err error) { e.ContentType, err = r.text(MaxContentType, "content type"); return },
		func() (err error) { e.URL, err = r.text(MaxURI, "url"); return },
		func() (err error) { expires, err = r.uint(math.MaxUint32, "expires"); return },
		func() (err error) { e.Size, err = r.uint(math.MaxUint64, "size"); return },
		func() (err error) { enc, err = r.uint(math.MaxUint16, "encryption algorithm"); return },
		func() (err error) { e.Key, err = r.bytes(MaxKey, "key"); return },
		func() (err error) { e.Nonce, err = r.bytes(MaxKey, "nonce"); return },
		func() (err error) { e.AAD, err = r.bytes(MaxAAD, "aad"); return },
		func() (err error) { hash, err = r.uint(math.MaxUint8, "hash algorithm"); return },
		func() (err error) { e.ContentHash, err = r.bytes(MaxKey, "content hash"); return },
		func() (err error) { e.Description, err = r.text(MaxDescription, "description"); return },
		func() (err error) { e.Filename, err = r.text(MaxFilename, "filename"); return },
	})
	e.Expires, e.EncAlg, e.HashAlg = uint32(expires), EncAlg(enc), HashAlg(hash)
	if err == nil && !e.consistent() {
		err = r.fail(ErrMalformed, "key, nonce or hash does not fit its algorithm")
	}
	return e, err
}

func (r *reader) multi(level int) (m Multi, err error) {
	s, err := r.uint(math.MaxUint64, "part semantics")
	if err != nil {
		return m, err
	}
	if s > uint64(ProcessAll) { // section 9.1
		return m, r.fail(ErrUnknown, "part semantics %d", s)
	}
	m.Semantics = Semantics(s)
	n, err := r.expect(majorArray, "parts")
	if err != nil {
		return m, err
	}
	if n < 2 { // [2* NestedPart], section 4.4
		return m, r.fail(ErrMalformed, "a multipart of %d parts", n)
	}
	if n > MaxParts {
		return m, r.fail(ErrTooMany, "%d parts", n)
	}
	err = r.repeat(n, func() error {
		p, err := r.part(level + 1)
		m.Parts = append(m.Parts, p)
		return err
	})
	return m, err
}
