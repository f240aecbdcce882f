//go:build linux

package netlab

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Person is somebody with a device on a network of some kind.
type Person struct {
	l     *Lab
	name  string
	kind  kind
	ns    string
	dir   string
	voice string   // the file that they say
	waits *process // for calls, and holds the home
	made  int      // calls
}

// add makes a person at a network of a kind.
func (l *Lab) add(name string, k kind) (*Person, error) {
	p := &Person{l: l, name: name, kind: k, ns: name, dir: filepath.Join(l.dir, name)}
	l.people = append(l.people, p)
	n := len(l.people)
	outer4, outer6 := fmt.Sprintf("31.0.1.%d", n), fmt.Sprintf("2a00:5::1:%d", n)
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return nil, err
	}
	if k.v6only {
		return p, l.plug(p.ns, "eth0", "", outer6)
	}
	if k.rules == nil {
		return p, l.plug(p.ns, "eth0", outer4, outer6)
	}
	router, inner := "r-"+name, fmt.Sprintf("192.168.%d.2", n)
	if err := l.plug(router, "pub", outer4, ""); err != nil {
		return nil, err
	}
	if err := ip("", "netns add "+p.ns); err != nil {
		return nil, err
	}
	if err := ip(router, "link add in type veth peer name eth0 netns "+p.ns, fmt.Sprintf("addr add 192.168.%d.1/24 dev in", n), "link set in up"); err != nil {
		return nil, err
	}
	if err := ip(p.ns, "link set lo up", "addr add "+inner+"/24 dev eth0", "link set eth0 up", fmt.Sprintf("route add default via 192.168.%d.1", n)); err != nil {
		return nil, err
	}
	if err := sysctl(router, "ipv4/ip_forward", "1"); err != nil {
		return nil, err
	}
	return p, nft(router, k.rules(inner))
}

// handle is the person's.
func (p *Person) handle() string { return p.name + "@" + home }

// args are the arguments of a command on the person's device.
func (p *Person) args(args ...string) []string {
	return append([]string{"--home", filepath.Join(p.dir, "home"), "--json", "--timeout", "60s"}, args...)
}

// do runs a command to its end.
func (p *Person) do(args ...string) error {
	c, err := p.l.start(p.ns, p.args(args...)...)
	if err != nil {
		return err
	}
	return c.end()
}

// joins makes the person's account and their voice, and waits for calls.
func (p *Person) joins(seconds int, answering ...string) (err error) {
	if err := p.do("account", "create", p.handle()); err != nil {
		return err
	}
	p.voice = filepath.Join(p.dir, "voice.ogg")
	if err := writeVoice(p.voice, p.name, 50*seconds); err != nil {
		return err
	}
	args := append([]string{"call", "--answer", "-v", "--play", p.voice, "--record", filepath.Join(p.dir, "heard.ogg")}, answering...)
	if p.waits, err = p.l.start(p.ns, p.args(args...)...); err != nil {
		return err
	}
	_, err = p.waits.wants(news("waiting"))
	return err
}

// meets lets two people accept each other.
func (p *Person) meets(o *Person) error {
	if err := p.do("send", o.handle(), "hello"); err != nil {
		return err
	}
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := o.do("accept", p.handle())
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

// calls begins a call. What is heard goes into a file of the person's.
func (p *Person) calls(o *Person, more ...string) (c *process, heard string, err error) {
	p.made++
	heard = filepath.Join(p.dir, fmt.Sprintf("of-%s.%d.ogg", o.name, p.made))
	c, err = p.l.start(p.ns, p.args(append([]string{"call", o.handle(), "-v", "--play", p.voice, "--record", heard}, more...)...)...)
	return c, heard, err
}
