package schema

// Files are the documents by their paths in the checkout; dir is where package api stands.
func Files(dir string) (map[string][]byte, error) {
	doc, err := OpenAPI(dir)
	if err != nil {
		return nil, err
	}
	types, err := Types(dir)
	if err != nil {
		return nil, err
	}
	calls, err := Calls(dir)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"docs/openapi.json":      doc,
		"ui/src/api/types.ts":    []byte(types),
		"ui/src/api/calls.ts":    []byte(calls),
		"ui/src/i18n/said/en.ts": []byte(Sentences()),
	}, nil
}
