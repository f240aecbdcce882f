package client_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/store/seed"
	"sotto/internal/store/words"
)

// writes queues a text of one's own, which is found like any other.
func writes(t *testing.T, c *client.Client, id room.ID, text string) *store.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	m, err := c.Send(ctx, hexOf(id), client.Text(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func hexOf(id room.ID) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, x := range id {
		b.WriteByte(digits[x>>4])
		b.WriteByte(digits[x&15])
	}
	return b.String()
}

func TestSearchWords(t *testing.T) {
	c, f, err := seeded(t, seed.Plan{Rooms: 1}, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, text := range []string{
		"Die Straßenbahn fährt über die Brücke zur Zäsur", "El niño comió piñata en Zacatecas", "会議は明日の午後三時から始まります",
		"the quetzal AND the axolotl", "don't NEAR/2 ^quokka* {x}: \"y\" -z", "Schöne Grüße aus **Zwickau**\nund `zitat`",
		"see https://example.org/zzz/qux?x=1", "สวัสดีตอนเช้า", "quetzal party 🎉 quetzalcoatl",
	} {
		writes(t, c, f.Long, text)
	}
	for _, x := range []struct {
		text string
		want []string // the beginnings of what is found, the newest first
	}{
		{"strassenbahn", []string{"Die Straß"}},
		{"STRASSEN", []string{"Die Straß"}},
		{"zasur brucke", []string{"Die Straß"}},
		{"brücke piñata", nil},
		{"nino pinata", []string{"El niño"}},
		{"明日", []string{"会議"}},
		{"日明", nil},
		{"三時から始", []string{"会議"}},
		{"สวัสดี", []string{"สวัสดี"}},
		{"quetz", []string{"quetzal party", "the quetzal"}},
		{"quetzal axo", []string{"the quetzal"}},
		{`"quetzal party"`, []string{"quetzal party"}},
		{`"party quetzal"`, nil},
		{`"quetz"`, nil},
		{`“the axolotl”`, []string{"the quetzal"}},
		{`"quetzal" 🎉`, []string{"quetzal party"}},
		{`don't quokka`, []string{"don't"}},
		{`"dont"`, nil},
		{"zwickau zitat", []string{"Schöne"}},
		{"zzz qux", []string{"see"}},
		// Nothing that a person types is FTS5's language.
		{"quetzal NOT axolotl", nil},
		{"quetzal AND axolotl", []string{"the quetzal"}},
		{`NEAR("quetzal" "party")`, nil},
		{"text:quetzal", nil},
		{"quetzal*", []string{"quetzal party", "the quetzal"}},
		{`quetzal"`, []string{"quetzal party", "the quetzal"}},
		{`"quetzal`, []string{"quetzal party", "the quetzal"}},
		{"^quokka", []string{"don't"}},
		{"(quokka OR", nil},
		{"quokka\x00", []string{"don't"}},
		{"'; DROP TABLE messages; --", nil},
		{"!!! ???", nil},
		{"\"\ue000s\"", nil},
		{strings.Repeat("quokka ", 1000), []string{"don't"}},
	} {
		r, err := c.Search(client.SearchQuery{Text: x.text, Room: &f.Long})
		if err != nil {
			t.Errorf("%q: %v", x.text, err)
			continue
		}
		ok := len(r.Hits) == len(x.want)
		for i := range min(len(x.want), len(r.Hits)) {
			ok = ok && strings.HasPrefix(r.Hits[i].Text, x.want[i])
		}
		if !ok {
			var got []string
			for _, h := range r.Hits {
				got = append(got, h.Snippet)
			}
			t.Errorf("%q finds %q", x.text, got)
		}
	}
	h := must(c.Search(client.SearchQuery{Text: "grusse zwick zitat"})).Hits[0]
	var marked []string
	for i := 0; i+1 < len(h.Marks); i += 2 {
		marked = append(marked, h.Snippet[h.Marks[i]:h.Marks[i+1]])
	}
	if want := []string{"Grüße", "Zwickau", "zitat"}; !slices.Equal(marked, want) || strings.Contains(h.Snippet, "\n") {
		t.Errorf("%q: %q", h.Snippet, marked)
	}
	long := strings.Repeat("päd ", 300) + "ocelot " + strings.Repeat("dog ", 300)
	writes(t, c, f.Long, long)
	h = must(c.Search(client.SearchQuery{Text: "ocel"})).Hits[0]
	if len(h.Marks) != 2 || h.Snippet[h.Marks[0]:h.Marks[1]] != "ocelot" || len([]rune(h.Snippet)) > 170 || !strings.HasPrefix(h.Snippet, "…") || !strings.HasSuffix(h.Snippet, "…") {
		t.Errorf("%q %v", h.Snippet, h.Marks)
	}
}

// TestSearchAgrees: what a search finds is what looking through everything finds, in the same
// order and, page by page, once each.
func TestSearchAgrees(t *testing.T) {
	c, f := away(t, nil)
	var everything []client.Shown
	for _, id := range f.Rooms {
		everything = append(everything, all(t, c, id)...)
	}
	slices.SortFunc(everything, func(a, b client.Shown) int { return int(b.At - a.At) })
	who, when := everything[7].Account, everything[len(everything)/2].At
	for name, x := range map[string]struct {
		q    client.SearchQuery
		want func(s client.Shown) bool
	}{
		"a word":     {client.SearchQuery{Text: "coffee"}, has("coffee")},
		"a letter":   {client.SearchQuery{Text: "w"}, has("w")},
		"two":        {client.SearchQuery{Text: "th mor"}, func(s client.Shown) bool { return has("th")(s) && has("mor")(s) }},
		"in a room":  {client.SearchQuery{Text: "to", Room: &f.Rooms[2]}, func(s client.Shown) bool { return has("to")(s) && s.Room == f.Rooms[2] }},
		"a room":     {client.SearchQuery{Room: &f.Rooms[2]}, func(s client.Shown) bool { return s.Room == f.Rooms[2] }},
		"by someone": {client.SearchQuery{From: &who}, func(s client.Shown) bool { return s.Account == who }},
		"by oneself": {client.SearchQuery{Text: "the", From: self(f.Self)}, func(s client.Shown) bool { return has("the")(s) && s.Account == f.Self }},
		"starred":    {client.SearchQuery{Starred: true}, func(s client.Shown) bool { return s.Starred }},
		"before":     {client.SearchQuery{Text: "the", Before: when}, func(s client.Shown) bool { return has("the")(s) && s.At < when }},
		"after":      {client.SearchQuery{Text: "the", After: when}, func(s client.Shown) bool { return has("the")(s) && s.At >= when }},
		"everything": {client.SearchQuery{}, func(client.Shown) bool { return true }},
		"a phrase":   {client.SearchQuery{Text: `"of the"`}, func(s client.Shown) bool { return strings.Contains(" "+words.Join(s.Text)+" ", " of the ") }},
	} {
		var want []client.Shown
		for _, s := range everything {
			if x.want(s) {
				want = append(want, s)
			}
		}
		var got []client.Shown
		q := x.q
		q.Limit = 17
		for {
			r := must(c.Search(q))
			for _, h := range r.Hits {
				got = append(got, h.Shown)
			}
			if q.Cursor = r.Cursor; r.Cursor == "" {
				break
			}
		}
		if !same(got, want) {
			t.Errorf("%s: %d found, not %d", name, len(got), len(want))
		}
		if len(want) < 3 {
			t.Errorf("%s: %d: the test is blind", name, len(want))
		}
	}
	for _, cursor := range []string{"!", "-5", strings.Repeat("z", 40)} {
		if _, err := c.Search(client.SearchQuery{Text: "the", Cursor: cursor}); err == nil {
			t.Errorf("goes on from %q", cursor)
		}
	}
}

func self(id identity.ID) *identity.ID { return &id }

// has says whether a message has a word that begins so.
func has(word string) func(s client.Shown) bool {
	return func(s client.Shown) bool {
		return slices.ContainsFunc(words.All(s.Text), func(w words.Word) bool { return strings.HasPrefix(w.Text, word) })
	}
}

// FuzzSearch: whatever is typed is no error, and what is marked lies in the snippet.
func FuzzSearch(f *testing.F) {
	c, past, err := seeded(f, small, f.TempDir(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { c.Close() })
	for _, s := range []string{"the", `"of the" x`, "NEAR(a b)", "a* OR b", "\ue000s", "東京 \x00 ß", `"""`} {
		f.Add(s, int64(0))
	}
	f.Fuzz(func(t *testing.T, text string, at int64) {
		r, err := c.Search(client.SearchQuery{Text: text, After: at, Room: &past.Long})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for _, h := range r.Hits {
			last := 0
			for i, m := range h.Marks {
				if m < last || m > len(h.Snippet) || i%2 == 1 && m == last {
					t.Fatalf("%q: %q %v", text, h.Snippet, h.Marks)
				}
				last = m
			}
			client.UTF16(h.Snippet, h.Marks)
		}
	})
}
