package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"sotto/internal/command"
)

// man writes the manual pages. They are made from the table of commands, as the help is.
type man struct {
	Dir string `required:"" type:"path" help:"The directory that they are written to; it is made." placeholder:"DIR" complete:"dir"`
}

func (o man) run(x *command.IO) error {
	p, err := parser(&table{}, x)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return err
	}
	for name, page := range pages(p.Model) {
		err = errors.Join(err, os.WriteFile(filepath.Join(o.Dir, name), []byte(page), 0o644))
	}
	if err == nil && !x.JSON {
		_, err = fmt.Fprintf(x.Out, "man -l %s\n", filepath.Join(o.Dir, "sotto.1"))
	}
	return err
}

// pages are all manual pages by their file names: one of the program and one of each
// command, with the commands below it.
func pages(app *kong.Application) map[string]string {
	out := map[string]string{"sotto.1": topPage(app)}
	for _, n := range app.Children {
		if !n.Hidden {
			out["sotto-"+n.Name+".1"] = commandPage(n)
		}
	}
	return out
}

// roff is a page being written. See groff_man(7).
type roff struct{ strings.Builder }

// text escapes text for roff: the backslash, which begins its requests in a line, a dot or
// a quote at the beginning of one, hyphens that have to stay what is typed, and what is
// not ASCII.
func text(s string) string {
	var b strings.Builder
	start := true
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '"':
			b.WriteString(`\(dq`)
		case r == '\'' && start, r == '.' && start:
			b.WriteString(`\&` + string(r))
		case r == '\'':
			b.WriteString(`\(aq`)
		case r == '`', r == '^', r == '~':
			b.WriteString(map[rune]string{'`': `\(ga`, '^': `\(ha`, '~': `\(ti`}[r])
		case r == '\n':
			b.WriteRune(r)
			start = true
			continue
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		case r > 0x7e:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
		start = false
	}
	return b.String()
}

func (r *roff) head(name, about string) {
	fmt.Fprintf(r, ".TH %s 1 \"\" sotto \"User Commands\"\n.SH NAME\n%s \\- %s\n", strings.ToUpper(text(name)), text(name), text(strings.TrimSuffix(lower(about), ".")))
}

func (r *roff) section(title string) { fmt.Fprintf(r, ".SH %s\n", title) }

// term is an entry of a list: bold, with what it takes in italics.
func (r *roff) term(bold, italic, help string) {
	fmt.Fprintf(r, ".TP\n\\fB%s\\fR", text(bold))
	if italic != "" {
		fmt.Fprintf(r, "\\fI%s\\fR", text(italic))
	}
	fmt.Fprintf(r, "\n%s\n", text(help))
}

func (r *roff) synopsis(n *kong.Node) {
	fmt.Fprintf(r, ".PP\n\\fBsotto %s\\fR", text(strings.TrimPrefix(n.Path(), root(n))))
	for _, f := range n.Flags {
		if f.Required {
			fmt.Fprintf(r, " \\fB%s\\fR=\\fI%s\\fR", text("--"+f.Name), text(f.FormatPlaceHolder()))
		}
	}
	if hasOwn(n) {
		r.WriteString(` [\fIoptions\fR]`)
	}
	for _, a := range n.Positional {
		name := strings.ToUpper(a.Name)
		if a.IsSlice() {
			name += " ..."
		}
		if !a.Required {
			name = "[" + name + "]"
		}
		fmt.Fprintf(r, " \\fI%s\\fR", text(name))
	}
	r.WriteByte('\n')
}

// root is the program's name and a space, with which paths begin.
func root(n *kong.Node) string {
	for n.Parent != nil {
		n = n.Parent
	}
	return n.Name + " "
}

func hasOwn(n *kong.Node) bool {
	for _, f := range n.Flags {
		if !f.Hidden && !f.Required && f.Name != "help" {
			return true
		}
	}
	return false
}

// values are a command's arguments and options.
func (r *roff) values(n *kong.Node) {
	for _, a := range n.Positional {
		if a.Help != "" {
			r.term("", strings.ToUpper(a.Name), a.Help+choices(a))
		}
	}
	for _, f := range n.Flags {
		if f.Hidden || f.Name == "help" && n.Parent != nil {
			continue
		}
		name, value := "--"+f.Name, ""
		if f.Short != 0 {
			name = "-" + string(f.Short) + ", " + name
		}
		if !f.IsBool() {
			name += "="
			value = f.FormatPlaceHolder()
		}
		help := f.Help + choices(f.Value)
		for _, env := range f.Envs {
			help += " Also from the environment: " + env + "."
		}
		r.term(name, value, help)
	}
}

// choices are the values that one takes, where the help does not tell.
func choices(v *kong.Value) string {
	if v.Enum == "" || strings.Contains(v.Help, v.EnumSlice()[0]) {
		return ""
	}
	return " One of " + strings.Join(v.EnumSlice(), ", ") + "."
}

// lower is a help text as it goes on in a line: its first letter small, unless it is a name.
func lower(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

func topPage(app *kong.Application) string {
	r := &roff{}
	first, rest, _ := strings.Cut(app.Help, "\n")
	r.head("sotto", first)
	r.section("SYNOPSIS")
	r.WriteString("\\fBsotto\\fR [\\fIoptions\\fR] \\fICOMMAND\\fR ...\n")
	r.section("DESCRIPTION")
	fmt.Fprintf(r, "%s\n", text(first))
	for _, g := range groups(app) {
		r.section(strings.ToUpper(text(g.title)))
		for _, n := range g.nodes {
			r.term("sotto-"+n.Name+"(1)", "", n.Help)
		}
	}
	r.section("OPTIONS")
	r.values(app.Node)
	r.section("EXIT STATUS")
	_, codes, _ := strings.Cut(strings.TrimSpace(rest), ": ")
	for _, c := range strings.Split(strings.TrimSuffix(codes, "."), "; ") {
		code, what, _ := strings.Cut(c, " ")
		r.term(code, "", what+".")
	}
	r.section("FILES")
	r.term("~/.config/sotto", "", "A device, unless --home names another directory. See docs/command-line.md for what lies in it.")
	return r.String()
}

type group struct {
	title string
	nodes []*kong.Node
}

// groups are the commands as the help groups them.
func groups(app *kong.Application) (out []group) {
	for _, n := range app.Children {
		if n.Hidden {
			continue
		}
		title := "Commands"
		if n.Group != nil {
			title = n.Group.Title
		}
		if len(out) == 0 || out[len(out)-1].title != title {
			out = append(out, group{title: title})
		}
		out[len(out)-1].nodes = append(out[len(out)-1].nodes, n)
	}
	return out
}

func commandPage(n *kong.Node) string {
	r := &roff{}
	r.head("sotto-"+n.Name, n.Help)
	r.section("SYNOPSIS")
	parts := n.Leaves(true)
	for _, leaf := range parts {
		r.synopsis(leaf)
	}
	r.section("DESCRIPTION")
	fmt.Fprintf(r, "%s\n", text(n.Help))
	if len(n.Children) == 0 {
		r.values(n)
	} else {
		if hasOwn(n) {
			r.section("OPTIONS OF ALL")
			r.values(n)
		}
		r.section("COMMANDS")
		for _, leaf := range parts {
			fmt.Fprintf(r, ".SS %s\n%s\n", text(strings.TrimPrefix(leaf.Path(), root(leaf))), text(leaf.Help))
			r.values(leaf)
		}
	}
	r.section("SEE ALSO")
	r.WriteString("\\fBsotto\\fR(1), which has the options of all commands and the exit status.\n")
	return r.String()
}
