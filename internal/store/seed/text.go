package seed

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// text makes something that somebody might write: words as frequent as in a language, in
// sentences, now and then with Markdown, a link, a number, an emoji, or in another script.
func (s *seeder) text() string {
	switch dice := s.r.IntN(100); {
	case dice < 3:
		return foreign[s.r.IntN(len(foreign))]
	case dice < 10:
		return short[s.r.IntN(len(short))]
	}
	var b strings.Builder
	for sentence := range 1 + s.r.IntN(3) {
		if sentence > 0 {
			b.WriteByte(' ')
		}
		n := 2 + s.r.IntN(11)
		for i := range n {
			w := word(s.r)
			if i == 0 {
				w = strings.ToUpper(w[:1]) + w[1:]
			} else {
				b.WriteByte(' ')
			}
			switch s.r.IntN(90) {
			case 0:
				w = "**" + w + "**"
			case 1:
				w = "`" + w + "`"
			case 2:
				w = strconv.Itoa(s.r.IntN(2000))
			}
			b.WriteString(w)
		}
		b.WriteString(ends[s.r.IntN(len(ends))])
	}
	switch s.r.IntN(40) {
	case 0:
		b.WriteString(" https://example.org/" + word(s.r) + "/" + strconv.Itoa(s.r.IntN(10000)))
	case 1, 2:
		b.WriteString(" " + emoji[s.r.IntN(len(emoji))])
	case 3:
		b.WriteString("\n\n- " + word(s.r) + "\n- " + word(s.r) + "\n- " + word(s.r))
	}
	return b.String()
}

// word draws one: the n-th about as often as 1/n, as in every language; behind the common
// ones a tail of rare ones without end.
func word(r *rand.Rand) string {
	if r.IntN(4) == 0 {
		return rare(r)
	}
	u := r.Float64()
	return common[int(u*u*u*float64(len(common)))]
}

var syllables = strings.Fields("ba be bi bo da de di do fa fi ga go ha he ka ki la le li lo ma me mi mo na ne no pa pe po ra re ri ro sa se si so ta te ti to va ve vi wa we za zo")

func rare(r *rand.Rand) string {
	var b strings.Builder
	for range 2 + r.IntN(3) {
		u := r.Float64()
		b.WriteString(syllables[int(u*u*float64(len(syllables)))])
	}
	return b.String()
}

var common = strings.Fields(`the to and you a i it of in is that for on have we be at not with this are do can but will
was so just me my they what if there about all as get go know like out or one when from time up your an here think
good now see would come them day could then work want more some today back how tomorrow really need right well who
message going been he our she take make say train home still people little before after maybe morning night week
meeting coffee dinner lunch house garden letter thing things never always first last evening question answer because
should where which doctor school children mother father brother sister friend money paper contract draft lawyer court
number street station ticket weather rain snow summer winter music concert picture photo video call phone computer
server key password garden bread butter cheese apple bicycle bridge river mountain island harbour boat ferry plane
airport hotel room table window door kitchen light quiet early late green blue yellow orange purple heron stork
almost already together between without against through another different important beautiful interesting`)

var (
	ends    = []string{".", ".", ".", ".", "?", "…", "!"}
	short   = []string{"ok", "Yes", "no", "On my way", "Thank you", "See you tomorrow", "👍", "Where are you?", "Good morning", "haha", "I'll call you later", "Not yet."}
	emoji   = []string{"👍", "❤️", "😂", "🎉", "😮", "🙏", "☕", "🚲"}
	foreign = []string{"Ich bin gleich da, die Straßenbahn steht schon wieder.", "¿Mañana a las ocho? Llevo el café.", "À bientôt, la réunion est déplacée.",
		"明日の会議は何時からですか", "завтра в семь у вокзала", "نلتقي غدا في المحطة", "נתראה מחר בתחנה", "สวัสดี เจอกันพรุ่งนี้", "내일 역에서 만나요"}
	titles = []string{"Garden", "Choir", "Contract", "Family", "Newsroom", "Rowing", "Street party", "Book circle", "Board", "Weekend"}
	names  = strings.Fields("bo cy dana emil fay gus hana ivo juno kai lena milo nora otto pia quin rosa sven tara udo vera wim xenia yann zoe amir bela carla dario edda finn greta hugo iris jonas kira leo mara nils olga paul ria samir tilda ulla viktor wanda yusuf")
	hosts  = []string{"home.invalid", "north.invalid", "harbour.invalid"}
)
