package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"sotto/internal/client"
	"sotto/internal/explain"
	"sotto/mimi"
)

// readTime is how long a file may take to be looked at and copied before it is sent.
const readTime = 10 * time.Minute

// watchFiles waits until the files of a message are on their way no more, from here (sends) or
// to here, and shows how far they are. Hosts that are down end it.
func (d *Device) watchFiles(ctx context.Context, x *IO, id mimi.MessageID, sends bool, hosts map[string]bool, parts ...int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	moved := make(chan struct{}, 1)
	stop := d.Client.Subscribe(func(e client.Event) {
		if e.Kind == client.EventFile && e.ID == id {
			select {
			case moved <- struct{}{}:
			default:
			}
		}
	})
	defer stop()
	var down error
	end := d.whenDown(func(host string) bool { return hosts[host] }, func(err error) { down = err; cancel() })
	defer end()
	p := &progress{x: x, last: map[int64]client.FileState{}}
	defer p.clear()
	idle := time.NewTimer(x.Timeout)
	defer idle.Stop()
	over := int64(-1)
	for {
		list, err := d.filesOf(id)
		if err != nil {
			return err
		}
		list = chosen(list, parts)
		done, waits := int64(0), error(nil)
		for _, f := range list {
			done += f.Done
			if f.State == client.FileWaits && f.Why != "" {
				waits = errors.New(f.Why)
			}
		}
		p.show(list, sends)
		if settled(list) {
			return p.failed(list)
		}
		if done != over {
			over = done
			idle.Reset(x.Timeout)
		}
		select {
		case <-ctx.Done():
			if down != nil {
				return queuedFiles(down)
			}
			return ctx.Err()
		case <-idle.C:
			if waits == nil {
				waits = context.DeadlineExceeded
			}
			return queuedFiles(waits)
		case <-moved:
		case <-time.After(time.Second): // so that a rate that fell is shown
		}
	}
}

func queuedFiles(why error) error {
	return &Failure{Code: "queued", Text: "the files go on when sotto next runs and reaches the server: " + Explain(why).Text, Sort: explain.Unreachable}
}

// chosen are some of a message's files; all when none is named.
func chosen(list []client.FileInfo, parts []int64) (out []client.FileInfo) {
	if len(parts) == 0 {
		return list
	}
	for _, n := range parts {
		out = append(out, list[n])
	}
	return out
}

func settled(list []client.FileInfo) bool {
	for _, f := range list {
		switch f.State {
		case client.FileWaits, client.FileMoves:
			return false
		}
	}
	return true
}

// progress shows how far files are: a line that changes on a terminal, else a line when one
// begins and when it ends.
type progress struct {
	x     *IO
	last  map[int64]client.FileState
	drawn bool
}

var doneWords = map[bool]string{true: "sent", false: "saved"}

func (p *progress) show(list []client.FileInfo, sends bool) {
	if p.x.JSON {
		return
	}
	var done, all, rate int64
	left := -1
	for i, f := range list {
		done, all, rate = done+f.Done, all+int64(f.Sealed), rate+f.Rate
		if f.State == client.FileMoves || f.State == client.FileWaits {
			left = i
		}
		was, known := p.last[f.Part]
		p.last[f.Part] = f.State
		if known && was == f.State {
			continue
		}
		switch f.State {
		case client.FileStored, client.FileHere:
			p.clear()
			where := ""
			if f.State == client.FileHere {
				where = " as " + line(f.Path)
			}
			p.x.printf("%s %s%s\n", line(f.Shown), doneWords[sends], where)
		case client.FilePaused, client.FileFailed, client.FileExpired:
			p.clear()
			p.x.printf("%s %s\n", line(f.Shown), f.State)
		case client.FileMoves:
			if !p.x.Terminal && !known {
				p.x.printf("%s, %s\n", line(f.Shown), size(f.Size))
			}
		}
	}
	if p.x.Terminal && left >= 0 && all > 0 {
		p.draw(line(list[left].Shown), done, all, rate)
	}
}

const barWidth = 24

// draw draws one line over the one before.
func (p *progress) draw(name string, done, all, rate int64) {
	n := int(barWidth * done / all)
	text := fmt.Sprintf("\r\x1b[K%.30s [%s%s] %d%% %s/s", name, strings.Repeat("=", n), strings.Repeat(" ", barWidth-n), 100*done/all, size(uint64(rate)))
	if rate > 0 {
		text += fmt.Sprintf(", %s left", (time.Duration((all-done)/rate) * time.Second).String())
	}
	p.drawn = true
	fmt.Fprint(p.x.Err, text)
}

// clear takes the line away.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.x.Err, "\r\x1b[K")
		p.drawn = false
	}
}

// failed is the first of the files that did not get there.
func (p *progress) failed(list []client.FileInfo) error {
	for _, f := range list {
		switch f.State {
		case client.FileFailed:
			return fail("file", "%s: %s", line(f.Shown), f.Why)
		case client.FileExpired:
			return fail("file gone", "%s: %s", line(f.Shown), client.ErrFileGone)
		case client.FilePaused:
			return fail("paused", "%s is paused", line(f.Shown))
		}
	}
	return nil
}

// pathError is an error of a file with its name.
func pathError(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return unreadable(p.Path, p)
	}
	return err
}
