package client

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/store/words"
	"sotto/internal/wire"
)

// SearchQuery says what to search for among the messages that are shown. Text is what a
// person types: every word has to be in the message, or one that begins with it; what stands
// in double quotes has to be there as it is, one word beside the other. Case and accents do
// not matter.
type SearchQuery struct {
	Text          string
	Room          *room.ID
	From          *identity.ID // who wrote it
	After, Before int64        // said at or after, and before; Unix milliseconds, 0: no bound
	Starred       bool
	Cursor        string // of an earlier result of the same query, for what follows it
	Limit         int    // 1 to MaxHits; 0 stands for 30
}

// Limits of a search.
const (
	MaxHits     = 100
	maxWords    = 16   // of a query; more are not looked at
	maxLooks    = 4000 // messages that one search looks into for what stands in quotes
	snippetSize = 160  // runes of a snippet, about
)

// SearchResult is what a search found, the newest first. With a Cursor there may be more,
// also when Hits is short or empty: a search for a rare combination of common words ends
// after a while and is to be gone on with.
type SearchResult struct {
	Hits    []Hit
	Cursor  string
	Partial bool // the index of words is being made, the newest first: older messages are not found yet
}

// Hit is a message that was found. Marks are the parts of Snippet that match, as offsets in
// bytes: from, to, from, to, …
type Hit struct {
	Shown
	Snippet string
	Marks   []int
}

// UTF16 are offsets in bytes of a text as offsets in UTF-16 units, which browsers count. They
// are in order and lie between characters.
func UTF16(text string, offsets []int) []int {
	out := make([]int, len(offsets))
	at, units := 0, 0
	for i, o := range offsets {
		for at < o && at < len(text) {
			r, n := utf8.DecodeRuneInString(text[at:])
			at, units = at+n, units+max(utf16.RuneLen(r), 1)
		}
		out[i] = units
	}
	return out
}

// Search finds messages. A Text without a word in it finds nothing; without Text the other
// conditions find everything that they hold of.
func (c *Client) Search(q SearchQuery) (out SearchResult, err error) {
	sought := parse(q.Text)
	if len(sought) == 0 && strings.TrimSpace(q.Text) != "" {
		return out, nil
	}
	s := store.Query{Words: sought.words(), Room: q.Room, Account: q.From, Starred: q.Starred, From: q.After, Below: q.Before}
	if q.Cursor != "" {
		below, err := strconv.ParseInt(q.Cursor, 36, 64)
		if err != nil || below <= 0 {
			return out, wire.Refuse(wire.CodeMalformed, "this place to go on from is none of a search")
		}
		if s.Below == 0 || below < s.Below {
			s.Below = below
		}
	}
	if q.Limit <= 0 {
		q.Limit = 30
	}
	err = ErrClosed
	c.on(func() {
		err = c.read(func(tx store.Tx) (err error) { out, err = c.search(tx, s, sought, min(q.Limit, MaxHits)); return err })
	})
	return out, err
}

func (c *Client) search(tx store.Tx, q store.Query, sought phrases, limit int) (out SearchResult, err error) {
	looks := 0
	done, err := tx.Indexed()
	if err != nil {
		return out, err
	}
	out.Partial = !done
	err = tx.Search(q, func(m store.Message) bool {
		if len(out.Hits) == limit || looks == maxLooks { // there is one more
			out.Cursor = strconv.FormatInt(m.At+1, 36)
			return false
		}
		looks++
		marks, ok := sought.in(m.Text)
		if ok {
			snippet, marks := snip(m.Text, marks)
			out.Hits = append(out.Hits, Hit{Shown: Shown{Message: m}, Snippet: snippet, Marks: marks})
		}
		return true
	})
	if err != nil {
		return out, err
	}
	return out, c.foldHits(tx, out.Hits)
}

// foldHits adds to what was found what acts on it, room by room.
func (c *Client) foldHits(tx store.Tx, hits []Hit) error {
	rooms := map[room.ID][]int{}
	for i, h := range hits {
		rooms[h.Room] = append(rooms[h.Room], i)
	}
	for id, at := range rooms {
		list := make([]Shown, len(at))
		for i, k := range at {
			list[i] = hits[k].Shown
		}
		if err := c.fold(tx, id, list); err != nil {
			return err
		}
		for i, k := range at {
			hits[k].Shown = list[i]
		}
	}
	return nil
}

// phrase is words that stand side by side; of the last one only the beginning has to be
// there, if open.
type phrase struct {
	words []string
	open  bool
}

type phrases []phrase

// parse reads what a person typed.
func parse(text string) (out phrases) {
	count := 0
	add := func(part string, open bool) {
		p := phrase{open: open}
		words.In(part, func(w words.Word) bool {
			p.words = append(p.words, w.Text)
			count++
			return count < maxWords
		})
		if len(p.words) > 0 {
			out = append(out, p)
		}
	}
	inside := false
	for part := range strings.SplitSeq(quotes.Replace(text), `"`) {
		if inside {
			add(part, false)
		} else {
			for _, field := range strings.Fields(part) {
				if count < maxWords {
					add(field, true)
				}
			}
		}
		inside = !inside
	}
	return out
}

// quotes makes one of the quotation marks that keyboards and correcting programs set.
var quotes = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`)

// words are the words of all phrases, for the index. Of a long beginning of a word the index
// finds the beginning.
func (p phrases) words() (out []store.Word) {
	for _, x := range p {
		for i, w := range x.words {
			open := x.open && i == len(x.words)-1
			if r := []rune(w); open && len(r) > store.MaxPrefix {
				w = string(r[:store.MaxPrefix])
			}
			out = append(out, store.Word{Text: w, Prefix: open})
		}
	}
	return out
}

// in finds all phrases in a text, and where they stand in it: from, to, in bytes and in
// order. The index has found that the words are there, or what long ones begin with: here it
// is looked whether they go on as they should, and stand side by side.
func (p phrases) in(text string) (marks []int, ok bool) {
	if len(p) == 0 {
		return nil, true
	}
	there := words.All(text)
	marked := make([]bool, len(there))
	for _, x := range p {
		found := false
		for i := 0; i+len(x.words) <= len(there); i++ {
			if x.at(there[i:]) {
				found = true
				for k := range x.words {
					marked[i+k] = true
				}
			}
		}
		if !found {
			return nil, false
		}
	}
	for i, w := range there {
		if !marked[i] {
			continue
		}
		if n := len(marks); n > 0 && marks[n-1] == w.Start { // one mark for characters side by side
			marks[n-1] = w.End
			continue
		}
		marks = append(marks, w.Start, w.End)
	}
	return marks, true
}

func (p phrase) at(there []words.Word) bool {
	for i, w := range p.words {
		open := p.open && i == len(p.words)-1
		if there[i].Text != w && !(open && strings.HasPrefix(there[i].Text, w)) {
			return false
		}
	}
	return true
}

// snip cuts out of a text what stands around the first mark, on one line.
func snip(text string, marks []int) (string, []int) {
	from := 0
	if len(marks) > 0 {
		from = back(text, marks[0], snippetSize/4)
	}
	to := from
	for n := 0; n < snippetSize && to < len(text); n++ {
		_, size := utf8.DecodeRuneInString(text[to:])
		to += size
	}
	prefix, suffix := "", ""
	if from > 0 {
		prefix = "…"
	}
	if to < len(text) {
		suffix = "…"
	}
	var out []int
	for i := 0; i+1 < len(marks) && marks[i] < to; i += 2 {
		out = append(out, marks[i]-from+len(prefix), min(marks[i+1], to)-from+len(prefix))
	}
	line := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		return r
	}, text[from:to])
	return prefix + line + suffix, out
}

// back goes so many runes back from a place in a text, to the beginning of a word.
func back(text string, at, runes int) int {
	from := at
	for n := 0; n < runes && from > 0; n++ {
		_, size := utf8.DecodeLastRuneInString(text[:from])
		from -= size
	}
	if from == 0 {
		return 0
	}
	if space := strings.IndexByte(text[from:at], ' '); space >= 0 {
		return from + space + 1
	}
	return from
}

// Starred are the messages with a star, the newest first.
func (c *Client) Starred(cursor string, limit int) (SearchResult, error) {
	return c.Search(SearchQuery{Starred: true, Cursor: cursor, Limit: limit})
}
