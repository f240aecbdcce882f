package app

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/wire"
	"sotto/mimi"
)

// maxReport is how many messages a report holds.
const maxReport = 50

// report makes a text about a person, to be handed by hand to whoever runs their server. It
// is what this device shows, not a proof: of what was read here the signatures are gone
// with the keys that opened it, so an operator has to believe who reports, or not. The
// report says so itself.
func report(c *call, in api.Report) (api.Reported, error) {
	id, err := accountID("account", in.Account)
	if err != nil {
		return api.Reported{}, err
	}
	if len(in.Messages) > maxReport {
		return api.Reported{}, malformed("messages", "a report holds at most %d messages", maxReport)
	}
	handle := c.c.Handle(id)
	parts, err := c.reportedRequests(id, &handle)
	if len(in.Messages) > 0 {
		parts, err = c.reportedMessages(id, in.Messages)
	}
	if err != nil {
		return api.Reported{}, err
	}
	h, err := wire.ParseHandle(handle)
	if err != nil || len(parts) == 0 {
		return api.Reported{}, errNoPerson
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Report about %s\naccount %s\nmade %s\n\n", h, in.Account, stamp(c.app.now().UnixMilli()))
	b.WriteString("This is what one device shows of what this account wrote. It carries no signature of theirs: it is a word, not a proof.\n")
	for i, p := range parts {
		fmt.Fprintf(&b, "\n%d. %s", i+1, p)
	}
	return api.Reported{Text: b.String(), To: h.Host}, nil
}

// reportedRequests are the invitations of a stranger who waits.
func (c *call) reportedRequests(id identity.ID, handle *string) (out []string, err error) {
	list, err := c.c.Requests()
	for _, r := range list {
		if r.Account == id {
			*handle = r.Handle
			out = append(out, fmt.Sprintf("A request that arrived %s\ndevice %s\n%s\n", stamp(r.Arrived), text(r.Device[:]), indent(mimi.Written(r.Text))))
		}
	}
	return out, err
}

func (c *call) reportedMessages(id identity.ID, ids []string) (out []string, err error) {
	for _, x := range ids {
		m, err := messageID("messages", x)
		if err != nil {
			return nil, err
		}
		s, err := c.c.Shown(m)
		if err != nil {
			return nil, err
		}
		if s == nil || s.Account != id {
			return nil, client.ErrGone
		}
		out = append(out, fmt.Sprintf("A message sent %s, arrived %s\nid %s\nroom %s, generation %d, entry %d\ndevice %s\n%s\n    content, base64: %s\n",
			stamp(s.Sent), stamp(s.Arrived), s.ID, text(s.Room[:]), s.Generation, s.Seq, text(s.Device[:]), indent(mimi.Written(s.Text)), base64.StdEncoding.EncodeToString(s.Content)))
	}
	return out, nil
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }
