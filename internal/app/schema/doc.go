// Package schema turns the table api.Routes into what others read: the OpenAPI document
// docs/openapi.json and the TypeScript of the interface, ui/src/api/types.ts and calls.ts.
// Shapes come from reflection, words from the comments of package api. It runs when the
// documents are made (go generate ./internal/app/schema) and in the test that they are
// fresh; the program itself only serves the finished document.
package schema

//go:generate go run ./write ../../..
