package desktop

import (
	"context"
	"html"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// The notices of the desktop, as the freedesktop.org Desktop Notifications Specification
// 1.2 has them.
const (
	noticesName = "org.freedesktop.Notifications"
	noticesPath = "/org/freedesktop/Notifications"
	busTime     = 5 * time.Second
	mostClicks  = 64 // notices whose click is waited for; of more, the oldest are forgotten
)

// notices is a connection to the session's bus, which stays for clicks.
type notices struct {
	conn   *dbus.Conn
	markup bool // the text is markup to whoever shows it
	clicks bool // a click is told

	mu    sync.Mutex
	wait  map[uint32]func()
	order []uint32
	tags  map[string]uint32 // notices that are shown, by their tags
	done  chan struct{}
}

// onBus shows a notice over the bus, connecting when that is needed.
func (d *Desktop) onBus(n Notice) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bus != nil {
		if err := d.bus.show(n); err == nil {
			return nil
		}
		d.bus.close() // the bus, or who shows notices, has gone; there may be another
		d.bus = nil
	}
	bus, err := connect()
	if err != nil {
		return err
	}
	if err := bus.show(n); err != nil {
		bus.close()
		return err
	}
	d.bus = bus
	return nil
}

func connect() (*notices, error) {
	ctx, cancel := context.WithTimeout(context.Background(), busTime)
	defer cancel()
	conn, err := dialBus(ctx)
	if err != nil {
		return nil, err
	}
	n := &notices{conn: conn, wait: map[uint32]func(){}, tags: map[string]uint32{}, done: make(chan struct{})}
	var can []string
	err = conn.Object(noticesName, noticesPath).CallWithContext(ctx, noticesName+".GetCapabilities", 0).Store(&can)
	if err == nil {
		n.markup, n.clicks = slices.Contains(can, "body-markup"), slices.Contains(can, "actions")
		err = conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface(noticesName), dbus.WithMatchObjectPath(noticesPath))
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	go n.listen(signals)
	return n, nil
}

// dialBus connects without ever starting a bus.
func dialBus(ctx context.Context) (*dbus.Conn, error) {
	type result struct {
		conn *dbus.Conn
		err  error
	}
	out := make(chan result, 1)
	go func() { // the handshake takes no context
		conn, err := dbus.SessionBusPrivateNoAutoStartup()
		if err == nil {
			if err = conn.Auth(nil); err == nil {
				err = conn.Hello()
			}
			if err != nil {
				conn.Close()
			}
		}
		out <- result{conn, err}
	}()
	select {
	case r := <-out:
		return r.conn, r.err
	case <-ctx.Done():
		go func() {
			if r := <-out; r.err == nil {
				r.conn.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

func (n *notices) show(x Notice) error {
	text, actions := x.Text, []string{}
	if n.markup {
		text = html.EscapeString(text)
	}
	if n.clicks && x.Click != nil {
		actions = []string{"default", "Open"}
	}
	ctx, cancel := context.WithTimeout(context.Background(), busTime)
	defer cancel()
	n.mu.Lock() // before the click that the answer announces
	defer n.mu.Unlock()
	var id uint32
	err := n.conn.Object(noticesName, noticesPath).CallWithContext(ctx, noticesName+".Notify", 0,
		"sotto", n.tags[x.Tag], iconName, x.Title, text, actions,
		map[string]dbus.Variant{"category": dbus.MakeVariant("im.received"), "desktop-entry": dbus.MakeVariant("sotto")}, int32(-1)).Store(&id)
	if err != nil {
		return err
	}
	if x.Tag != "" {
		n.tags[x.Tag] = id
	}
	if len(actions) > 0 {
		n.drop(id)
		n.wait[id] = x.Click
		n.order = append(n.order, id)
		if len(n.order) > mostClicks {
			delete(n.wait, n.order[0])
			n.order = n.order[1:]
		}
	}
	return nil
}

// listen takes clicks until the connection ends.
func (n *notices) listen(signals <-chan *dbus.Signal) {
	defer close(n.done)
	for s := range signals {
		if len(s.Body) < 2 {
			continue
		}
		id, ok := s.Body[0].(uint32)
		if !ok {
			continue
		}
		switch s.Name {
		case noticesName + ".ActionInvoked":
			if click := n.take(id); click != nil {
				go click()
			}
		case noticesName + ".NotificationClosed":
			n.take(id)
		}
	}
}

// withdraw takes the notice with a tag back.
func (n *notices) withdraw(tag string) error {
	n.mu.Lock()
	id, ok := n.tags[tag]
	delete(n.tags, tag)
	n.mu.Unlock()
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), busTime)
	defer cancel()
	return n.conn.Object(noticesName, noticesPath).CallWithContext(ctx, noticesName+".CloseNotification", 0, id).Err
}

// take is the click of a notice that is not shown any more.
func (n *notices) take(id uint32) func() {
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.DeleteFunc(n.tags, func(_ string, x uint32) bool { return x == id })
	return n.drop(id)
}

// drop forgets the click of a notice, and answers it; mu is held.
func (n *notices) drop(id uint32) func() {
	click := n.wait[id]
	delete(n.wait, id)
	n.order = slices.DeleteFunc(n.order, func(x uint32) bool { return x == id })
	return click
}

func (n *notices) close() {
	n.conn.Close()
	<-n.done
}
