// Package docs holds what the program itself shows of its documents.
package docs

import _ "embed"

// OpenAPI is the description of the app's local interface, made by internal/app/schema.
//
//go:embed openapi.json
var OpenAPI []byte
