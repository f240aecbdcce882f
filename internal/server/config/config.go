// Package config is a home server's one configuration file: its fields, what each is
// for, and what it is when nobody says. The command line loads it; a running server
// takes Limits from it again on SIGHUP.
package config

import (
	"net/netip"
	"net/url"

	"sotto/internal/wire"
)

// Config is the file. The tags hold the file's own words: Print writes them.
type Config struct {
	Host           string   `toml:"host" doc:"The host part of this server's handles: ana@HOST. A name, or an address; with the port if it is not 443. Empty: the domain, or the address it listens on."`
	Data           string   `toml:"data" doc:"The data directory. One server at a time opens it. Everything the server keeps stands in it."`
	Listen         string   `toml:"listen" doc:"Where to listen. Without certificates only a loopback address is taken."`
	Domain         string   `toml:"domain" doc:"Get certificates by ACME (Let's Encrypt) for this name. The server must be reachable at port 443 under it."`
	ACME           string   `toml:"acme" doc:"Another authority that gives such certificates: the address of its directory, https://. Devices must trust it as they trust any other. Empty: Let's Encrypt."`
	CertFile       string   `toml:"cert-file" doc:"Or take certificates from files (PEM), read again when they change."`
	KeyFile        string   `toml:"key-file"`
	SelfSigned     bool     `toml:"self-signed" doc:"Or make a certificate of its own, for a server on your own network: for an address, a name in .local, or a name without a dot. Devices know the server by its key, which invitation links carry, and which stands in the data directory."`
	BehindProxy    bool     `toml:"behind-proxy" doc:"A proxy in front of the server does TLS. Listen on loopback, or name the proxies below."`
	ProxyHeader    string   `toml:"proxy-header" doc:"The header in which that proxy writes its client's address. The last address in it counts. Empty: none does."`
	Proxies        []string `toml:"proxies" doc:"The proxies' addresses. The header of anybody else is ignored."`
	Open           bool     "toml:\"open\" doc:\"Let anybody register. Otherwise a new account needs a code from `sotto server invite`. Read again on SIGHUP.\""
	Programs       bool     `toml:"programs" doc:"Offer this program itself on the invitation page, for the system that it runs on."`
	ProgramsDir    string   `toml:"programs-dir" doc:"Offer there also the files of this directory that are named sotto-GOOS-GOARCH, for Windows with .exe at the end. Empty: none."`
	RelayPort      string   `toml:"relay-port" doc:"Where calls are helped over UDP and TCP (STUN and TURN). \"auto\": 3478, or one that the system chooses if that is taken. A number: that one. \"off\": calls are not helped. Open it in the firewall, for UDP and TCP."`
	RelayPorts     string   `toml:"relay-ports" doc:"The UDP ports at which relayed calls arrive. Open them in the firewall."`
	RelayAddresses []string `toml:"relay-addresses" doc:"The addresses under which the world reaches those ports, one IPv4 and one IPv6 at most. Empty: those of the host. Say them if the server stands behind a NAT under another name."`
	RelayPeers     []string `toml:"relay-peers" doc:"Networks to which calls may be relayed although they are not public, such as 10.0.0.0/8. Whoever has an account reaches every UDP service there."`
	Objects        Objects  `toml:"objects" doc:"Keep whole files in a store for objects that speaks S3, instead of the data directory. They go there by and by; what comes in pieces lies in the data directory until it is whole."`
	Limits         Limits   `toml:"limits" doc:"What one account, one address and all together may use. An address is an IPv4 address or an IPv6 /64. Read again on SIGHUP."`
}

// Objects name a store for objects.
type Objects struct {
	Endpoint      string `toml:"endpoint" doc:"Its host, with a port if it is not 443. Empty: there is none."`
	Bucket        string `toml:"bucket" doc:"The bucket, which has to be there."`
	Prefix        string `toml:"prefix" doc:"What the names of objects begin with, for a bucket with other things in it."`
	Region        string `toml:"region" doc:"The region, where the store has such."`
	AccessKey     string `toml:"access-key" doc:"Who asks."`
	SecretKeyFile string `toml:"secret-key-file" doc:"The file whose first line is the secret of that."`
	Plain         bool   `toml:"plain" doc:"Talk to it without TLS. What it gets is encrypted; who asks for what can be seen on the way."`
}

// Limits are what one account, one address and all together may use.
type Limits struct {
	LogsPerDay                    uint64 `toml:"logs-per-day" doc:"Logs that one account may create in a day."`
	BlobBytesPerDay               uint64 `toml:"blob-bytes-per-day" doc:"Bytes of blobs that one account may put in a day."`
	BlobBytesKept                 uint64 `toml:"blob-bytes-kept" doc:"Bytes of blobs that one account may have standing. One that is erased early counts until the day that it was to end: the server does not note whose it is."`
	FileBytes                     uint64 `toml:"file-bytes" doc:"Bytes of one file, encrypted and padded: up to 12 percent more than it holds."`
	UploadsAtOnce                 uint64 `toml:"uploads-at-once" doc:"Files that one account may have begun to put and not ended."`
	BlobBytes                     uint64 `toml:"blob-bytes" doc:"Bytes of all blobs together."`
	Connections                   uint64 `toml:"connections" doc:"WebSocket connections of all addresses together."`
	ConnectionsPerAddress         uint64 `toml:"connections-per-address" doc:"WebSocket connections of one address at a time."`
	ConnectsPerMinute             uint64 `toml:"connects-per-minute" doc:"New WebSocket connections of one address."`
	LookupsPerMinute              uint64 `toml:"lookups-per-minute" doc:"Directory lookups from one address."`
	ClaimsPerMinute               uint64 `toml:"claims-per-minute" doc:"Claims of key packages from one address."`
	ClaimsPerTargetHour           uint64 `toml:"claims-per-target-hour" doc:"Claims of one account's key packages in an hour, by everybody. Faster ones get the last-resort package."`
	PutsPerMinute                 uint64 `toml:"puts-per-minute" doc:"Invitations put into inboxes from one address."`
	RegistrationsPerHour          uint64 `toml:"registrations-per-hour" doc:"Registrations, tried or done, from one address."`
	FailedAuthsPerMinute          uint64 `toml:"failed-auths-per-minute" doc:"Failed authentications from one address."`
	BlobRequestsPerMinute         uint64 `toml:"blob-requests-per-minute" doc:"Blob requests from one address."`
	ProgramsPerHour               uint64 `toml:"programs-per-hour" doc:"Downloads of programs from one address."`
	Meetings                      uint64 `toml:"meetings" doc:"Meetings of devices that are being linked, of all accounts together. Each lasts two minutes at most."`
	VisitsPerMinute               uint64 `toml:"visits-per-minute" doc:"Visits to such meetings from one address, tried or done."`
	RelayRequestsPerMinute        uint64 `toml:"relay-requests-per-minute" doc:"Requests to the relay from one address that has nothing relayed."`
	RelayAllocations              uint64 `toml:"relay-allocations" doc:"Relayed addresses of all accounts together. A call uses one or two of each person; while it is set up, ten."`
	RelayAllocationsPerAccount    uint64 `toml:"relay-allocations-per-account" doc:"Relayed addresses of one account at a time."`
	RelayBytesPerSecond           uint64 `toml:"relay-bytes-per-second" doc:"Bytes relayed in a second, of all accounts together."`
	RelayBytesPerSecondPerAccount uint64 `toml:"relay-bytes-per-second-per-account" doc:"Bytes relayed in a second, of one account. Good video with a shared screen takes 1,000,000."`
	RelayBytesPerDayPerAccount    uint64 `toml:"relay-bytes-per-day-per-account" doc:"Bytes relayed in a day, of one account."`
	OperationsPerSecond           uint64 `toml:"operations-per-second" doc:"Operations of one connection."`
	PeopleInviteOpen              uint64 `toml:"people-invite-open" zero:"off" doc:"Invitation codes that one person may have open: made for others, and not used yet. 0: people make none, only the operator does."`
	PeopleInvitePerWeek           uint64 `toml:"people-invite-per-week" zero:"off" doc:"Invitation codes that one person may make in a week. 0: none."`
	StagingBytes                  uint64 `toml:"staging-bytes" doc:"Memory for entries that arrive in parts, of all connections together."`
	QueueBytesPerConnection       uint64 `toml:"queue-bytes-per-connection" doc:"A connection that leaves more than this unread is fed no entries until it reads."`
}

// Default is the configuration when nobody says otherwise.
func Default() Config {
	return Config{
		Data:           "sotto-server",
		Listen:         ":443",
		Programs:       true,
		ProxyHeader:    "X-Forwarded-For",
		Proxies:        []string{"127.0.0.0/8", "::1/128"},
		RelayPort:      "auto",
		RelayPorts:     "49152-65535",
		RelayAddresses: []string{},
		RelayPeers:     []string{},
		Limits: Limits{
			LogsPerDay:                    500,
			BlobBytesPerDay:               10 << 30,
			BlobBytesKept:                 20 << 30,
			FileBytes:                     5 << 30,
			UploadsAtOnce:                 64,
			BlobBytes:                     100 << 30,
			Connections:                   100_000,
			ConnectionsPerAddress:         500,
			ConnectsPerMinute:             240,
			LookupsPerMinute:              240,
			ClaimsPerMinute:               60,
			ClaimsPerTargetHour:           60,
			PutsPerMinute:                 120,
			RegistrationsPerHour:          30,
			FailedAuthsPerMinute:          20,
			BlobRequestsPerMinute:         12_000,
			ProgramsPerHour:               30,
			Meetings:                      1000,
			VisitsPerMinute:               10,
			OperationsPerSecond:           20_000,
			RelayRequestsPerMinute:        1200,
			RelayAllocations:              10_000,
			RelayAllocationsPerAccount:    64,
			RelayBytesPerSecond:           100_000_000,
			RelayBytesPerSecondPerAccount: 2_500_000,
			RelayBytesPerDayPerAccount:    20 << 30,
			PeopleInviteOpen:              5,
			PeopleInvitePerWeek:           20,
			StagingBytes:                  256 << 20,
			QueueBytesPerConnection:       1 << 20,
		},
	}
}

// field is one setting of a checked file and what is wrong with it, if anything.
type fault struct{ section, key, sentence string }

// faults checks what the syntax cannot say.
func (c *Config) faults() (out []fault) {
	add := func(key, sentence string) { out = append(out, fault{"", key, sentence}) }
	if c.Host != "" {
		if h, err := wire.ParseHost(c.Host); err != nil || h != c.Host {
			add("host", "write a name or an address in lower case, and a port only if it is not 443")
		}
	}
	if c.Data == "" {
		add("data", "the server needs a data directory")
	}
	if c.Domain != "" {
		if h, err := wire.ParseHost(c.Domain); err != nil || h != c.Domain {
			add("domain", "write a domain name without a port")
		}
	}
	if u, err := url.Parse(c.ACME); c.ACME != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		add("acme", "write the address of a directory, https://")
	}
	if c.ACME != "" && c.Domain == "" {
		add("acme", "say with domain for which name it gives certificates")
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		add("cert-file", "cert-file and key-file come together")
	}
	if c.CertFile != "" && c.Domain != "" {
		add("domain", "choose between ACME (domain) and certificate files")
	}
	if c.SelfSigned && (c.CertFile != "" || c.Domain != "") {
		add("self-signed", "a certificate of its own is for a server that has no other")
	}
	if c.SelfSigned && (c.Host == "" || !wire.SelfVouched(c.Host)) {
		add("self-signed", "say with host under which address of this computer, name in .local or name without a dot people on your network reach it")
	}
	if c.BehindProxy && (c.CertFile != "" || c.Domain != "" || c.SelfSigned) {
		add("behind-proxy", "a server behind a proxy leaves certificates to the proxy")
	}
	if _, err := c.ProxyPrefixes(); err != nil {
		add("proxies", err.Error())
	}
	if o := c.Objects; o != (Objects{}) {
		for _, x := range [][2]string{{"endpoint", o.Endpoint}, {"bucket", o.Bucket}, {"access-key", o.AccessKey}, {"secret-key-file", o.SecretKeyFile}} {
			if x[1] == "" {
				out = append(out, fault{"objects", x[0], "a store for objects needs this"})
			}
		}
	}
	for _, x := range []struct {
		key string
		err error
	}{
		{"relay-port", second(c.RelayAt())}, {"relay-ports", second(c.RelayRange())},
		{"relay-addresses", second(c.RelayOutside())}, {"relay-peers", second(c.RelayReach())},
	} {
		if x.err != nil {
			add(x.key, x.err.Error())
		}
	}
	out = append(out, c.Limits.faults()...)
	return out
}

// ProxyPrefixes are the proxies' addresses, parsed.
func (c *Config) ProxyPrefixes() ([]netip.Prefix, error) { return parsePrefixes(c.Proxies) }

func parsePrefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, err2 := netip.ParseAddr(s)
			if err2 != nil {
				return nil, err
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p)
	}
	return out, nil
}
