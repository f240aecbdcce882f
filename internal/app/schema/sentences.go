package schema

import (
	"fmt"
	"strings"

	"sotto/internal/said"
)

// Sentences is said/en.ts: what sotto says about what happened, in English, as texts of the
// interface. The other languages have the same keys.
func Sentences() string {
	var b strings.Builder
	b.WriteString("// Made by go generate ./internal/app/schema from internal/said: do not change it here.\n\nexport const en = {\n")
	for _, s := range said.Sentences() {
		text := quoted(s.Text)
		if s.One != "" {
			text = fmt.Sprintf("{ one: %s, other: %s }", quoted(s.One), text)
		}
		fmt.Fprintf(&b, "  'said.%s': %s,\n", s.Key, text)
	}
	b.WriteString("} as const;\n")
	return b.String()
}

// quoted is a text as TypeScript has it, with the marks that people write.
func quoted(s string) string {
	var b strings.Builder
	open := true
	for _, r := range s {
		switch {
		case r == '\'':
			b.WriteString("’")
		case r == '"' && open:
			b.WriteString("“")
			open = false
		case r == '"':
			b.WriteString("”")
			open = true
		default:
			b.WriteRune(r)
		}
	}
	return "'" + b.String() + "'"
}
