// Package api holds the nouns of the app's local interface: what crosses between the app
// on a person's machine and whoever talks to it there, the web interface, the command line
// or a bot. It is JSON over HTTP under /api/v1, on loopback and on a unix socket, and a
// stream of events. The table Routes is the whole of it: the server, the OpenAPI document
// and the TypeScript types are made from it.
//
// Conventions: ids are lower-case hexadecimal, times are Unix milliseconds (0 or left out:
// none), texts are Markdown as the sender wrote them and never HTML. An absent field of a
// change (pointers) changes nothing. Every refusal is a Failure with a stable code.
package api

// Failure is the body of every answer that is not 2xx.
type Failure struct {
	Code   string `json:"code"`             // stable: see docs/command-line.md
	Text   string `json:"text"`             // for people: what happened and what to do
	Said   *Said  `json:"said,omitempty"`   // the same where it is one of sotto's sentences
	Field  string `json:"field,omitempty"`  // the field of the request that it is about
	Detail string `json:"detail,omitempty"` // to be copied, where somebody else could help with it
}

// Nothing is a request or an answer without content.
type Nothing struct{}
