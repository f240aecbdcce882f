package said

import (
	"slices"
	"strings"
	"testing"
)

func TestSpan(t *testing.T) {
	for seconds, want := range map[int64]string{
		1: "one second", 59: "59 seconds", 60: "one minute", 90: "90 seconds", 3600: "one hour", 5400: "90 minutes", 86400: "one day",
		7 * 86400: "one week", 14 * 86400: "2 weeks", 30 * 86400: "30 days", 0: "0 seconds", -1: "0 seconds",
	} {
		if got := span(seconds); got != want {
			t.Errorf("%d: %q, not %q", seconds, got, want)
		}
	}
}

func TestText(t *testing.T) {
	for _, x := range []struct {
		said Said
		want string
	}{
		{Of("added", "by", "Ana", "name", "bo@example.org"), "Ana added bo@example.org."},
		{Of("title", "by", "Ana", "title", "the {by}\n\"club\""), `Ana named this room "the {by} "club"".`},
		{Of("vanish", "by", "Ana").Count(604800), "Ana set messages here to vanish one week after they are read."},
		{Of("expired").Count(1), "One entry had expired before this device read it."},
		{Of("expired").Count(2), "2 entries had expired before this device read them."},
		{Of("moved.why").Because("fault.lost"), "This conversation moved on to another place: The server lost this conversation."},
		{Of("failed.change", "why", "the room is full").Because("quota"), "A change of this room could not be made: the room is full"},
		{Of("left", "name", "\u202eana\x1b[31m\t\u2066b"), "ana[31m b left."},
		{Of("left", "name", strings.Repeat("x", 201)), strings.Repeat("x", 200) + "… left."},
		{Said{}, ""},
		{Of("nothing"), ""},
	} {
		if got := x.said.Text(); got != x.want {
			t.Errorf("%q, not %q", got, x.want)
		}
	}
}

// TestReason takes back the English of a reason, and nobody else's words.
func TestReason(t *testing.T) {
	for key, text := range sentences {
		want := ""
		if isReason(key) {
			want = key
		}
		if got := Reason(text); got != want {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
	if got := Reason("call +1 555 0100"); got != "" {
		t.Error(got)
	}
}

// TestSentences holds that every sentence says something, once, and that forms of one take
// nothing that the plain one does not.
func TestSentences(t *testing.T) {
	texts := map[string]string{}
	for _, s := range Sentences() {
		if s.Text == "" || texts[s.Text] != "" {
			t.Errorf("%s says what %s says", s.Key, texts[s.Text])
		}
		texts[s.Text] = s.Key
		plain, form, ok := strings.Cut(s.Key, ".")
		if !ok || !slices.Contains([]string{"own", "you", "self"}, form) {
			continue
		}
		for _, name := range s.Names() {
			if !slices.Contains((Sentence{Text: sentences[plain]}).Names(), name) {
				t.Errorf("%s takes %s", s.Key, name)
			}
		}
	}
	for key := range ones {
		if !strings.Contains(sentences[key], "{n}") {
			t.Errorf("%s counts nothing", key)
		}
	}
}

func TestAct(t *testing.T) {
	for want, got := range map[string]string{
		"added": Act("added", false, false), "added.own": Act("added", true, false), "added.you": Act("added", false, true),
		"no-admin.self": Act("no-admin", true, true), "picture": Act("picture", false, true),
	} {
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}
