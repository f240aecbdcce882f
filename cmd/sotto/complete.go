package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"sotto/internal/command"
)

// complete tells a shell what the word under the cursor may go on with. The shells'
// scripts (completion.go) call it at each key; it looks at this program's own table, at
// names in the home, and at nothing else.
type complete struct {
	Shell   string   `arg:"" enum:"bash,zsh,fish,powershell"`
	Words   []string `arg:"" optional:"" help:"What stands before the word, without sotto."`
	Current string   `help:"The word, as far as it is typed."`
	Line    string   `help:"bash: the line up to the cursor, instead."`
}

// candidate is what a word may be.
type candidate struct{ value, help string }

// Two candidates stand for what the shell itself knows.
const (
	anyFile = ":file"
	anyDir  = ":dir"
)

func (o complete) run(ctx context.Context, x *command.IO) int {
	words, current := o.Words, o.Current
	if o.Shell == "bash" {
		words, current = splitLine(o.Line)
	}
	p, err := parser(&table{}, &command.IO{Out: x.Out, Err: x.Err})
	if err != nil {
		return command.Report(x, err)
	}
	c := &completer{ctx: ctx, x: x, node: p.Model.Node}
	for _, w := range words {
		c.take(w)
	}
	for _, k := range c.next(current) {
		fmt.Fprintln(x.Out, written(o.Shell, current, k))
	}
	return command.ExitOK
}

// written is a candidate as a shell's script expects it.
func written(shell, current string, c candidate) string {
	if c.value == anyFile || c.value == anyDir {
		return c.value
	}
	switch shell {
	case "bash": // it completes what stands behind the last of these by itself
		return c.value[strings.LastIndexAny(current, "@:=")+1:]
	case "zsh":
		return strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(c.value) + ":" + c.help
	}
	return c.value + "\t" + c.help
}

// completer walks along the words of a line as kong does.
type completer struct {
	ctx   context.Context
	x     *command.IO
	node  *kong.Node
	place int         // positional arguments of the node that were given
	given []string    // these
	wants *kong.Value // the flag whose value comes next
	plain bool        // after --
	home  string
}

// take takes a word that is complete.
func (c *completer) take(w string) {
	switch {
	case c.wants != nil:
		c.value(c.wants, w)
		c.wants = nil
	case c.plain:
		c.argument(w)
	case w == "--":
		c.plain = true
	case strings.HasPrefix(w, "-") && len(w) > 1:
		name, value, has := strings.Cut(w, "=")
		f := c.flag(name)
		if f == nil || f.IsBool() {
			return
		}
		if has {
			c.value(f.Value, value)
			return
		}
		c.wants = f.Value
	default:
		if child := c.child(w); child != nil {
			c.enter(child)
			return
		}
		c.argument(w)
	}
}

func (c *completer) value(v *kong.Value, w string) {
	switch v.Name {
	case "home":
		c.home = w
	case "passphrase-file":
		c.x.Secret = w
	}
}

func (c *completer) enter(n *kong.Node) { c.node, c.place, c.given = n, 0, nil }

// argument takes a positional argument; of a command that goes on with another by itself,
// that one's.
func (c *completer) argument(w string) {
	if len(c.node.Positional) == 0 && c.node.DefaultCmd != nil {
		c.enter(c.node.DefaultCmd)
	}
	c.place++
	c.given = append(c.given, w)
}

func (c *completer) child(name string) *kong.Node {
	if c.place > 0 {
		return nil
	}
	for _, n := range c.node.Children {
		if n.Name == name || slices.Contains(n.Aliases, name) {
			return n
		}
	}
	return nil
}

// flags are those that fit here: of the command, what it goes on with by itself, and all
// above it.
func (c *completer) flags() (out []*kong.Flag) {
	nodes := []*kong.Node{}
	if c.node.DefaultCmd != nil {
		nodes = append(nodes, c.node.DefaultCmd)
	}
	for n := c.node; n != nil; n = n.Parent {
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		for _, f := range n.Flags {
			if !f.Hidden && !slices.ContainsFunc(out, func(o *kong.Flag) bool { return o.Name == f.Name }) {
				out = append(out, f)
			}
		}
	}
	return out
}

func (c *completer) flag(name string) *kong.Flag {
	for _, f := range c.flags() {
		if name == "--"+f.Name || f.Short != 0 && name == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

// next is what the current word may be.
func (c *completer) next(current string) (out []candidate) {
	if c.wants != nil {
		return c.values(c.wants, "", current)
	}
	if name, value, has := strings.Cut(current, "="); has && strings.HasPrefix(name, "-") && !c.plain {
		if f := c.flag(name); f != nil {
			return c.values(f.Value, name+"=", value)
		}
		return nil
	}
	if strings.HasPrefix(current, "-") && !c.plain {
		for _, f := range c.flags() {
			out = append(out, candidate{"--" + f.Name, f.Help})
		}
		return fitting(out, current)
	}
	if c.place == 0 && !c.plain {
		for _, n := range c.node.Children {
			if !n.Hidden {
				out = append(out, candidate{n.Name, n.Help})
			}
		}
		out = fitting(out, current)
	}
	return append(out, c.positional(current)...)
}

// positional is what the next argument may be.
func (c *completer) positional(current string) []candidate {
	node := c.node
	if len(node.Positional) == 0 && node.DefaultCmd != nil && node.Parent != nil {
		node = node.DefaultCmd
	}
	all := node.Positional
	if len(all) == 0 {
		return nil
	}
	v := all[min(c.place, len(all)-1)]
	if c.place >= len(all) && !v.IsSlice() {
		return nil
	}
	return c.values(v, "", current)
}

// values are what a flag or an argument may be, each behind a prefix.
func (c *completer) values(v *kong.Value, prefix, current string) (out []candidate) {
	add := func(values ...string) {
		for _, s := range values {
			out = append(out, candidate{prefix + s, ""})
		}
	}
	settings, of := command.SettingNames()
	kind := v.Tag.Get("complete")
	switch kind {
	case "":
		add(v.EnumSlice()...)
		if v.Enum == "" {
			out = nil
		}
		if v.Tag.Type == "path" {
			return []candidate{{anyFile, ""}}
		}
	case "file":
		return []candidate{{anyFile, ""}}
	case "dir":
		return []candidate{{anyDir, ""}}
	case "words":
		add(strings.Split(v.Tag.Get("words"), ",")...)
	case "setting":
		add(settings...)
	case "value":
		if len(c.given) > 0 {
			add(of[c.given[0]]...)
		}
	default:
		add(c.names(kind)...)
	}
	return fitting(out, prefix+current)
}

// names are those in the home.
func (c *completer) names(kind string) []string {
	home, err := homeOf(c.home)
	if err != nil {
		return nil
	}
	return command.NamesOf(c.ctx, home, kind, []string{"--home", home, "names", kind}, c.x)
}

// fitting are the candidates that begin with what is typed.
func fitting(list []candidate, typed string) (out []candidate) {
	for _, c := range list {
		if c.value != "" && strings.HasPrefix(c.value, typed) {
			out = append(out, c)
		}
	}
	return out
}

// splitLine splits a line as a shell does, as far as quotes and backslashes go, and leaves
// the command's own name out. The last word is the current one; it may be empty.
func splitLine(line string) (words []string, current string) {
	var word strings.Builder
	var quote rune
	in, escaped := false, false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, in = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, in = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if in {
				words = append(words, word.String())
				word.Reset()
			}
			in = false
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if len(words) == 0 {
		return nil, "" // still in the command's name
	}
	return words[1:], word.String()
}
