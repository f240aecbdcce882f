package app

import (
	"strings"

	"sotto/internal/app/api"
	"sotto/internal/explain"
	"sotto/internal/wire"
)

var linkKinds = map[wire.LinkKind]api.LinkKind{wire.LinkAccount: api.LinkAccount, wire.LinkContact: api.LinkContact, wire.LinkRoom: api.LinkRoom}

// inspectLink reads a link. Nobody is asked, so nothing is spent and nobody learns of it.
func inspectLink(c *call, in api.InspectLink) (api.LinkInfo, error) {
	l, err := wire.ParseLink(in.Link)
	if err != nil {
		return api.LinkInfo{}, err
	}
	out := api.LinkInfo{Kind: linkKinds[l.Kind], Host: l.Host, Handle: l.Handle, Name: clean(l.Name), Title: clean(l.Title), Until: int64(l.Until), Approve: l.Approve}
	if l.Account != (wire.Hash{}) {
		out.Account = text(l.Account[:])
	}
	out.Over = l.Until != 0 && int64(l.Until) <= c.app.now().UnixMilli()
	return out, nil
}

// linkShown forgets the link that sotto was opened with.
func linkShown(c *call) error {
	c.app.spent("")
	return nil
}

func serverInfo(c *call, q api.ServerQuery) (api.ServerInfo, error) {
	host, err := wire.ParseHost(strings.TrimSpace(q.Host))
	if err != nil {
		return api.ServerInfo{}, err
	}
	info, err := c.c.ServerInfo(c.ctx, host)
	return api.ServerInfo{Host: host, Open: info.Open}, err
}

func nameInfo(c *call, q api.NameQuery) (api.NameInfo, error) {
	out := api.NameInfo{Handle: strings.TrimSpace(q.Handle)}
	if h, err := wire.ParseHandle(out.Handle); err == nil {
		out.Handle = h.String()
	}
	var err error
	out.Free, out.Text, err = c.c.NameFree(c.ctx, q.Handle)
	return out, err
}

// invitationCode is the right to register in what a person was given: a link, or a code
// by itself.
func (c *call) invitationCode(invitation, handle string) (string, error) {
	if !wire.IsLink(invitation) {
		return strings.TrimSpace(invitation), nil
	}
	l, err := wire.ParseLink(invitation)
	if err != nil {
		return "", err
	}
	if h, err := wire.ParseHandle(handle); err == nil && h.Host != l.Host {
		return "", explain.Refuse("invitation needed", "this invitation is for %s: choose a name there", l.Host)
	}
	return l.Code, c.openServer(l.Host, l.Pin)
}

// openServer notes that the person opened a link to a server by hand, or runs it.
func (c *call) openServer(host string, pin wire.Hash) error { return c.c.OpenServer(host, pin) }

// openLink notes that the person opened a link by hand; what is none is told by who needs it.
func (c *call) openLink(link string) error {
	l, err := wire.ParseLink(link)
	if err != nil {
		return nil
	}
	return c.openServer(l.Host, l.Pin)
}
