package play

import "testing"

func TestTwoTalk(t *testing.T) {
	w := New(t)
	ana, bo := w.Person("ana"), w.Person("bo")
	ana.Send(bo.Handle, "hi Bo")
	bo.Eventually("has a request", func() bool { r, _ := bo.Client.Requests(); return len(r) == 1 }, func() any { return nil })
	ctx, cancel := bo.patience()
	defer cancel()
	if err := bo.Client.Accept(ctx, ana.Handle); err != nil {
		t.Fatal(err)
	}
	bo.Reads(ana.Handle, "hi Bo")
	bo.Send(ana.Handle, "hi Ana")
	ana.Reads(bo.Handle, "hi Bo", "hi Ana")
	bo.Reads(ana.Handle, "hi Bo", "hi Ana")
}
