package said

import (
	"maps"
	"slices"
)

// Sentence is a sentence in English; One is its form for a single thing, "" where it counts
// nothing.
type Sentence struct{ Key, Text, One string }

// Sentences are all of them, by their keys: the measure for other languages.
func Sentences() (out []Sentence) {
	for _, key := range slices.Sorted(maps.Keys(sentences)) {
		out = append(out, Sentence{key, sentences[key], ones[key]})
	}
	return out
}

// Names are the places for values in a sentence.
func (s Sentence) Names() []string {
	var out []string
	for _, p := range places.FindAllString(s.Text, -1) {
		out = append(out, p[1:len(p)-1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Act is what somebody did, perhaps to somebody: the form of its sentence for when the
// person did it (".own"), when it was done to them (".you"), or both (".self"). A form that
// a sentence does not have cannot happen; the plain one is said then.
func Act(key string, own, you bool) string {
	form := key
	switch {
	case own && you:
		form += ".self"
	case own:
		form += ".own"
	case you:
		form += ".you"
	}
	if _, ok := sentences[form]; !ok {
		return key
	}
	return form
}

// sentences are written as English is spoken: {by} did it, {name} is whom or what it is
// about, {why} a reason without its full stop, {span} a time in words. A key is never given
// to another sentence after a release: devices keep them.
var sentences = map[string]string{
	// what happened in a room
	"added":            "{by} added {name}.",
	"added.you":        "{by} added you.",
	"added.own":        "You added {name}.",
	"left":             "{name} left.",
	"left.own":         "You left.",
	"removed":          "{by} removed {name}.",
	"no-device":        "No device of {name} is here any more: their account does not hold them.",
	"removed.own":      "You removed {name}.",
	"put-out":          "{by} removed you from this room. What was written until then stays readable here.",
	"newcomer":         "{name} is in this room too since you were last in it; you were let in again by {by}.",
	"newcomer.moved":   "{name} is in this room too since {by} moved it.",
	"admin.moved":      "{name} manages this room since {by} moved it.",
	"admin.moved.you":  "You manage this room since {by} moved it.",
	"admin":            "{by} made {name} an admin of this room.",
	"admin.you":        "{by} made you an admin of this room.",
	"admin.own":        "You made {name} an admin of this room.",
	"heir":             "Nobody was left who manages this room: {name} can do so now.",
	"heir.you":         "Nobody was left who manages this room: you can do so now.",
	"no-admin":         "{by} took the role of an admin from {name}.",
	"no-admin.you":     "{by} took the role of an admin from you.",
	"no-admin.own":     "You took the role of an admin from {name}.",
	"no-admin.self":    "You gave up the role of an admin.",
	"title":            "{by} named this room \"{title}\".",
	"title.own":        "You named this room \"{title}\".",
	"no-title":         "{by} took the name of this room away.",
	"no-title.own":     "You took the name of this room away.",
	"picture":          "{by} changed the picture of this room.",
	"picture.own":      "You changed the picture of this room.",
	"no-picture":       "{by} took the picture of this room away.",
	"no-picture.own":   "You took the picture of this room away.",
	"vanish":           "{by} set messages here to vanish {span} after they are read.",
	"vanish.own":       "You set messages here to vanish {span} after they are read.",
	"stay":             "{by} set messages here to stay.",
	"stay.own":         "You set messages here to stay.",
	"moved":            "This conversation moved on to another place.",
	"moved.why":        "This conversation moved on to another place: {why}.",
	"expired":          "{n} entries had expired before this device read them.",
	"knock":            "{name} came by a link and would like to come in.",
	"update":           "{by} moved this conversation to where newer rules hold, which this sotto does not know: update it to follow. Until then it goes on here, for those who cannot follow either.",
	"junk":             "Somebody in this room, or its server, posted something that cannot be read. It was passed over.",
	"shut-out":         "{name} changed this room so that this device cannot follow. It asks the others to let it in again; what they write meanwhile is not shown here.",
	"shut-out.unknown": "Somebody changed this room so that this device cannot follow. It asks the others to let it in again; what they write meanwhile is not shown here.",

	// calls; {time} is how long, as clocks show it
	"call.talked":            "{name} called: {time}.",
	"call.talked.own":        "You called {name}: {time}.",
	"call.missed":            "You missed a call from {name}.",
	"call.missed.own":        "You called {name}. Nobody answered.",
	"call.missed.uncompared": "{name} called. It did not ring: only people with whom you have compared numbers may call you.",
	"call.declined":          "You declined a call from {name}.",
	"call.declined.own":      "{name} declined your call.",
	"call.busy":              "{name} called while you were in another call.",
	"call.busy.own":          "You called {name}, who was in another call.",
	"call.failed":            "A call from {name} found no connection.",
	"call.failed.own":        "Your call to {name} found no connection.",
	"call.lost":              "{name} called: {time}. Then the connection was lost.",
	"call.lost.own":          "You called {name}: {time}. Then the connection was lost.",
	"call.forged":            "The call with {name} was ended: what was to prove its keys did not fit.",
	"call.swapped":           "The call with {name} was ended: in the middle of it a device named another key.",

	// people and their devices
	"key":               "{name} has a new key. It happens when someone starts over on a new computer. Compare numbers before you say more.",
	"device":            "{name} linked a new device.",
	"device.compared":   "{name} linked a new device. You compared numbers before that.",
	"revoked":           "{name} removed a device.",
	"revoked.compared":  "{name} removed a device. You compared numbers before that.",
	"handle":            "{name} is now {handle}.",
	"own.device":        "A new device was linked to your account: {device}. If it is not yours, unlink it.",
	"own.unlinked":      "A device was unlinked from your account: {device}.",
	"own.unlinked.this": "This device was unlinked from your account. What it holds stays here, and nothing new comes.",
	"own.moved":         "Your account lives at another server now: you are {handle}. If that was not you, bring it back with your 24 words.",
	"own.moved.here":    "You are {handle} now. Your other devices follow by themselves.",
	"own.recovered":     "A device came into your account by your 24 words: {device}. If it is not yours, somebody has them.",
	"own.words":         "Your 24 words were set.",
	"own.words.new":     "Your 24 words were replaced. The old ones are good for nothing now.",
	"recovered.damaged": "The record of your contacts and conversations could not be read: they are not back.",
	"recovered.nothing": "Your home server has no record of your contacts and conversations: they are not back.",
	"recovered.other":   "{name} is another account than the one that you knew. It was not kept as your contact.",
	"return":            "{name} lost every device, has a new key and asks to come in again. Compare numbers before you say yes.",
	"own.settled":       "Your 24 words have settled which devices you have.",
	"own.fork":          "Two of your devices disagree about which devices you have: both lists are signed as true. Only your 24 words settle it.",
	"history.lost":      "A part of your history did not come to this device: it waited too long at your home server, or was damaged. Unlink this device and link it again to have all of it.",
	"settled":           "The recovery words of {name} have settled which devices are theirs. Compare numbers again before you trust them.",
	"backup.failed":     "Several backups in a row could not be made: {why}",
	"backup.moved":      "Another device of yours keeps the backup at your home server now: this one does not make any more there.",
	"backup.lost":       "{n} parts of your backup were gone or damaged. What they held is not back.",
	"identity.fork":     "Two different lists of devices of {name} are signed as true. Nothing is sent to either until this is settled.",
	"identity.older":    "{host} answered with an older list of the devices of {name} than this device knows.",
	"identity.moved":    "{name} is said to have moved to {handle}, where the server names another account. Nothing was sent there.",
	"identity.other":    "Somebody wrote to you as {name} who is not: their server names another account. It was dropped.",

	// servers that do not keep their word
	"server-key":        "{host} answers with another key ({key}…) than before, so nothing is said to it. Either it was set up anew, or somebody stands between. Ask whoever runs it for a new invitation link, and open that.",
	"fault.unreachable": "The server of this conversation could not be reached for a day.",
	"fault.history":     "The server showed this device another history than it had announced.",
	"fault.gap":         "The server left out entries that it should still hold.",
	"fault.back":        "The server went back: it does not hold what it had given out.",
	"fault.inbox":       "Your home server went back: it does not hold all that this device has read there. What it holds is read again.",
	"fault.lost":        "The server lost this conversation.",
	"fault.place":       "The server does not know this device's place in this conversation any more. It asks to be let in again; what is written until then is missing here.",
	"fault.key":         "This conversation moved on, and the invitation to it was made for a key that is used: a home server went back. This device asks to be let in; what is written until then is missing here.",
	"fault.change":      "The server did something else than a change of this room asked for.",
	"fault.did":         "The server says that it did something else with a change of this room than the change asked for.",
	"fault.swap":        "The server says that a message of this device changed the room, which it did not.",
	"fault.behind":      "The server refuses this device's messages as out of date and does not show what changed.",
	"fault.silent":      "The server says that this conversation goes on and does not show how. The connection is made anew.",
	"fault.unshown":     "The server said that it had stored a message and does not show it. It is sent again.",
	"fault.dropped":     "The server said that it had stored a message and had not. It is sent again.",
	"fault.short":       "The server that this conversation has left does not show all of it any more. What is missing is sent again by those who wrote it.",
	"fault.ahead":       "{name} has seen more of this room than the server shows here.",
	"fault.split":       "The server shows {name} another history of this room than this device.",

	// this device
	"copy":      "This device finds messages of its own that it does not remember: it is a restored copy, or there is one. It keeps its history and asks to be let in again.",
	"copy.old":  "This device's memory is older than what it told the server: it is a restored copy. It keeps its history and asks to be let in again.",
	"elsewhere": "Another program reads this conversation with this device's rights. If it is not yours, remove this device.",

	// what could not be done
	"failed.change":    "A change of this room could not be made: {why}",
	"failed.forbidden": "A change of this room could not be made: only people who manage it may do that.",
	"failed.letter":    "An invitation could not be delivered at {host}: {why}",
	"failed.join":      "The invitation of {name} could not be followed: {why}",

	// who can reach a server on this computer
	"reach.own":       "Programs on this computer reach it.",
	"reach.not-yet":   "This computer itself has not reached it under this name yet.",
	"reach.alone":     "Only programs on this computer reach it: good for trying out.",
	"reach.network":   "People on your own network reach it, unless a firewall on this computer closes port {port}. Let your router always give this computer the address {host}: handles end with it.",
	"reach.nobody":    "From elsewhere nobody reaches {host}. For that, start the server under the address that your router has on the internet, and let the router forward TCP port {port} to this computer.",
	"reach.named":     "People on your own network reach it where their computers know the name {host}, unless a firewall on this computer closes port {port}.",
	"reach.unknown":   "From elsewhere nobody knows the name {host}.",
	"reach.around":    "People on your own network reach it where your router lets them out and in again under this address.",
	"reach.everybody": "Everybody reaches it once your router forwards TCP port {port} to this computer, with an invitation link: only that names the server's key.",

	// why a conversation moves; others' devices read these words
	"why.unreachable": "its server could not be reached for a day",
	"why.junk":        "junk in place of a commit",
	"why.proposal":    "a proposal that took the write token away",
	"why.message":     "a message that took the write token away",
	"why.rules":       "a change that the rules of the room do not allow",
	"why.follow":      "a change that this device cannot follow",
	"why.alone":       "nobody in it could let this device in again",
	"why.hand":        "somebody who manages it chose another server",
	"why.home":        "somebody in it lives at another server now",
	"why.retired":     "its server will be switched off",
	"why.differs":     "its server did not show everybody the same",
}

// ones are the forms of sentences that count, for one.
var ones = map[string]string{
	"backup.lost": "One part of your backup was gone or damaged. What it held is not back.",
	"expired":     "One entry had expired before this device read it.",
}
