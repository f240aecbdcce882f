package app

// handlers are what does each route of api.Routes, by its name.
var handlers = map[string]handler{
	"openSession": answers(openSession),
	"state":       gives(state),
	"events":      writes(stream),
	"lock":        free(does(lock)),
	"unlock":      free(takes(unlock)),
	"setCustody":  takes(setCustody),
	"setWindow":   takes(setWindow),
	"violations":  gives(violations),
	"newOpening":  answers(newOpening),
	"quit":        free(does(quit)),

	"createAccount": answers(createAccount),

	"rooms":        asks(rooms),
	"createRoom":   answers(createRoom),
	"room":         gives(roomDetail),
	"changeRoom":   answers(changeRoom),
	"leaveRoom":    does(leaveRoom),
	"addMembers":   answers(addMembers),
	"removeMember": gives(removeMember),
	"setAdmin":     answers(setAdmin),

	"messages":      asks(messages),
	"seen":          takes(seen),
	"send":          answers(send),
	"message":       gives(message),
	"edit":          answers(edit),
	"deleteMessage": takes(deleteMessage),
	"react":         answers(react),

	"requests":      gives(requests),
	"answerRequest": takes(answerRequest),
	"notices":       asks(notices),
	"told":          takes(told),
}

// asks is a handler with a query.
func asks[Query, Out any](f func(*call, Query) (Out, error)) handler { return answers(f) }
