package relay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/pion/turn/v5"
)

// Lifetime is how long a credential opens new allocations. One that is open goes on with
// it: a call may last longer.
const Lifetime = time.Hour

// Credential is what a device shows to this relay: a long-term credential of RFC 8489
// section 9.2. The name is the time of its end (Unix seconds), a colon and a random tag;
// the password is HMAC-SHA256 of the name under a key that this relay made when it
// started and never tells.
type Credential struct {
	Username, Password string
	Until              time.Time
}

type credential struct {
	Credential
	device  string
	account *account
	open    int // allocations
}

const maxDevices = 64 // with credentials, of one account

// Credential is a device's of an account: the one that it has, if that is good for half
// its lifetime still, or a new one. Devices have different ones, so that whoever sees
// their packets cannot tell that they are one person's.
func (r *Relay) Credential(name, device string) (Credential, error) {
	now := r.o.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return Credential{}, errEnded
	}
	a := r.accounts[name]
	if a == nil {
		a = newAccount(r)
		r.accounts[name] = a
	}
	if c := a.devices[device]; c != nil && c.Until.Sub(now) >= Lifetime/2 {
		return c.Credential, nil
	}
	if len(a.devices) >= maxDevices && a.devices[device] == nil {
		r.forget(now)
		if len(a.devices) >= maxDevices {
			return Credential{}, fmt.Errorf("relay: %d devices of one account have credentials", maxDevices)
		}
	}
	var tag [12]byte
	if _, err := io.ReadFull(r.o.Rand, tag[:]); err != nil {
		return Credential{}, err
	}
	until := now.Add(Lifetime).Truncate(time.Second)
	username := fmt.Sprintf("%d:%s", until.Unix(), base64.RawURLEncoding.EncodeToString(tag[:]))
	c := &credential{Credential: Credential{username, r.password(username), until}, device: device, account: a}
	if old := a.devices[device]; old != nil && old.open == 0 && !old.Until.After(now) {
		delete(r.credentials, old.Username)
	}
	a.devices[device] = c
	r.credentials[username] = c
	r.accounts[name] = a
	return c.Credential, nil
}

func (r *Relay) password(username string) string {
	mac := hmac.New(sha256.New, r.secret[:])
	mac.Write([]byte(username))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// authenticate is pion/turn's question whose a name is. The integrity of the message is
// checked by it, with the key that this answers.
func (r *Relay) authenticate(q *turn.RequestAttributes) (user string, key []byte, ok bool) {
	if q.Realm != r.o.Realm {
		return "", nil, false
	}
	end, _, found := strings.Cut(q.Username, ":")
	until, err := strconv.ParseInt(end, 10, 64)
	if !found || err != nil {
		return "", nil, false
	}
	r.mu.Lock()
	c := r.credentials[q.Username]
	over := c == nil || c.open == 0 && !r.o.Now().Before(time.Unix(until, 0))
	r.mu.Unlock()
	if over {
		return "", nil, false
	}
	return q.Username, turn.GenerateAuthKey(q.Username, r.o.Realm, c.Password), true
}

// End takes the credentials of a device, and ends what is forwarded by them.
func (r *Relay) End(device string) {
	r.mu.Lock()
	var open []*socket
	for tag, c := range r.credentials {
		if c.device != device {
			continue
		}
		delete(r.credentials, tag)
		delete(c.account.devices, c.device)
		for _, s := range r.sockets {
			if s.credential == c {
				open = append(open, s)
			}
		}
	}
	r.mu.Unlock()
	for _, s := range open {
		s.Close()
	}
}

// forget drops credentials that are over, and accounts without any whose quotas are
// whole again. Holds mu.
func (r *Relay) forget(now time.Time) {
	for tag, c := range r.credentials {
		if c.open == 0 && !c.Until.After(now) {
			delete(r.credentials, tag)
			if c.account.devices[c.device] == c {
				delete(c.account.devices, c.device)
			}
		}
	}
	for name, a := range r.accounts {
		if len(a.devices) == 0 && a.open == 0 && a.rested(now) {
			delete(r.accounts, name)
		}
	}
}
