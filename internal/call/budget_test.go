package call

import (
	"testing"
	"time"
)

// Where the path has less room than a film needs pictures are left out up to a key frame,
// sound never is, and what is sent stays near what there is room for.
func TestBudget(t *testing.T) {
	now := time.Unix(0, 0)
	room := 5_000_000
	b := budget{estimate: func() int { return room }, now: func() time.Time { return now }}
	second := func() (sent, sound, pictures int) {
		for i := range 50 {
			now = now.Add(20 * time.Millisecond)
			if b.take(Mic, 100, true) {
				sound++
			}
			if b.take(Camera, 2000, i%10 == 0) { // 800 kbit/s
				pictures++
				sent += 8 * 2000
			}
		}
		return sent, sound, pictures
	}
	if _, sound, pictures := second(); sound != 50 || pictures != 50 {
		t.Errorf("on a wide path %d packets of sound and %d pictures", sound, pictures)
	}
	room = 300_000
	second()
	if sent, sound, pictures := second(); sound != 50 || pictures == 0 || sent > room {
		t.Errorf("on a narrow path %d packets of sound, %d pictures, %d bits", sound, pictures, sent)
	}
	b.measured(40 * time.Millisecond)
	b.measured(240 * time.Millisecond) // packets wait on the path
	if rate := b.rate(); rate > 0.6*float64(room) || rate < 0.4*float64(room) {
		t.Errorf("%.0f bits where 200 ms wait", rate)
	}
	b.measured(40 * time.Millisecond)
	room = 50_000_000 // it runs away
	second()
	if rate := b.rate(); rate > 2_000_000 {
		t.Errorf("the estimate counts with %.0f bits where 840000 are sent", rate)
	}
}
