package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"sotto/internal/app/api"
)

const source = "../api"

// TestFresh holds the committed documents to the table.
func TestFresh(t *testing.T) {
	files, err := Files(source)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("../../..", name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what go generate ./internal/app/schema makes (%v)", name, err)
		}
	}
}

// TestWords wants a word on every noun, and every field of a named text to have values.
func TestWords(t *testing.T) {
	m, err := read(source)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range m.sorted() {
		if n.words == "" {
			t.Errorf("%s has no comment", n.name)
		}
		if n.fields == nil && n.values == nil && n.base == "" {
			t.Errorf("%s is empty", n.name)
		}
	}
}

// TestDocument validates the structure of the OpenAPI document: that references lead
// somewhere, operations are named once, paths and their parameters agree, and every
// schema says what it is.
func TestDocument(t *testing.T) {
	b, err := OpenAPI(source)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if v, _ := doc["openapi"].(string); !regexp.MustCompile(`^3\.1\.\d+$`).MatchString(v) {
		t.Errorf("version %q", v)
	}
	info := doc["info"].(map[string]any)
	if info["title"] == "" || info["version"] == "" {
		t.Error("no title or version")
	}
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	references(doc, func(to string) {
		name, ok := strings.CutPrefix(to, "#/components/schemas/")
		if _, found := schemas[name]; !ok || !found {
			t.Errorf("%s leads nowhere", to)
		}
	})
	for name, s := range schemas {
		checkSchema(t, name, s.(map[string]any))
	}
	operations := map[string]bool{}
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			o := op.(map[string]any)
			id := o["operationId"].(string)
			if operations[id] {
				t.Errorf("%s is there twice", id)
			}
			operations[id] = true
			if len(o["responses"].(map[string]any)) != 2 || o["summary"] == "" {
				t.Errorf("%s %s has no summary, or not two answers", method, path)
			}
			if _, has := o["requestBody"]; has && method == "get" {
				t.Errorf("%s %s has a body", method, path)
			}
			checkParameters(t, path, o)
		}
	}
	if len(operations) != len(api.Routes) {
		t.Errorf("%d operations for %d routes", len(operations), len(api.Routes))
	}
}

func checkSchema(t *testing.T, name string, s map[string]any) {
	switch {
	case s["allOf"] != nil, s["enum"] != nil:
		return
	case s["type"] != "object":
		t.Errorf("%s is %v", name, s["type"])
		return
	}
	properties := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	for _, r := range required {
		if properties[r.(string)] == nil {
			t.Errorf("%s requires %s, which it does not have", name, r)
		}
	}
	for p, v := range properties {
		if o := v.(map[string]any); o["type"] == nil && o["$ref"] == nil {
			t.Errorf("%s.%s has no type", name, p)
		}
	}
}

func checkParameters(t *testing.T, path string, o map[string]any) {
	in := map[string]int{}
	list, _ := o["parameters"].([]any)
	seen := map[string]bool{}
	for _, p := range list {
		v := p.(map[string]any)
		in[v["in"].(string)]++
		if name := v["name"].(string); seen[name] {
			t.Errorf("%s has %s twice", path, name)
		} else {
			seen[name] = true
		}
		if v["in"] == "path" && (v["required"] != true || !strings.Contains(path, "{"+v["name"].(string)+"}")) {
			t.Errorf("%s: the parameter %v", path, v)
		}
	}
	if in["path"] != strings.Count(path, "{") {
		t.Errorf("%s has %d parameters in its path", path, in["path"])
	}
}

func references(v any, f func(string)) {
	switch v := v.(type) {
	case map[string]any:
		if to, ok := v["$ref"].(string); ok {
			f(to)
		}
		for _, x := range v {
			references(x, f)
		}
	case []any:
		for _, x := range v {
			references(x, f)
		}
	}
}

// TestCalls wants one function or address for each route.
func TestCalls(t *testing.T) {
	text, err := Calls(source)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range api.Routes {
		name := r.Name
		switch {
		case r.Out == nil || reflect.TypeOf(r.Out).Kind() == reflect.Slice:
		case r.Out == (api.Binary{}):
			name += "Address"
		case r.Out == (api.Stream{}):
			name += "Path"
		}
		if strings.Count(text, "export const "+name+" =") != 1 {
			t.Errorf("%s is there %d times", name, strings.Count(text, "export const "+name+" ="))
		}
	}
}
