package play

import (
	"testing"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/mimi"
)

// A member sends what she wrote once more, as what takes another place when a room has moved.
// It has not, so her words stay where they were said, and are shown once. What nobody has is
// shown, like any other message.
func TestAgainWithoutMove(t *testing.T) {
	w := New(t)
	ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
	group(t, "club", ana, bo, mal)
	yes := mal.Send("club", "yes")
	for _, p := range []*Person{ana, bo} {
		p.Reads("club", "yes")
	}
	edit := mal.Compose("club", client.Edit(yes.ID, "yes!"))
	bo.Reads("club", "yes!", "yes!") // the edit is its own text here
	ana.Send("club", "is it yours?")
	for _, p := range []*Person{ana, bo, mal} {
		p.Reads("club", "yes!", "yes!", "is it yours?")
		p.Sync()
	}
	m := mal.Turn("club")
	for range 3 {
		m.Post(room.PayloadAgain, yes.Content)
		m.Post(room.PayloadAgain, edit.Content)
	}
	bo.Send("club", "no")
	for _, p := range []*Person{ana, bo} {
		p.Reads("club", "yes!", "yes!", "is it yours?", "no")
		p.notTold(client.NoticeJunk, client.NoticeCopy, client.NoticeFork)
	}
	m.Post(room.PayloadAgain, body(mimi.NewText(rnd, "new")))
	ana.Reads("club", "yes!", "yes!", "is it yours?", "no", "new")
}
