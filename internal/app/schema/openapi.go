package schema

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"sotto/internal/app/api"
)

// object is a JSON object; encoding/json sorts its names, so the document is stable.
type object = map[string]any

const about = `What the interface of sotto can do, a program can do too. Through the socket HOME/app.sock ` +
	`no session is needed: only this computer's same user gets there. On loopback every request carries the cookie and the ` +
	`header Sotto-Key of a session (see openSession). Every refusal is a Failure with a stable code; docs/api.md begins with examples.`

// OpenAPI is the document, OpenAPI 3.1.
func OpenAPI(dir string) ([]byte, error) {
	m, err := read(dir)
	if err != nil {
		return nil, err
	}
	schemas, paths := object{}, object{}
	for _, n := range m.sorted() {
		schemas[n.name] = n.schema()
	}
	for _, r := range api.Routes {
		at, _ := paths[r.Path].(object)
		if at == nil {
			at = object{}
			paths[r.Path] = at
		}
		at[strings.ToLower(r.Method)] = m.operation(r)
	}
	doc := object{
		"openapi": "3.1.0",
		"info":    object{"title": "sotto", "version": "1", "description": about},
		"servers": []any{object{"url": "/api/v1"}},
		"paths":   paths,
		"components": object{
			"schemas": schemas,
			"securitySchemes": object{
				"key":    object{"type": "apiKey", "in": "header", "name": "Sotto-Key"},
				"cookie": object{"type": "apiKey", "in": "cookie", "name": "sotto-session", "description": "its name ends with a dash and what tells this home from others"},
			},
		},
		"security": []any{object{}, object{"key": []any{}, "cookie": []any{}}},
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err = e.Encode(doc)
	return b.Bytes(), err
}

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

func (n noun) schema() object {
	if n.values != nil {
		return described(object{"type": "string", "enum": n.values}, n.words)
	}
	properties, required := object{}, []string{}
	for _, f := range n.fields {
		properties[f.name] = described(shape(f.typ), f.words)
		if !f.optional {
			required = append(required, f.name)
		}
	}
	o := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		o["required"] = required
	}
	if n.base != "" {
		o = object{"allOf": []any{ref(n.base), o}}
	}
	return described(o, n.words)
}

func described(o object, words string) object {
	if words != "" {
		o["description"] = words
	}
	return o
}

// shape is a type as a JSON Schema.
func shape(t reflect.Type) object {
	switch t.Kind() {
	case reflect.Pointer:
		return shape(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "contentEncoding": "base64"}
		}
		return object{"type": "array", "items": shape(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": shape(t.Elem())}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer", "format": "int64"}
	}
	if t.PkgPath() != "" {
		return ref(t.Name())
	}
	return object{"type": "string"}
}

func (m *model) operation(r api.Route) object {
	o := object{"operationId": r.Name, "summary": r.Summary, "responses": responses(r)}
	var parameter []any
	for _, p := range parameters(r.Path) {
		parameter = append(parameter, object{"name": p, "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	if r.Query != nil {
		for _, f := range m.nouns[reflect.TypeOf(r.Query).Name()].fields {
			parameter = append(parameter, described(object{"name": f.name, "in": "query", "schema": shape(f.typ)}, f.words))
		}
	}
	if parameter != nil {
		o["parameters"] = parameter
	}
	if r.In != nil {
		o["requestBody"] = object{"required": true, "content": body("application/json", shape(reflect.TypeOf(r.In)))}
	}
	return o
}

func body(kind string, schema object) object { return object{kind: object{"schema": schema}} }

func responses(r api.Route) object {
	out := object{"default": object{"description": "Refused.", "content": body("application/json", ref("Failure"))}}
	switch r.Out.(type) {
	case nil:
		out["204"] = object{"description": "Done."}
	case api.Stream:
		out["200"] = object{"description": "Server-sent events; the data of each is an Event.", "content": body("text/event-stream", ref("Event"))}
	case api.Binary:
		out["200"] = object{"description": "Its bytes.", "content": body("application/octet-stream", object{"type": "string", "contentEncoding": "binary"})}
	default:
		out["200"] = object{"description": "Done.", "content": body("application/json", shape(reflect.TypeOf(r.Out)))}
	}
	return out
}
