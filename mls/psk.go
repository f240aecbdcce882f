package mls

import (
	"bytes"
	"slices"
)

// PSKID names a pre-shared key (RFC 9420 section 8.4).
type PSKID struct {
	Type    uint8  // PSKExternal or PSKResumption
	ID      []byte // external
	Usage   uint8  // resumption: 1 application, 2 reinit, 3 branch
	GroupID []byte // resumption
	Epoch   uint64 // resumption
	Nonce   []byte
}

// Kinds of pre-shared key.
const (
	PSKExternal   uint8 = 1
	PSKResumption uint8 = 2
)

const (
	usageApplication uint8 = 1
	usageReInit      uint8 = 2
	usageBranch      uint8 = 3
)

func (p *PSKID) encode(e *encoder) {
	e.u8(p.Type)
	if p.Type == PSKExternal {
		e.bytes(p.ID)
	} else {
		e.u8(p.Usage)
		e.bytes(p.GroupID)
		e.u64(p.Epoch)
	}
	e.bytes(p.Nonce)
}

func (p *PSKID) decode(d *decoder) {
	switch p.Type = d.u8(); p.Type {
	case PSKExternal:
		p.ID = d.bytes()
	case PSKResumption:
		p.Usage = d.u8()
		if d.err == nil && (p.Usage < usageApplication || p.Usage > usageBranch) {
			d.fail("resumption usage %d", p.Usage)
		}
		p.GroupID = d.bytes()
		p.Epoch = d.u64()
	default:
		d.fail("PSK type %d", p.Type)
	}
	p.Nonce = d.bytes()
}

func (p *PSKID) equal(o *PSKID) bool {
	var a, b encoder
	p.encode(&a)
	o.encode(&b)
	return bytes.Equal(a.b, b.b)
}

// pskSecret chains the keys together (RFC 9420 section 8.4). The keys are overwritten.
func pskSecret(ids []PSKID, keys [][]byte) []byte {
	secret := make([]byte, hashSize)
	for i := range ids {
		var label encoder
		ids[i].encode(&label)
		label.u16(uint16(i))
		label.u16(uint16(len(ids)))
		extracted := extract(make([]byte, hashSize), keys[i])
		input := expandWithLabel(extracted, "derived psk", label.b, hashSize)
		next := extract(input, secret)
		clear(keys[i])
		clear(extracted)
		clear(input)
		clear(secret)
		secret = next
	}
	return secret
}

// lookupPSKs answers psk_secret for the list. own is the group whose current
// resumption secret may be asked for; nil while joining.
func (c *Config) lookupPSKs(ids []PSKID, own *epoch) ([]byte, error) {
	keys := make([][]byte, len(ids))
	for i, id := range ids {
		if own != nil && id.Type == PSKResumption && id.Epoch == own.context.epoch && bytes.Equal(id.GroupID, own.context.groupID) {
			keys[i] = bytes.Clone(own.secrets.resumption)
			continue
		}
		var key []byte
		var known bool
		if c.PSK != nil {
			key, known = c.PSK(id)
		}
		if !known {
			return nil, fail(ErrPSK, "number %d of %d", i+1, len(ids))
		}
		keys[i] = slices.Clone(key)
	}
	return pskSecret(ids, keys), nil
}
