package main

import (
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	routing "sotto/internal/app/api"
	"sotto/internal/command"
)

// verbs says by which command a person does what a call of the local interface does. Of a
// call without one, the reason stands behind a dash.
var verbs = map[string]string{
	"openSession": "- a window's right; programs of this user need none",
	"state":       "status",
	"events":      "read", // --follow
	"lock":        "lock",
	"unlock":      "unlock",
	"setCustody":  "passphrase",
	"setWindow":   "- what a window shows",
	"violations":  "- what pages of the interface were stopped from",
	"newOpening":  "app",
	"quit":        "quit",

	"linkShown":      "- a window's: the command line answers a link at once",
	"inspectLink":    "inspect",
	"serverInfo":     "account check",
	"nameInfo":       "account check",
	"createAccount":  "account create",
	"linkDevice":     "account link",
	"devices":        "devices list",
	"renameDevice":   "devices rename",
	"unlinkDevice":   "devices unlink",
	"startLinking":   "devices link",
	"linking":        "devices link",
	"confirmLinking": "devices link",
	"cancelLinking":  "devices link", // stopping it
	"recoverAccount": "recover",
	"move":           "move person",
	"moveRoom":       "move room",
	"recovery":       "recovery status",
	"makeWords":      "recovery words",
	"confirmWords":   "recovery words",
	"dropWords":      "recovery words", // stopping it
	"backups":        "backup status",
	"setBackups":     "backup make",
	"makeBackup":     "backup make",
	"backupFile":     "backup make",
	"backupPart":     "- the command line names the file",
	"restoreBackup":  "restore",
	"deleteAccount":  "account delete",
	"startServer":    "server run",
	"stopServer":     "- the server that a terminal runs is stopped there; the app's own, in its window",

	"rooms":        "rooms",
	"createRoom":   "room create",
	"notes":        "note",
	"joinByLink":   "join",
	"room":         "room show",
	"changeRoom":   "room rename", // and room disappear, room picture
	"deleteRoom":   "room delete",
	"markRoom":     "mark",
	"leaveRoom":    "room leave",
	"clearRoom":    "room clear",
	"addMembers":   "room add",
	"removeMember": "room remove",
	"setAdmin":     "room admin",
	"createLink":   "room link",
	"dropLink":     "room unlink",
	"answerKnock":  "room admit", // and room refuse
	"messages":     "read",
	"seen":         "mark",
	"typing":       "- who sends a command does not write for a while",
	"roomPicture":  "room picture",
	"roomWho":      "who",

	"relays": "doctor",

	"send":          "send",
	"message":       "show",
	"edit":          "send", // --edit
	"deleteMessage": "forget",
	"react":         "send", // --react; unreact
	"star":          "star", // and unstar
	"pin":           "pin",  // and unpin
	"forward":       "forward",
	"retry":         "retry",
	"messageWho":    "who",
	"search":        "search",
	"files":         "files",
	"sendFiles":     "send", // --file
	"filePart":      "- the command line names the file",
	"file":          "get",
	"getFile":       "get",
	"changeFile":    "file pause",
	"cancelFile":    "file cancel",

	"people":        "people",
	"findPerson":    "find",
	"person":        "person show",
	"changePerson":  "person name", // person keep, compare, block, unblock
	"personPicture": "person picture",
	"personWho":     "who",
	"requests":      "requests",
	"answerRequest": "accept", // later, block
	"report":        "report",

	"changeProfile": "profile",
	"myLink":        "link",
	"calls":         "calls",
	"pastCalls":     "calls",
	"call":          "calls",
	"endCall":       "calls", // --end
	"startCall":     "- of whoever has sound and picture: a window, or a program by the interface",
	"callMedia":     "- as startCall",
	"answerCall":    "- as startCall",
	"addCandidates": "- as startCall",
	"renewCall":     "- as startCall",
	"callRenewed":   "- as startCall",
	"callMatched":   "- as startCall: the words are compared while one talks",

	"settings":       "settings",
	"changeSettings": "settings",
	"storage":        "storage",
	"export":         "export",
	"notices":        "notices",
	"told":           "notices",
	"qr":             "link",
}

// TestVerbs holds that the command line can do what the interface can.
func TestVerbs(t *testing.T) {
	p, err := parser(&table{}, &command.IO{Out: io.Discard, Err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, leaf := range p.Model.Leaves(true) {
		known[strings.TrimPrefix(leaf.Path(), root(leaf))] = true
	}
	for _, r := range routing.Routes {
		verb, ok := verbs[r.Name]
		switch {
		case !ok:
			t.Errorf("no command does what %s does (%s)", r.Name, r.Summary)
		case !strings.HasPrefix(verb, "- ") && !known[verb]:
			t.Errorf("%s is done by %q, which is no command", r.Name, verb)
		}
	}
	if len(verbs) != len(routing.Routes) {
		t.Errorf("%d calls, and %d of them in the table", len(routing.Routes), len(verbs))
	}
}

// TestHelp holds that every command, argument and option says what it is.
func TestHelp(t *testing.T) {
	p, err := parser(&table{}, &command.IO{Out: io.Discard, Err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	var look func(n *kong.Node)
	look = func(n *kong.Node) {
		if n.Hidden {
			return
		}
		if n.Help == "" {
			t.Errorf("%s says nothing", n.Path())
		}
		for _, v := range n.Positional {
			if v.Help == "" {
				t.Errorf("%s: %s says nothing", n.Path(), v.Name)
			}
		}
		for _, f := range n.Flags {
			if f.Help == "" {
				t.Errorf("%s: --%s says nothing", n.Path(), f.Name)
			}
		}
		for _, c := range n.Children {
			look(c)
		}
	}
	look(p.Model.Node)
}

func TestRoff(t *testing.T) {
	for in, want := range map[string]string{
		"plain":          "plain",
		".TH not":        `\&.TH not`,
		"'quoted'":       `\&'quoted\(aq`,
		"a\n.b":          "a\n\\&.b",
		`back\slash`:     `back\eslash`,
		"--flag=x":       `\-\-flag=x`,
		"…":              `\[u2026]`,
		"say \"so\"\x1b": `say \(dqso\(dq `,
	} {
		if got := text(in); got != want {
			t.Errorf("text(%q) = %q, not %q", in, got, want)
		}
	}
}

func TestSplitLine(t *testing.T) {
	for _, c := range []struct{ line, words, current string }{
		{"sotto ", "", ""},
		{"sot", "", ""},
		{"sotto sen", "", "sen"},
		{"sotto send bo@host:7 ", "send|bo@host:7", ""},
		{`sotto send 'Long Boat' "a b" c\ d`, "send|Long Boat|a b", "c d"},
		{`sotto send 'Long Bo`, "send", "Long Bo"},
		{`sotto send ''  x`, "send|", "x"},
	} {
		words, current := splitLine(c.line)
		if got := strings.Join(words, "|"); got != c.words || current != c.current {
			t.Errorf("splitLine(%q) = %q, %q", c.line, got, current)
		}
	}
}
