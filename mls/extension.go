package mls

// Extension is an extension of a leaf, a key package, a group context or a
// group info (RFC 9420 section 13.4). Data is opaque to this package unless
// Type is one of the constants below.
type Extension struct {
	Type uint16
	Data []byte
}

// Extension types this package gives meaning to (RFC 9420 section 17.3).
const (
	ExtApplicationID        uint16 = 1
	ExtRatchetTree          uint16 = 2
	ExtRequiredCapabilities uint16 = 3
	ExtExternalPub          uint16 = 4
	ExtExternalSenders      uint16 = 5
	ExtLastResort           uint16 = 10 // a key package that may be used more than once
)

// Credential says who a leaf is (RFC 9420 section 5.3). Whether it is true is
// for the application's Policy to decide.
type Credential struct {
	Type     uint16
	Identity []byte // CredentialBasic: the identity; CredentialX509: the raw certificate list
}

// Credential types.
const (
	CredentialBasic uint16 = 1
	CredentialX509  uint16 = 2
)

// BasicCredential is a credential of type basic.
func BasicCredential(identity []byte) Credential {
	return Credential{Type: CredentialBasic, Identity: identity}
}

// RequiredCapabilities lists what every member must support (RFC 9420 section
// 11.1). Put Extension() among the context extensions of a group.
type RequiredCapabilities struct {
	Extensions  []uint16
	Proposals   []uint16
	Credentials []uint16
}

// Extension is r encoded as an extension.
func (r RequiredCapabilities) Extension() Extension {
	var e encoder
	e.u16s(r.Extensions)
	e.u16s(r.Proposals)
	e.u16s(r.Credentials)
	return Extension{ExtRequiredCapabilities, e.b}
}

func parseRequiredCapabilities(b []byte) (r RequiredCapabilities, err error) {
	d := decoder{b: b}
	r.Extensions, r.Proposals, r.Credentials = d.u16s(), d.u16s(), d.u16s()
	return r, d.finish()
}

// externalSender may propose from outside the group (RFC 9420 section 12.1.8.1).
type externalSender struct {
	key        []byte
	credential Credential
}

func parseExternalSenders(b []byte) (list []externalSender, err error) {
	d := decoder{b: b}
	v := d.vec()
	for v.more() {
		var s externalSender
		s.key = v.bytes()
		s.credential.decode(v)
		list = append(list, s)
	}
	d.end(v)
	return list, d.finish()
}

func (c *Credential) encode(e *encoder) {
	e.u16(c.Type)
	e.bytes(c.Identity)
}

// decode keeps the certificate list of an X.509 credential raw, after checking
// that it is a list.
func (c *Credential) decode(d *decoder) {
	c.Type = d.u16()
	c.Identity = d.bytes()
	switch c.Type {
	case CredentialBasic:
	case CredentialX509:
		v := &decoder{b: c.Identity}
		for v.more() {
			v.bytes()
		}
		d.end(v)
	default:
		if d.err == nil {
			d.err, d.b = fail(ErrUnsupported, "credential type %d", c.Type), nil
		}
	}
}

func encodeExtensions(e *encoder, list []Extension) {
	e.vec(func() {
		for _, x := range list {
			e.u16(x.Type)
			e.bytes(x.Data)
		}
	})
}

func decodeExtensions(d *decoder) (list []Extension) {
	v := d.vec()
	for v.more() {
		list = append(list, Extension{v.u16(), v.bytes()})
	}
	d.end(v)
	return list
}

func findExtension(list []Extension, t uint16) ([]byte, bool) {
	for _, x := range list {
		if x.Type == t {
			return x.Data, true
		}
	}
	return nil, false
}

// repeated answers a type that stands in the list twice.
func repeated(list []Extension) (uint16, bool) {
	for i, x := range list {
		for _, y := range list[:i] {
			if x.Type == y.Type {
				return x.Type, true
			}
		}
	}
	return 0, false
}

// defaultExtension: supported by everyone without being listed (RFC 9420 section 7.2).
func defaultExtension(t uint16) bool { return t >= 1 && t <= 5 }

func defaultProposal(t uint16) bool { return t >= 1 && t <= 7 }

func cloneExtensions(list []Extension) []Extension {
	out := make([]Extension, len(list))
	for i, x := range list {
		out[i] = Extension{x.Type, append([]byte(nil), x.Data...)}
	}
	return out
}
