package schema

import (
	"fmt"
	"reflect"
	"strings"

	"sotto/internal/app/api"
)

const made = "// Made by go generate ./internal/app/schema from internal/app/api: do not change it here.\n"

// Types is types.ts: every noun as an interface or a union of texts.
func Types(dir string) (string, error) {
	m, err := read(dir)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(made)
	for _, n := range m.sorted() {
		b.WriteString("\n" + comment("", n.words))
		switch {
		case n.values != nil:
			fmt.Fprintf(&b, "export type %s = '%s'\n", n.name, strings.Join(n.values, "' | '"))
			continue
		case n.base != "":
			fmt.Fprintf(&b, "export interface %s extends %s {\n", n.name, n.base)
		default:
			fmt.Fprintf(&b, "export interface %s {\n", n.name)
		}
		for _, f := range n.fields {
			mark := ""
			if f.optional {
				mark = "?"
			}
			b.WriteString(comment("  ", f.words))
			fmt.Fprintf(&b, "  %s%s: %s\n", f.name, mark, script(f.typ))
		}
		b.WriteString("}\n")
	}
	return b.String(), nil
}

func comment(indent, words string) string {
	if words == "" {
		return ""
	}
	return indent + "/** " + strings.ReplaceAll(words, "*/", "* /") + " */\n"
}

// script is a type in TypeScript.
func script(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return script(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "string" // base64
		}
		return script(t.Elem()) + "[]"
	case reflect.Map:
		return "Record<string, " + script(t.Elem()) + ">"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "number"
	}
	if t.PkgPath() != "" {
		return t.Name()
	}
	return "string"
}

const callsHead = `import { request } from './request'
%s
/**
 * request is given the path under /api/v1, for example '/rooms'. Beside the cookie every
 * request carries the header Sotto-Key: the key that openSession answers, which is kept in
 * localStorage (storage is apart for each port of this computer, cookies are not), or
 * "none" before there is one. GET /events carries it too: read it with fetch.
 */
export const keyHeader = 'Sotto-Key'
export const keyName = 'sotto-key'
export const key = (): string => localStorage.getItem(keyName) ?? 'none'

const values = (query: object, first: Record<string, string> = {}): URLSearchParams => {
  const values = new URLSearchParams(first)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) values.set(name, String(value))
  }
  return values
}

/** The address of something that an element loads by itself: a picture, a download. */
export const address = (path: string, query: object = {}): string =>
  ` + "`/api/v1${path}?${values(query, { key: key() })}`" + `

const part = encodeURIComponent
`

// Calls is calls.ts: a function for each route. One that answers bytes or a stream gives
// its address instead.
func Calls(dir string) (string, error) {
	m, err := read(dir)
	if err != nil {
		return "", err
	}
	used := map[string]bool{}
	var b strings.Builder
	for _, r := range api.Routes {
		b.WriteString("\n" + comment("", r.Summary+" ("+r.Method+" "+r.Path+")") + call(r, used))
	}
	var names []string
	for _, n := range m.sorted() {
		if used[n.name] {
			names = append(names, n.name)
		}
	}
	imports := "import type {\n  " + strings.Join(names, ",\n  ") + ",\n} from './types'\n"
	return made + fmt.Sprintf(callsHead, imports) + b.String(), nil
}

func call(r api.Route, used map[string]bool) string {
	var arguments, options []string
	path := r.Path
	for _, p := range parameters(r.Path) {
		arguments = append(arguments, p+": string")
		path = strings.Replace(path, "{"+p+"}", "${part("+p+")}", 1)
	}
	quoted := "'" + path + "'"
	if strings.Contains(path, "${") {
		quoted = "`" + path + "`"
	}
	if r.In != nil {
		name := reflect.TypeOf(r.In).Name()
		used[name] = true
		arguments, options = append(arguments, "body: "+name), append(options, "body")
	}
	name := r.Name
	if r.Query != nil {
		q := reflect.TypeOf(r.Query).Name()
		used[q] = true
		arguments, options = append(arguments, "query: "+q+" = {}"), append(options, "query")
	}
	if r.Out == (api.Stream{}) {
		return fmt.Sprintf("export const %sPath = (%s): string => `/api/v1%s?${values(query)}`\n", name, strings.Join(arguments, ", "), path)
	}
	if special(r.Out) {
		if r.Query == nil {
			arguments = append(arguments, "query: { v?: string } = {}")
		}
		return fmt.Sprintf("export const %sAddress = (%s): string => address(%s, query)\n", name, strings.Join(arguments, ", "), quoted)
	}
	arguments, options = append(arguments, "signal?: AbortSignal"), append(options, "signal")
	out := "void"
	if r.Out != nil {
		out = script(reflect.TypeOf(r.Out))
		used[strings.TrimSuffix(out, "[]")] = true
	}
	return fmt.Sprintf("export const %s = (%s): Promise<%s> =>\n  request<%s>('%s', %s, { %s })\n",
		name, strings.Join(arguments, ", "), out, out, r.Method, quoted, strings.Join(options, ", "))
}
