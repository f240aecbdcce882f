package api

// Route is one call of the interface.
type Route struct {
	Name    string // of the handler and of the operation
	Method  string
	Path    string // under /api/v1, with {names}
	In      any    // the request's body, as JSON, or nil
	Query   any    // the query, or nil
	Out     any    // the answer, or nil: 204
	Locked  bool   // answered in every phase
	New     bool   // answered before there is an account, too
	Summary string
}

// Binary is the Out of a route that answers with bytes of some type.
type Binary struct{}

// Stream is the Out of the event stream.
type Stream struct{}

// Routes is the whole interface.
var Routes = []Route{
	{Name: "openSession", Method: "POST", Path: "/session", In: OpenSession{}, Out: Session{}, Locked: true, New: true, Summary: "Exchange the one-time token of the opening address for a session: a cookie, and a key. Loopback only."},
	{Name: "state", Method: "GET", Path: "/state", Out: State{}, Locked: true, New: true, Summary: "How the app is."},
	{Name: "events", Method: "GET", Path: "/events", Query: EventStream{}, Out: Stream{}, Locked: true, New: true, Summary: "What happens, as server-sent events of Event."},
	{Name: "lock", Method: "POST", Path: "/lock", Summary: "Close the keys. Needs a passphrase or a keyring."},
	{Name: "unlock", Method: "POST", Path: "/unlock", In: Unlock{}, Locked: true, Summary: "Open the keys."},
	{Name: "setCustody", Method: "PUT", Path: "/custody", In: SetCustody{}, Summary: "Change what guards the key."},
	{Name: "setWindow", Method: "PUT", Path: "/window", In: Window{}, Locked: true, New: true, Summary: "Tell what a window shows: at each change, and every minute while it is looked at or notifies."},
	{Name: "violations", Method: "GET", Path: "/violations", Out: []Violation{}, Locked: true, New: true, Summary: "What pages of the interface were stopped from doing by their content security policy."},
	{Name: "newOpening", Method: "POST", Path: "/openings", In: NewOpening{}, Out: Opening{}, Locked: true, New: true, Summary: "A fresh address to open a window with. Unix socket only."},
	{Name: "quit", Method: "POST", Path: "/quit", Locked: true, New: true, Summary: "End the app."},

	{Name: "linkShown", Method: "DELETE", Path: "/invitation", New: true, Summary: "Forget the link that sotto was opened with: a window has shown it."},
	{Name: "inspectLink", Method: "POST", Path: "/links/inspect", In: InspectLink{}, Out: LinkInfo{}, New: true, Summary: "What an invitation link says. Spends nothing."},
	{Name: "serverInfo", Method: "GET", Path: "/servers", Query: ServerQuery{}, Out: ServerInfo{}, New: true, Summary: "What a server says of itself."},
	{Name: "nameInfo", Method: "GET", Path: "/names", Query: NameQuery{}, Out: NameInfo{}, New: true, Summary: "Whether a handle can be had."},
	{Name: "createAccount", Method: "POST", Path: "/account", In: NewAccount{}, Out: Self{}, New: true, Summary: "Make the account of this device."},
	{Name: "linkDevice", Method: "POST", Path: "/account/link", In: LinkDevice{}, Out: Self{}, New: true, Summary: "Make this device one of an account's, by the code that another of its devices shows. Answers when it is."},
	{Name: "devices", Method: "GET", Path: "/devices", Out: []OwnDevice{}, Summary: "This person's devices, oldest first."},
	{Name: "renameDevice", Method: "PATCH", Path: "/devices/{device}", In: RenameDevice{}, Summary: "Call a device something else."},
	{Name: "unlinkDevice", Method: "DELETE", Path: "/devices/{device}", Summary: "Take a device out of the account: every room that this one is in removes it."},
	{Name: "startLinking", Method: "POST", Path: "/linking", Out: Linking{}, Summary: "Show a code for a new device, for two minutes."},
	{Name: "linking", Method: "GET", Path: "/linking", Out: Linking{}, New: true, Summary: "How far the linking of a device is."},
	{Name: "confirmLinking", Method: "POST", Path: "/linking/confirm", In: ConfirmLinking{}, Summary: "Both devices show the same words: let the new one in."},
	{Name: "cancelLinking", Method: "DELETE", Path: "/linking", New: true, Summary: "End the linking under way."},
	{Name: "recoverAccount", Method: "POST", Path: "/account/recover", In: RecoverAccount{}, Out: Self{}, New: true, Summary: "Make this device the only one of an account, by its 24 words."},
	{Name: "recovery", Method: "GET", Path: "/recovery", Out: Recovery{}, Summary: "How the account's 24 words stand."},
	{Name: "makeWords", Method: "POST", Path: "/recovery/words", In: MakeWords{}, Out: NewWords{}, Summary: "Make 24 words. They are the account's once they are confirmed."},
	{Name: "confirmWords", Method: "POST", Path: "/recovery/confirm", In: ConfirmWords{}, Out: Recovery{}, Summary: "Type some of the new words back: they are the account's then."},
	{Name: "dropWords", Method: "DELETE", Path: "/recovery/words", Summary: "Forget new words that were not confirmed."},
	{Name: "backups", Method: "GET", Path: "/backups", Out: Backups{}, Summary: "How backups of what was said stand."},
	{Name: "setBackups", Method: "PUT", Path: "/backups", In: SetBackups{}, Out: Backups{}, Summary: "Say when and where backups are made."},
	{Name: "makeBackup", Method: "POST", Path: "/backups/now", Out: Backups{}, Summary: "Make one where the schedule says. Answers when it is whole."},
	{Name: "backupFile", Method: "GET", Path: "/backups/file", Out: Binary{}, Summary: "A backup as a file, for the 24 words."},
	{Name: "backupPart", Method: "POST", Path: "/backups/parts", In: BackupPart{}, Out: BackupFile{}, New: true, Summary: "Hand over the next part of a file that is to be restored."},
	{Name: "restoreBackup", Method: "POST", Path: "/backups/restore", In: RestoreBackup{}, Out: Backups{}, Summary: "Restore a backup of this account. Answers when it was opened; what is here stays."},
	{Name: "move", Method: "POST", Path: "/account/move", In: Move{}, Out: Self{}, Summary: "Move this account to another home server. Answers when it lives there; what was begun goes on by itself."},
	{Name: "deleteAccount", Method: "DELETE", Path: "/account", In: EndAccount{}, Summary: "Delete the account at its server, leave every room, empty this home."},
	{Name: "startServer", Method: "POST", Path: "/server", In: NewServer{}, Out: LocalServer{}, New: true, Summary: "Start a home server on this computer."},
	{Name: "stopServer", Method: "DELETE", Path: "/server", Summary: "Stop it."},

	{Name: "rooms", Method: "GET", Path: "/rooms", Query: RoomList{}, Out: []Room{}, Summary: "The conversations, newest first."},
	{Name: "createRoom", Method: "POST", Path: "/rooms", In: NewRoom{}, Out: Room{}, Summary: "Make a group."},
	{Name: "notes", Method: "POST", Path: "/rooms/self", Out: Room{}, Summary: "The room for notes to oneself; it is made when there is none."},
	{Name: "joinByLink", Method: "POST", Path: "/rooms/join", In: JoinByLink{}, Out: Joined{}, Summary: "Come in by a link."},
	{Name: "room", Method: "GET", Path: "/rooms/{room}", Out: RoomDetail{}, Summary: "Everything about a room."},
	{Name: "changeRoom", Method: "PATCH", Path: "/rooms/{room}", In: RoomChange{}, Out: RoomDetail{}, Summary: "Change a room for everybody."},
	{Name: "moveRoom", Method: "POST", Path: "/rooms/{room}/move", In: MoveRoom{}, Out: RoomDetail{}, Summary: "Move a conversation to one's own home server."},
	{Name: "deleteRoom", Method: "DELETE", Path: "/rooms/{room}", Summary: "Remove a room that was left, with its history, from this device."},
	{Name: "markRoom", Method: "PATCH", Path: "/rooms/{room}/mine", In: RoomMine{}, Out: Room{}, Summary: "Change what a room is to this person."},
	{Name: "leaveRoom", Method: "POST", Path: "/rooms/{room}/leave", Summary: "Leave a room."},
	{Name: "clearRoom", Method: "POST", Path: "/rooms/{room}/clear", Summary: "Remove a room's messages from this device."},
	{Name: "addMembers", Method: "POST", Path: "/rooms/{room}/members", In: AddMembers{}, Out: RoomDetail{}, Summary: "Add people."},
	{Name: "removeMember", Method: "DELETE", Path: "/rooms/{room}/members/{account}", Out: RoomDetail{}, Summary: "Remove a person."},
	{Name: "setAdmin", Method: "PUT", Path: "/rooms/{room}/members/{account}/admin", In: SetAdmin{}, Out: RoomDetail{}, Summary: "Make a person an admin, or a member again."},
	{Name: "createLink", Method: "POST", Path: "/rooms/{room}/links", In: NewLink{}, Out: Link{}, Summary: "Make an invitation link to a room."},
	{Name: "dropLink", Method: "DELETE", Path: "/rooms/{room}/links/{link}", Summary: "End an invitation link."},
	{Name: "answerKnock", Method: "POST", Path: "/rooms/{room}/knocks/{knock}", In: AnswerKnock{}, Summary: "Let somebody in, or not."},
	{Name: "messages", Method: "GET", Path: "/rooms/{room}/messages", Query: PageQuery{}, Out: Page{}, Summary: "A part of a room."},
	{Name: "seen", Method: "POST", Path: "/rooms/{room}/seen", In: Seen{}, Summary: "Mark messages as read."},
	{Name: "typing", Method: "POST", Path: "/rooms/{room}/typing", In: Typing{}, Summary: "Tell that this person writes."},
	{Name: "roomPicture", Method: "GET", Path: "/rooms/{room}/picture", Out: Binary{}, Summary: "A room's picture."},
	{Name: "roomWho", Method: "GET", Path: "/rooms/{room}/who", Out: Who{}, Summary: "Who can see what is said in a room."},

	{Name: "send", Method: "POST", Path: "/messages", In: NewMessage{}, Out: Message{}, Summary: "Write to a room or a person. Answers when it is durable here."},
	{Name: "message", Method: "GET", Path: "/messages/{message}", Out: Message{}, Summary: "One message."},
	{Name: "edit", Method: "PATCH", Path: "/messages/{message}", In: EditMessage{}, Out: Message{}, Summary: "Give an own message another text."},
	{Name: "deleteMessage", Method: "DELETE", Path: "/messages/{message}", Query: DeleteQuery{}, Summary: "Take an own message back, or remove any from this device."},
	{Name: "react", Method: "PUT", Path: "/messages/{message}/reaction", In: React{}, Out: Message{}, Summary: "Set this person's reaction."},
	{Name: "star", Method: "PUT", Path: "/messages/{message}/star", In: SetOn{}, Out: Message{}, Summary: "Star a message."},
	{Name: "pin", Method: "PUT", Path: "/messages/{message}/pin", In: SetOn{}, Out: Message{}, Summary: "Pin a message in its room, for everybody."},
	{Name: "forward", Method: "POST", Path: "/messages/{message}/forward", In: Forward{}, Out: []Message{}, Summary: "Write a message's text to others."},
	{Name: "retry", Method: "POST", Path: "/messages/{message}/retry", Out: Message{}, Summary: "Send a failed or expired message again."},
	{Name: "messageWho", Method: "GET", Path: "/messages/{message}/who", Out: Who{}, Summary: "Who can see a message."},
	{Name: "calls", Method: "GET", Path: "/calls", Out: []Call{}, Summary: "The calls that ring or go on."},
	{Name: "pastCalls", Method: "GET", Path: "/calls/past", Query: PastCalls{}, Out: []Call{}, Summary: "The calls that are over, the last one first."},
	{Name: "startCall", Method: "POST", Path: "/calls", In: NewCall{}, Out: Call{}, Summary: "Call the other person of a conversation of two."},
	{Name: "call", Method: "GET", Path: "/calls/{call}", Out: Call{}, Summary: "One call."},
	{Name: "callMedia", Method: "GET", Path: "/calls/{call}/media", Out: CallMedia{}, Summary: "What the other side of a call has said so far."},
	{Name: "answerCall", Method: "POST", Path: "/calls/{call}/answer", In: CallDescription{}, Out: Call{}, Summary: "Take a call that rings. Answers when this device's answer is the one that counts."},
	{Name: "addCandidates", Method: "POST", Path: "/calls/{call}/candidates", In: NewCandidates{}, Summary: "Tell the other side ICE candidates of this one."},
	{Name: "renewCall", Method: "POST", Path: "/calls/{call}/renew", In: CallDescription{}, Out: CallMedia{}, Summary: "Give this side another description: an ICE restart. Where the other side was first with its own, that is the one to answer."},
	{Name: "callRenewed", Method: "POST", Path: "/calls/{call}/renewed/{round}", In: CallDescription{}, Summary: "Answer the other side's new description."},
	{Name: "callMatched", Method: "PUT", Path: "/calls/{call}/matched", In: SetOn{}, Summary: "Say that both see the same words."},
	{Name: "endCall", Method: "POST", Path: "/calls/{call}/end", In: EndCall{}, Summary: "Hang up, decline, or give up."},
	{Name: "files", Method: "GET", Path: "/files", Query: FileList{}, Out: []File{}, Summary: "The files of conversations, newest first."},
	{Name: "sendFiles", Method: "POST", Path: "/messages/files", In: NewFiles{}, Out: Message{}, Summary: "Write a message with files to a room or a person. Answers when it is durable here; the message follows its files."},
	{Name: "filePart", Method: "POST", Path: "/files/parts", In: FilePart{}, Out: HandedFile{}, Summary: "Hand over the next part of a file that is to be sent."},
	{Name: "file", Method: "GET", Path: "/messages/{message}/files/{file}", Out: Binary{}, Summary: "What a file holds; ranges are answered. From this computer where it is here, else from its server, of which only what is read is asked."},
	{Name: "getFile", Method: "POST", Path: "/messages/{message}/files/{file}", In: GetFile{}, Out: File{}, Summary: "Fetch a file into a folder. Answers when that has begun."},
	{Name: "changeFile", Method: "PATCH", Path: "/messages/{message}/files/{file}", In: FileChange{}, Out: File{}, Summary: "Pause a file on its way, or let it go on."},
	{Name: "cancelFile", Method: "DELETE", Path: "/messages/{message}/files/{file}", Summary: "End the fetching of a file."},
	{Name: "search", Method: "GET", Path: "/search", Query: SearchQuery{}, Out: Found{}, Summary: "Search everything."},

	{Name: "relays", Method: "GET", Path: "/calls/relays", Query: RelayQuery{}, Out: Relays{}, Summary: "Where a call in a room is helped: STUN and TURN. No servers: nowhere, and it may do without."},

	{Name: "people", Method: "GET", Path: "/people", Out: []Person{}, Summary: "Everybody this device knows as a contact or has blocked."},
	{Name: "findPerson", Method: "POST", Path: "/people/find", In: FindPerson{}, Out: Person{}, Summary: "Look somebody up by a handle or a link."},
	{Name: "person", Method: "GET", Path: "/people/{account}", Out: PersonDetail{}, Summary: "Everything about a person."},
	{Name: "changePerson", Method: "PATCH", Path: "/people/{account}", In: PersonChange{}, Out: PersonDetail{}, Summary: "Change what a person is here."},
	{Name: "personPicture", Method: "GET", Path: "/people/{account}/picture", Out: Binary{}, Summary: "A person's picture."},
	{Name: "personWho", Method: "GET", Path: "/people/{account}/who", Out: Who{}, Summary: "Who can see what is said to a person."},
	{Name: "requests", Method: "GET", Path: "/requests", Out: []Request{}, Summary: "Strangers who wait."},
	{Name: "answerRequest", Method: "POST", Path: "/requests/{account}", In: AnswerRequest{}, Summary: "Accept, put off or block."},
	{Name: "report", Method: "POST", Path: "/reports", In: Report{}, Out: Reported{}, Summary: "Make a report to hand to an operator. Sends nothing."},

	{Name: "changeProfile", Method: "PATCH", Path: "/me", In: Profile{}, Out: Self{}, Summary: "Change what this person shows."},
	{Name: "myLink", Method: "POST", Path: "/me/links", In: NewLink{}, Out: Link{}, Summary: "Make a link by which people can write to this person, and register where the server lets its people invite."},
	{Name: "settings", Method: "GET", Path: "/settings", Out: Settings{}, Summary: "The settings."},
	{Name: "changeSettings", Method: "PATCH", Path: "/settings", In: SettingsChange{}, Out: Settings{}, Summary: "Change some settings."},
	{Name: "storage", Method: "GET", Path: "/storage", Out: Storage{}, Summary: "What this device keeps."},
	{Name: "export", Method: "GET", Path: "/export", Query: ExportQuery{}, Out: Binary{}, Summary: "Everything, as a ZIP archive."},
	{Name: "notices", Method: "GET", Path: "/notices", Query: NoticeQuery{}, Out: []Notice{}, Summary: "What the person should know."},
	{Name: "told", Method: "PUT", Path: "/notices/told", In: Told{}, Summary: "Say which notices were shown."},
	{Name: "qr", Method: "GET", Path: "/qr", Query: QRQuery{}, Out: QR{}, Summary: "A QR code of a text."},
}
