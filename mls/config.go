package mls

import (
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"time"
)

// Config is what a group needs from its application.
type Config struct {
	Suite  CipherSuite        // 0 means XWing; must fit the key package in JoinGroup and the state in LoadGroup
	Signer ed25519.PrivateKey // private key of our own leaf; JoinGroup and LoadGroup check that it fits
	Rand   io.Reader          // nil means crypto/rand.Reader
	Now    func() time.Time   // nil means time.Now

	// MaxForward bounds how many generations of a sender one message may skip,
	// and how many keys of skipped messages are kept for each sender. 0 means 1024.
	MaxForward uint32

	// Padding rounds the plaintext of messages up to a multiple of this many bytes. 0 means none.
	Padding int

	// Supported lists extension types that NewGroup puts into our leaf's capabilities.
	Supported []uint16

	// Lifetime of the leaf that NewGroup makes. 0 means 90 days.
	Lifetime time.Duration

	// MaxLifetime is the longest lifetime of a leaf that is accepted. 0 means
	// the constant MaxLifetime, a negative one no limit. Members of a group must
	// agree on it.
	MaxLifetime time.Duration

	// StrictLifetime also refuses received leaves whose lifetime does not
	// include Now. RFC 9420 section 7.3 leaves that open; it makes validity
	// depend on clocks, so members could disagree. What we send is always checked.
	StrictLifetime bool

	// AllowPublic accepts handshakes as PublicMessage; rooms send PrivateMessage only.
	AllowPublic bool

	// AllowExternal accepts external commits and proposals of senders outside
	// the group (needs AllowPublic).
	AllowExternal bool

	// PSK looks up a pre-shared key; nil knows none. The group itself knows the
	// resumption secret of its current epoch. The answer is copied.
	PSK func(id PSKID) ([]byte, bool)

	// Policy is asked about every valid commit, received and own, before it is
	// staged; an error refuses it and leaves the group as it was. g is the
	// group before the commit. Neither may be changed.
	Policy func(g *Group, s *StagedCommit) error
}

func orSystem(r io.Reader) io.Reader {
	if r == nil {
		return rand.Reader
	}
	return r
}

// complete fills in the defaults.
func (c *Config) complete() error {
	c.Suite = c.Suite.orDefault()
	if _, err := c.Suite.kem(); err != nil {
		return err
	}
	c.Rand = orSystem(c.Rand)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxForward == 0 {
		c.MaxForward = 1024
	}
	if c.Lifetime == 0 {
		c.Lifetime = 90 * 24 * time.Hour
	}
	if c.MaxLifetime == 0 {
		c.MaxLifetime = MaxLifetime
	}
	return nil
}
