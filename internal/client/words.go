package client

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"sotto/internal/identity"
	"sotto/internal/recovery"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Errors of the 24 words.
var (
	ErrWords    = errors.New("these are not the 24 words of this account")
	ErrOldWords = errors.New("this account has 24 words: only with these can they be replaced")
	ErrNoWords  = errors.New("nobody has written down 24 words for this account: without a device it cannot be had back")
	ErrNoMaking = errors.New("there are no new words to confirm: make them anew")
)

// wordsTime is how long words that were made wait to be confirmed.
const wordsTime = 30 * time.Minute

// asked for are so many of the words, so that nobody says too easily that they are written.
const askedWords = 3

// makingWords are words that were made and are not the account's yet. They are in memory only.
type makingWords struct {
	words  *recovery.Words
	old    *identity.RecoveryKeys // of the words that they replace; nil: there are none
	places [askedWords]int        // from 0, ascending
}

// Recovery is how the account's recovery stands.
type Recovery struct {
	Set    bool  // there are words
	At     int64 // since then, Unix milliseconds, by the clock of who set them; of words that came with the account its beginning
	Making bool  // words were made here and wait to be confirmed
	Places []int // that are asked for then, from 1
	Record bool  // the home server holds the record of people and rooms as this device knows them
	Back   *Back // what is still to come back after a recovery; nil: nothing
}

// Back is what a recovery on this device has not brought back yet.
type Back struct {
	People int      // whose servers have not answered
	Rooms  []string // titles of groups whose members were asked and have not said yes
}

// Recovery answers how the account's recovery stands.
func (c *Client) Recovery() (out Recovery, err error) {
	c.on(func() {
		if !c.opened {
			err = ErrNoAccount
			return
		}
		out.Set = c.chain.Recovery() != nil
		for _, s := range c.chain.Record(0) {
			if s.Recovery != nil {
				out.At = int64(min(s.Time, 1<<40)) * 1000
			}
		}
		if c.making24 != nil {
			out.Making = true
			for _, p := range c.making24.places {
				out.Places = append(out.Places, p+1)
			}
		}
		if out.Set {
			if _, _, out.Record, err = c.recordNow(); err != nil {
				return
			}
		}
		out.Back, err = c.stillBack()
	})
	return out, err
}

// MakeWords makes words, to be written down and confirmed. Those that the account has are
// replaced only by who types them. Words made before and not confirmed are forgotten.
func (c *Client) MakeWords(ctx context.Context, old string) (list [recovery.Count]string, err error) {
	err = c.wait(ctx, func(done func(error)) {
		if err := c.belongs(); err != nil {
			done(err)
			return
		}
		m := new(makingWords)
		if c.chain.Recovery() != nil {
			if old == "" {
				done(ErrOldWords)
				return
			}
			keys, err := wordsOf(c.chain, old)
			if err != nil {
				done(err)
				return
			}
			m.old = keys
		}
		w, err := recovery.New(c.o.Rand)
		if err != nil {
			done(err)
			return
		}
		c.forgetWords()
		m.words, m.places = w, c.somePlaces()
		c.making24 = m
		c.timer("words", wordsTime, c.forgetWords)
		list = w.List()
		c.tellRecovery()
		done(nil)
	})
	return list, err
}

// wordsOf reads typed words and holds them against an account.
func wordsOf(chain *identity.Chain, typed string) (*identity.RecoveryKeys, error) {
	if chain.Recovery() == nil {
		return nil, ErrNoWords
	}
	w, err := recovery.Parse(typed)
	if err != nil {
		return nil, err
	}
	defer w.Erase()
	keys, err := w.Keys()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(keys.Public().Signature, chain.Recovery().Signature) || !bytes.Equal(keys.Public().Seal, chain.Recovery().Seal) {
		return nil, ErrWords
	}
	return keys, nil
}

// somePlaces are places to ask for.
func (c *Client) somePlaces() (out [askedWords]int) {
	left := make([]int, recovery.Count)
	for i := range left {
		left[i] = i
	}
	for i := range out {
		var b [8]byte
		c.random(b[:])
		var n uint64
		for _, x := range b {
			n = n<<8 | uint64(x)
		}
		at := int(n % uint64(len(left)))
		out[i] = left[at]
		left = slices.Delete(left, at, at+1)
	}
	slices.Sort(out[:])
	return out
}

// ConfirmWords takes the words that were asked for, and makes the new words the account's. The
// words are forgotten then.
func (c *Client) ConfirmWords(ctx context.Context, typed []string) error {
	return c.wait(ctx, func(done func(error)) {
		m := c.making24
		if m == nil {
			done(ErrNoMaking)
			return
		}
		if len(typed) != askedWords {
			done(wire.Refuse(wire.CodeMalformed, "%d words are asked for", askedWords))
			return
		}
		for i, place := range m.places {
			if !m.words.Is(place, typed[i]) {
				done(wire.Refuse(wire.CodeMalformed, "word %d is another one on your list", place+1))
				return
			}
		}
		next, err := m.words.Keys()
		if err != nil {
			done(err)
			return
		}
		c.state(func(chain *identity.Chain) ([]byte, error) {
			if m.old != nil {
				return m.old.Replace(chain, next, c.now()), nil
			}
			return c.keys.SetRecovery(chain, next, c.now()), nil
		}, func(err error) {
			if err != nil {
				done(err)
				return
			}
			if c.making24 == m {
				c.forgetWords()
			}
			c.recorded = 0 // nobody could open the record that there may be
			if err := c.write(func(tx store.Tx) error { return c.bringSiblings(tx, c.chain) }); err != nil {
				c.fail("bringing devices into rooms", err)
			}
			c.flushRecord(done)
		})
	})
}

// DropWords forgets words that were made and not confirmed.
func (c *Client) DropWords() { c.on(c.forgetWords) }

func (c *Client) forgetWords() {
	c.stopTimer("words")
	if c.making24 == nil {
		return
	}
	c.making24.words.Erase()
	c.making24 = nil
	c.tellRecovery()
}

func (c *Client) tellRecovery() { c.emit(Event{Kind: EventRecovery}) }
