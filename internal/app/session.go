package app

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

const (
	tokenLife   = 2 * time.Minute
	sessionLife = 30 * 24 * time.Hour // without use
	maxTokens   = 16
	maxSessions = 16
)

// digest is what is kept of a secret.
type digest = [sha256.Size]byte

// session is a window's right to the API, of which two secrets have to be shown: the
// cookie, which browsers show to every port of this computer, and the key, which only the
// interface's own origin has.
type session struct {
	key     digest
	expires time.Time
}

// sessions are the windows' rights and the tokens that make them. They end with the
// process: whoever has the home can make new ones.
type sessions struct {
	clock Clock

	mu     sync.Mutex
	tokens map[digest]time.Time // until when
	open   map[digest]*session  // by the cookie
}

func newSessions(clock Clock) *sessions {
	return &sessions{clock: clock, tokens: map[digest]time.Time{}, open: map[digest]*session{}}
}

// secret is 256 random bits in base64url.
func secret() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func hashed(secret string) digest { return sha256.Sum256([]byte(secret)) }

// token makes a token that opens one session soon.
func (s *sessions) token() string {
	t, now := secret(), s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[hashed(t)] = now.Add(tokenLife)
	dropOldest(s.tokens, maxTokens, now, func(t time.Time) time.Time { return t })
	return t
}

// dropOldest drops what is over, and beyond a number what ends first.
func dropOldest[V any](m map[digest]V, limit int, now time.Time, ends func(V) time.Time) {
	for {
		var first digest
		var at time.Time
		for k, v := range m {
			if e := ends(v); at.IsZero() || e.Before(at) {
				first, at = k, e
			}
		}
		if len(m) <= limit && (at.IsZero() || at.After(now)) {
			return
		}
		delete(m, first)
	}
}

// exchange makes a session from a token, which is spent whatever comes.
func (s *sessions) exchange(token string) (cookie, key string, ok bool) {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	h := hashed(token)
	until, known := s.tokens[h]
	delete(s.tokens, h)
	if !known || !now.Before(until) {
		return "", "", false
	}
	cookie, key = secret(), secret()
	s.open[hashed(cookie)] = &session{key: hashed(key), expires: now.Add(sessionLife)}
	dropOldest(s.open, maxSessions, now, func(x *session) time.Time { return x.expires })
	return cookie, key, true
}

// spend ends a token for a window that has a session already.
func (s *sessions) spend(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, hashed(token))
}

// valid says whether a cookie and a key belong to a session, and lets it live on. Secrets
// are compared by their hashes, so that the time it takes tells nothing about them.
func (s *sessions) valid(cookie, key string) bool {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.open[hashed(cookie)]
	if x == nil || x.key != hashed(key) || !now.Before(x.expires) {
		return false
	}
	x.expires = now.Add(sessionLife)
	return true
}

// limiter counts wrong guesses of tokens, sessions and passphrases.
type limiter struct {
	clock Clock
	mu    sync.Mutex
	wrong map[string][]time.Time
}

const (
	maxWrong  = 5 // in wrongTime
	wrongTime = time.Minute
)

func newLimiter(clock Clock) *limiter { return &limiter{clock: clock, wrong: map[string][]time.Time{}} }

// wait is how long nobody may guess; 0 when one may.
func (l *limiter) wait(what string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.wrong[what]
	if len(list) < maxWrong {
		return 0
	}
	return max(0, wrongTime-l.clock.Now().Sub(list[len(list)-maxWrong]))
}

// miss notes a wrong guess.
func (l *limiter) miss(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := append(l.wrong[what], l.clock.Now())
	l.wrong[what] = list[max(0, len(list)-maxWrong):]
}

// hit forgets wrong guesses after a right one.
func (l *limiter) hit(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.wrong, what)
}
