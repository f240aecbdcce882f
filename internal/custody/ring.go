package custody

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"time"

	"github.com/zalando/go-keyring"
)

// Ring keeps secrets under names. ErrKeyring is a ring that does not answer, ErrLost a
// name that it does not have.
type Ring interface {
	Get(name string) ([]byte, error)
	Set(name string, secret []byte) error
	Delete(name string) error
}

func (e entryName) String() string { return hex.EncodeToString(e[:]) }

// ringService is the name under which people see sotto's entries in their keyring.
const ringService = "sotto"

// Times of the system's keyring. A person may have to type a password into a window of it,
// so it gets a minute; to find out whether there is one at all, a moment has to do.
const (
	ringTime  = time.Minute
	probeTime = 3 * time.Second
)

// systemRing is the operating system's: the Secret Service on Linux, the Keychain on a
// Mac, the Credential Manager on Windows.
type systemRing struct{}

func (systemRing) Get(name string) ([]byte, error) {
	var text string
	err := asked(ringTime, func() (err error) { text, err = keyring.Get(ringService, name); return err })
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, ErrLost
	}
	return b, nil
}

func (systemRing) Set(name string, secret []byte) error {
	text := base64.StdEncoding.EncodeToString(secret)
	return asked(ringTime, func() error { return keyring.Set(ringService, name, text) })
}

func (systemRing) Delete(name string) error {
	return asked(probeTime, func() error { return keyring.Delete(ringService, name) })
}

// asked is timed where there is a session in which a keyring could answer.
func asked(most time.Duration, call func() error) error {
	if !session() {
		return ErrKeyring
	}
	return timed(most, call)
}

// timed runs a call of the keyring for at most a while. One that hangs stays behind with
// its goroutine: the library gives no way to end it.
func timed(most time.Duration, call func() error) error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case err := <-done:
		switch {
		case err == nil:
			return nil
		case errors.Is(err, keyring.ErrNotFound):
			return ErrLost
		}
		return ErrKeyring
	case <-timer.C:
		return ErrKeyring
	}
}

// KeyringHere says whether the system has a keyring that answers. It takes a few seconds
// at most, and changes nothing.
func KeyringHere() bool {
	err := asked(probeTime, func() error { _, err := keyring.Get(ringService, "is anybody here"); return err })
	return err == nil || errors.Is(err, ErrLost)
}
