//go:build linux

package netlab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The open network: one Ethernet with both families. Its addresses are such as the world has,
// since a relay refuses all others.
const (
	home     = "home.example" // the home server
	home4    = "31.0.0.1"
	home6    = "2a00:5::1"
	gateway4 = "31.0.255.254" // to links that are made of tunnels
)

// Lab is a network with a home server.
type Lab struct {
	binary string
	dir    string
	server *process
	n      int // of the last interface on the open network
	starts chan func()
	people []*Person
}

// newLab builds the network and starts the server. It has to run where netns.Enter led.
func newLab(binary, dir string) (*Lab, error) {
	l := &Lab{binary: binary, dir: dir, starts: make(chan func())}
	go func() {
		// Processes are killed when the thread that started them ends: it is this one, and never
		// unlocked, so that they outlive all others, and not the laboratory.
		runtime.LockOSThread()
		for start := range l.starts {
			start()
		}
	}()
	if err := l.wire(); err != nil {
		return nil, err
	}
	if err := l.certify(); err != nil {
		return nil, err
	}
	return l, l.serve()
}

// run runs a program to its end.
func run(stdin, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s\n%s", name, strings.Join(args, " "), err, out, stdin)
	}
	return nil
}

// ip runs commands of ip, in a namespace or, without a name, in the laboratory's own.
func ip(ns string, commands ...string) error {
	args := []string{"-batch", "-"}
	if ns != "" {
		args = append([]string{"-n", ns}, args...)
	}
	return run(strings.Join(commands, "\n")+"\n", "ip", args...)
}

// nft sets the rules of a router.
func nft(ns, rules string) error { return run(rules, "ip", "netns", "exec", ns, "nft", "-f", "-") }

// sysctl sets something of a namespace's network.
func sysctl(ns, name, value string) error {
	command := fmt.Sprintf("echo %s > /proc/sys/net/%s", value, name)
	if ns == "" {
		return run("", "sh", "-c", command)
	}
	return run("", "ip", "netns", "exec", ns, "sh", "-c", command)
}

// wire makes the open network with the server's machine on it.
func (l *Lab) wire() error {
	for _, mount := range []func() error{
		func() error { return unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") },
		func() error { return os.MkdirAll("/run/netns", 0o755) },
		func() error { return unix.Mount("netlab", "/run/netns", "tmpfs", 0, "") },
		func() error {
			hosts := filepath.Join(l.dir, "hosts")
			if err := os.WriteFile(hosts, []byte("127.0.0.1 localhost\n"+home4+" "+home+"\n"+home6+" "+home+"\n"), 0o644); err != nil {
				return err
			}
			return unix.Mount(hosts, "/etc/hosts", "", unix.MS_BIND, "") // undone by close
		},
	} {
		if err := mount(); err != nil {
			return fmt.Errorf("a place for the namespaces: %w", err)
		}
	}
	if err := ip("", "link set lo up", "link add net type bridge", "link set net up", "addr add "+gateway4+"/16 dev net"); err != nil {
		return err
	}
	if err := sysctl("", "ipv4/ip_forward", "1"); err != nil {
		return err
	}
	if err := l.plug("home", "eth0", home4, home6); err != nil {
		return err
	}
	return nil
}

// plug puts a namespace, which it makes if need be, on the open network by an interface.
func (l *Lab) plug(ns, iface, addr4, addr6 string) error {
	if _, err := os.Stat("/run/netns/" + ns); err != nil {
		if err := ip("", "netns add "+ns); err != nil {
			return err
		}
	}
	l.n++
	port := fmt.Sprintf("port%d", l.n)
	if err := ip("", fmt.Sprintf("link add %s type veth peer name %s netns %s", port, iface, ns), "link set "+port+" master net up"); err != nil {
		return err
	}
	commands := []string{"link set lo up", "link set " + iface + " up"}
	if addr4 != "" {
		commands = append(commands, "addr add "+addr4+"/16 dev "+iface, "route replace default via "+gateway4)
	}
	if addr6 != "" {
		commands = append(commands, "addr add "+addr6+"/64 dev "+iface+" nodad")
	}
	return ip(ns, commands...)
}

// certify makes the server's certificate, which everybody in the laboratory trusts.
func (l *Lab) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: home}, DNSNames: []string{home}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(l.dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
}

// unlimited raises what a server allows one address.
const unlimited = "[limits]\nconnects-per-minute = 1000000\nlookups-per-minute = 1000000\nclaims-per-minute = 1000000\n" +
	"claims-per-target-hour = 1000000\nputs-per-minute = 1000000\nregistrations-per-hour = 1000000\nvisits-per-minute = 1000000\n" +
	"relay-requests-per-minute = 1000000\n"

// serve starts the server and waits until it serves.
func (l *Lab) serve() error {
	config := filepath.Join(l.dir, "server.toml")
	if err := os.WriteFile(config, []byte(unlimited), 0o600); err != nil {
		return err
	}
	var err error
	if l.server, err = l.start("home", "--json", "server", "--data", filepath.Join(l.dir, "server"), "--config", config, "--listen", ":443",
		"--host", home, "--tls-cert", filepath.Join(l.dir, "cert.pem"), "--tls-key", filepath.Join(l.dir, "key.pem"), "--open"); err != nil {
		return err
	}
	_, err = l.server.wants(func(object) bool { return true })
	return err
}

// close ends everything.
func (l *Lab) close() {
	for _, p := range l.people {
		if p.waits != nil {
			p.waits.stop()
		}
	}
	if l.server != nil {
		l.server.stop()
	}
	close(l.starts)
	// The namespaces go with what is mounted for them, and what is in them with the namespaces.
	for n := range l.n {
		_ = run("", "ip", "link", "del", fmt.Sprintf("port%d", n+1)) // it may be gone with its other end
	}
	_ = run("", "ip", "link", "del", "net")
	_ = unix.Unmount("/etc/hosts", unix.MNT_DETACH)
	_ = unix.Unmount("/run/netns", unix.MNT_DETACH)
}
