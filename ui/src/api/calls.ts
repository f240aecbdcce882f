// Made by go generate ./internal/app/schema from internal/app/api: do not change it here.
import { request } from './request'
import type {
  AddMembers,
  AnswerKnock,
  AnswerRequest,
  BackupFile,
  BackupPart,
  Backups,
  Call,
  CallDescription,
  CallMedia,
  ConfirmLinking,
  ConfirmWords,
  DeleteQuery,
  EditMessage,
  EndAccount,
  EndCall,
  EventStream,
  ExportQuery,
  File,
  FileChange,
  FileList,
  FilePart,
  FindPerson,
  Forward,
  Found,
  GetFile,
  HandedFile,
  InspectLink,
  JoinByLink,
  Joined,
  Link,
  LinkDevice,
  LinkInfo,
  Linking,
  LocalServer,
  MakeWords,
  Message,
  Move,
  MoveRoom,
  NameInfo,
  NameQuery,
  NewAccount,
  NewCall,
  NewCandidates,
  NewFiles,
  NewLink,
  NewMessage,
  NewOpening,
  NewRoom,
  NewServer,
  NewWords,
  Notice,
  NoticeQuery,
  OpenSession,
  Opening,
  OwnDevice,
  Page,
  PageQuery,
  PastCalls,
  Person,
  PersonChange,
  PersonDetail,
  Profile,
  QR,
  QRQuery,
  React,
  RecoverAccount,
  Recovery,
  RelayQuery,
  Relays,
  RenameDevice,
  Report,
  Reported,
  Request,
  RestoreBackup,
  Room,
  RoomChange,
  RoomDetail,
  RoomList,
  RoomMine,
  SearchQuery,
  Seen,
  Self,
  ServerInfo,
  ServerQuery,
  Session,
  SetAdmin,
  SetBackups,
  SetCustody,
  SetOn,
  Settings,
  SettingsChange,
  State,
  Storage,
  Told,
  Typing,
  Unlock,
  Violation,
  Who,
  Window,
} from './types'

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
  `/api/v1${path}?${values(query, { key: key() })}`

const part = encodeURIComponent

/** Exchange the one-time token of the opening address for a session: a cookie, and a key. Loopback only. (POST /session) */
export const openSession = (body: OpenSession, signal?: AbortSignal): Promise<Session> =>
  request<Session>('POST', '/session', { body, signal })

/** How the app is. (GET /state) */
export const state = (signal?: AbortSignal): Promise<State> =>
  request<State>('GET', '/state', { signal })

/** What happens, as server-sent events of Event. (GET /events) */
export const eventsPath = (query: EventStream = {}): string => `/api/v1/events?${values(query)}`

/** Close the keys. Needs a passphrase or a keyring. (POST /lock) */
export const lock = (signal?: AbortSignal): Promise<void> =>
  request<void>('POST', '/lock', { signal })

/** Open the keys. (POST /unlock) */
export const unlock = (body: Unlock, signal?: AbortSignal): Promise<void> =>
  request<void>('POST', '/unlock', { body, signal })

/** Change what guards the key. (PUT /custody) */
export const setCustody = (body: SetCustody, signal?: AbortSignal): Promise<void> =>
  request<void>('PUT', '/custody', { body, signal })

/** Tell what a window shows: at each change, and every minute while it is looked at or notifies. (PUT /window) */
export const setWindow = (body: Window, signal?: AbortSignal): Promise<void> =>
  request<void>('PUT', '/window', { body, signal })

/** What pages of the interface were stopped from doing by their content security policy. (GET /violations) */
export const violations = (signal?: AbortSignal): Promise<Violation[]> =>
  request<Violation[]>('GET', '/violations', { signal })

/** A fresh address to open a window with. Unix socket only. (POST /openings) */
export const newOpening = (body: NewOpening, signal?: AbortSignal): Promise<Opening> =>
  request<Opening>('POST', '/openings', { body, signal })

/** End the app. (POST /quit) */
export const quit = (signal?: AbortSignal): Promise<void> =>
  request<void>('POST', '/quit', { signal })

/** Forget the link that sotto was opened with: a window has shown it. (DELETE /invitation) */
export const linkShown = (signal?: AbortSignal): Promise<void> =>
  request<void>('DELETE', '/invitation', { signal })

/** What an invitation link says. Spends nothing. (POST /links/inspect) */
export const inspectLink = (body: InspectLink, signal?: AbortSignal): Promise<LinkInfo> =>
  request<LinkInfo>('POST', '/links/inspect', { body, signal })

/** What a server says of itself. (GET /servers) */
export const serverInfo = (query: ServerQuery = {}, signal?: AbortSignal): Promise<ServerInfo> =>
  request<ServerInfo>('GET', '/servers', { query, signal })

/** Whether a handle can be had. (GET /names) */
export const nameInfo = (query: NameQuery = {}, signal?: AbortSignal): Promise<NameInfo> =>
  request<NameInfo>('GET', '/names', { query, signal })

/** Make the account of this device. (POST /account) */
export const createAccount = (body: NewAccount, signal?: AbortSignal): Promise<Self> =>
  request<Self>('POST', '/account', { body, signal })

/** Make this device one of an account's, by the code that another of its devices shows. Answers when it is. (POST /account/link) */
export const linkDevice = (body: LinkDevice, signal?: AbortSignal): Promise<Self> =>
  request<Self>('POST', '/account/link', { body, signal })

/** This person's devices, oldest first. (GET /devices) */
export const devices = (signal?: AbortSignal): Promise<OwnDevice[]> =>
  request<OwnDevice[]>('GET', '/devices', { signal })

/** Call a device something else. (PATCH /devices/{device}) */
export const renameDevice = (device: string, body: RenameDevice, signal?: AbortSignal): Promise<void> =>
  request<void>('PATCH', `/devices/${part(device)}`, { body, signal })

/** Take a device out of the account: every room that this one is in removes it. (DELETE /devices/{device}) */
export const unlinkDevice = (device: string, signal?: AbortSignal): Promise<void> =>
  request<void>('DELETE', `/devices/${part(device)}`, { signal })

/** Show a code for a new device, for two minutes. (POST /linking) */
export const startLinking = (signal?: AbortSignal): Promise<Linking> =>
  request<Linking>('POST', '/linking', { signal })

/** How far the linking of a device is. (GET /linking) */
export const linking = (signal?: AbortSignal): Promise<Linking> =>
  request<Linking>('GET', '/linking', { signal })

/** Both devices show the same words: let the new one in. (POST /linking/confirm) */
export const confirmLinking = (body: ConfirmLinking, signal?: AbortSignal): Promise<void> =>
  request<void>('POST', '/linking/confirm', { body, signal })

/** End the linking under way. (DELETE /linking) */
export const cancelLinking = (signal?: AbortSignal): Promise<void> =>
  request<void>('DELETE', '/linking', { signal })

/** Make this device the only one of an account, by its 24 words. (POST /account/recover) */
export const recoverAccount = (body: RecoverAccount, signal?: AbortSignal): Promise<Self> =>
  request<Self>('POST', '/account/recover', { body, signal })

/** How the account's 24 words stand. (GET /recovery) */
export const recovery = (signal?: AbortSignal): Promise<Recovery> =>
  request<Recovery>('GET', '/recovery', { signal })

/** Make 24 words. They are the account's once they are confirmed. (POST /recovery/words) */
export const makeWords = (body: MakeWords, signal?: AbortSignal): Promise<NewWords> =>
  request<NewWords>('POST', '/recovery/words', { body, signal })

/** Type some of the new words back: they are the account's then. (POST /recovery/confirm) */
export const confirmWords = (body: ConfirmWords, signal?: AbortSignal): Promise<Recovery> =>
  request<Recovery>('POST', '/recovery/confirm', { body, signal })

/** Forget new words that were not confirmed. (DELETE /recovery/words) */
export const dropWords = (signal?: AbortSignal): Promise<void> =>
  request<void>('DELETE', '/recovery/words', { signal })

/** How backups of what was said stand. (GET /backups) */
export const backups = (signal?: AbortSignal): Promise<Backups> =>
  request<Backups>('GET', '/backups', { signal })

/** Say when and where backups are made. (PUT /backups) */
export const setBackups = (body: SetBackups, signal?: AbortSignal): Promise<Backups> =>
  request<Backups>('PUT', '/backups', { body, signal })

/** Make one where the schedule says. Answers when it is whole. (POST /backups/now) */
export const makeBackup = (signal?: AbortSignal): Promise<Backups> =>
  request<Backups>('POST', '/backups/now', { signal })

/** A backup as a file, for the 24 words. (GET /backups/file) */
export const backupFileAddress = (query: { v?: string } = {}): string => address('/backups/file', query)

/** Hand over the next part of a file that is to be restored. (POST /backups/parts) */
export const backupPart = (body: BackupPart, signal?: AbortSignal): Promise<BackupFile> =>
  request<BackupFile>('POST', '/backups/parts', { body, signal })

/** Restore a backup of this account. Answers when it was opened; what is here stays. (POST /backups/restore) */
export const restoreBackup = (body: RestoreBackup, signal?: AbortSignal): Promise<Backups> =>
  request<Backups>('POST', '/backups/restore', { body, signal })

/** Move this account to another home server. Answers when it lives there; what was begun goes on by itself. (POST /account/move) */
export const move = (body: Move, signal?: AbortSignal): Promise<Self> =>
  request<Self>('POST', '/account/move', { body, signal })

/** Delete the account at its server, leave every room, empty this home. (DELETE /account) */
export const deleteAccount = (body: EndAccount, signal?: AbortSignal): Promise<void> =>
  request<void>('DELETE', '/account', { body, signal })

/** Start a home server on this computer. (POST /server) */
export const startServer = (body: NewServer, signal?: AbortSignal): Promise<LocalServer> =>
  request<LocalServer>('POST', '/server', { body, signal })

/** Stop it. (DELETE /server) */
export const stopServer = (signal?: AbortSignal): Promise<void> =>
  request<void>('DELETE', '/server', { signal })

/** The conversations, newest first. (GET /rooms) */
export const rooms = (query: RoomList = {}, signal?: AbortSignal): Promise<Room[]> =>
  request<Room[]>('GET', '/rooms', { query, signal })

/** Make a group. (POST /rooms) */
export const createRoom = (body: NewRoom, signal?: AbortSignal): Promise<Room> =>
  request<Room>('POST', '/rooms', { body, signal })

/** The room for notes to oneself; it is made when there is none. (POST /rooms/self) */
export const notes = (signal?: AbortSignal): Promise<Room> =>
  request<Room>('POST', '/rooms/self', { signal })

/** Come in by a link. (POST /rooms/join) */
export const joinByLink = (body: JoinByLink, signal?: AbortSignal): Promise<Joined> =>
  request<Joined>('POST', '/rooms/join', { body, signal })

/** Everything about a room. (GET /rooms/{room}) */
export const room = (room: string, signal?: AbortSignal): Promise<RoomDetail> =>
  request<RoomDetail>('GET', `/rooms/${part(room)}`, { signal })

/** Change a room for everybody. (PATCH /rooms/{room}) */
export const changeRoom = (room: string, body: RoomChange, signal?: AbortSignal): Promise<RoomDetail> =>
  request<RoomDetail>('PATCH', `/rooms/${part(room)}`, { body, signal })

/** Move a conversation to one's own home server. (POST /rooms/{room}/move) */
export const moveRoom = (room: string, body: MoveRoom, signal?: AbortSignal): Promise<RoomDetail> =>
  request<RoomDetail>('POST', `/rooms/${part(room)}/move`, { body, signal })

/** Remove a room that was left, with its history, from this device. (DELETE /rooms/{room}) */
export const deleteRoom = (room: string, signal?: AbortSignal): Promise<void> =>
  request<void>('DELETE', `/rooms/${part(room)}`, { signal })

/** Change what a room is to this person. (PATCH /rooms/{room}/mine) */
export const markRoom = (room: string, body: RoomMine, signal?: AbortSignal): Promise<Room> =>
  request<Room>('PATCH', `/rooms/${part(room)}/mine`, { body, signal })

/** Leave a room. (POST /rooms/{room}/leave) */
export const leaveRoom = (room: string, signal?: AbortSignal): Promise<void> =>
  request<void>('POST', `/rooms/${part(room)}/leave`, { signal })

/** Remove a room's messages from this device. (POST /rooms/{room}/clear) */
export const clearRoom = (room: string, signal?: AbortSignal): Promise<void> =>
  request<void>('POST', `/rooms/${part(room)}/clear`, { signal })

/** Add people. (POST /rooms/{room}/members) */
export const addMembers = (room: string, body: AddMembers, signal?: AbortSignal): Promise<RoomDetail> =>
  request<RoomDetail>('POST', `/rooms/${part(room)}/members`, { body, signal })

/** Remove a person. (DELETE /rooms/{room}/members/{account}) */
export const removeMember = (room: string, account: string, signal?: AbortSignal): Promise<RoomDetail> =>
  request<RoomDetail>('DELETE', `/rooms/${part(room)}/members/${part(account)}`, { signal })

/** Make a person an admin, or a member again. (PUT /rooms/{room}/members/{account}/admin) */
export const setAdmin = (room: string, account: string, body: SetAdmin, signal?: AbortSignal): Promise<RoomDetail> =>
  request<RoomDetail>('PUT', `/rooms/${part(room)}/members/${part(account)}/admin`, { body, signal })

/** Make an invitation link to a room. (POST /rooms/{room}/links) */
export const createLink = (room: string, body: NewLink, signal?: AbortSignal): Promise<Link> =>
  request<Link>('POST', `/rooms/${part(room)}/links`, { body, signal })

/** End an invitation link. (DELETE /rooms/{room}/links/{link}) */
export const dropLink = (room: string, link: string, signal?: AbortSignal): Promise<void> =>
  request<void>('DELETE', `/rooms/${part(room)}/links/${part(link)}`, { signal })

/** Let somebody in, or not. (POST /rooms/{room}/knocks/{knock}) */
export const answerKnock = (room: string, knock: string, body: AnswerKnock, signal?: AbortSignal): Promise<void> =>
  request<void>('POST', `/rooms/${part(room)}/knocks/${part(knock)}`, { body, signal })

/** A part of a room. (GET /rooms/{room}/messages) */
export const messages = (room: string, query: PageQuery = {}, signal?: AbortSignal): Promise<Page> =>
  request<Page>('GET', `/rooms/${part(room)}/messages`, { query, signal })

/** Mark messages as read. (POST /rooms/{room}/seen) */
export const seen = (room: string, body: Seen, signal?: AbortSignal): Promise<void> =>
  request<void>('POST', `/rooms/${part(room)}/seen`, { body, signal })

/** Tell that this person writes. (POST /rooms/{room}/typing) */
export const typing = (room: string, body: Typing, signal?: AbortSignal): Promise<void> =>
  request<void>('POST', `/rooms/${part(room)}/typing`, { body, signal })

/** A room's picture. (GET /rooms/{room}/picture) */
export const roomPictureAddress = (room: string, query: { v?: string } = {}): string => address(`/rooms/${part(room)}/picture`, query)

/** Who can see what is said in a room. (GET /rooms/{room}/who) */
export const roomWho = (room: string, signal?: AbortSignal): Promise<Who> =>
  request<Who>('GET', `/rooms/${part(room)}/who`, { signal })

/** Write to a room or a person. Answers when it is durable here. (POST /messages) */
export const send = (body: NewMessage, signal?: AbortSignal): Promise<Message> =>
  request<Message>('POST', '/messages', { body, signal })

/** One message. (GET /messages/{message}) */
export const message = (message: string, signal?: AbortSignal): Promise<Message> =>
  request<Message>('GET', `/messages/${part(message)}`, { signal })

/** Give an own message another text. (PATCH /messages/{message}) */
export const edit = (message: string, body: EditMessage, signal?: AbortSignal): Promise<Message> =>
  request<Message>('PATCH', `/messages/${part(message)}`, { body, signal })

/** Take an own message back, or remove any from this device. (DELETE /messages/{message}) */
export const deleteMessage = (message: string, query: DeleteQuery = {}, signal?: AbortSignal): Promise<void> =>
  request<void>('DELETE', `/messages/${part(message)}`, { query, signal })

/** Set this person's reaction. (PUT /messages/{message}/reaction) */
export const react = (message: string, body: React, signal?: AbortSignal): Promise<Message> =>
  request<Message>('PUT', `/messages/${part(message)}/reaction`, { body, signal })

/** Star a message. (PUT /messages/{message}/star) */
export const star = (message: string, body: SetOn, signal?: AbortSignal): Promise<Message> =>
  request<Message>('PUT', `/messages/${part(message)}/star`, { body, signal })

/** Pin a message in its room, for everybody. (PUT /messages/{message}/pin) */
export const pin = (message: string, body: SetOn, signal?: AbortSignal): Promise<Message> =>
  request<Message>('PUT', `/messages/${part(message)}/pin`, { body, signal })

/** Write a message's text to others. (POST /messages/{message}/forward) */
export const forward = (message: string, body: Forward, signal?: AbortSignal): Promise<Message[]> =>
  request<Message[]>('POST', `/messages/${part(message)}/forward`, { body, signal })

/** Send a failed or expired message again. (POST /messages/{message}/retry) */
export const retry = (message: string, signal?: AbortSignal): Promise<Message> =>
  request<Message>('POST', `/messages/${part(message)}/retry`, { signal })

/** Who can see a message. (GET /messages/{message}/who) */
export const messageWho = (message: string, signal?: AbortSignal): Promise<Who> =>
  request<Who>('GET', `/messages/${part(message)}/who`, { signal })

/** The calls that ring or go on. (GET /calls) */
export const calls = (signal?: AbortSignal): Promise<Call[]> =>
  request<Call[]>('GET', '/calls', { signal })

/** The calls that are over, the last one first. (GET /calls/past) */
export const pastCalls = (query: PastCalls = {}, signal?: AbortSignal): Promise<Call[]> =>
  request<Call[]>('GET', '/calls/past', { query, signal })

/** Call the other person of a conversation of two. (POST /calls) */
export const startCall = (body: NewCall, signal?: AbortSignal): Promise<Call> =>
  request<Call>('POST', '/calls', { body, signal })

/** One call. (GET /calls/{call}) */
export const call = (call: string, signal?: AbortSignal): Promise<Call> =>
  request<Call>('GET', `/calls/${part(call)}`, { signal })

/** What the other side of a call has said so far. (GET /calls/{call}/media) */
export const callMedia = (call: string, signal?: AbortSignal): Promise<CallMedia> =>
  request<CallMedia>('GET', `/calls/${part(call)}/media`, { signal })

/** Take a call that rings. Answers when this device's answer is the one that counts. (POST /calls/{call}/answer) */
export const answerCall = (call: string, body: CallDescription, signal?: AbortSignal): Promise<Call> =>
  request<Call>('POST', `/calls/${part(call)}/answer`, { body, signal })

/** Tell the other side ICE candidates of this one. (POST /calls/{call}/candidates) */
export const addCandidates = (call: string, body: NewCandidates, signal?: AbortSignal): Promise<void> =>
  request<void>('POST', `/calls/${part(call)}/candidates`, { body, signal })

/** Give this side another description: an ICE restart. Where the other side was first with its own, that is the one to answer. (POST /calls/{call}/renew) */
export const renewCall = (call: string, body: CallDescription, signal?: AbortSignal): Promise<CallMedia> =>
  request<CallMedia>('POST', `/calls/${part(call)}/renew`, { body, signal })

/** Answer the other side's new description. (POST /calls/{call}/renewed/{round}) */
export const callRenewed = (call: string, round: string, body: CallDescription, signal?: AbortSignal): Promise<void> =>
  request<void>('POST', `/calls/${part(call)}/renewed/${part(round)}`, { body, signal })

/** Say that both see the same words. (PUT /calls/{call}/matched) */
export const callMatched = (call: string, body: SetOn, signal?: AbortSignal): Promise<void> =>
  request<void>('PUT', `/calls/${part(call)}/matched`, { body, signal })

/** Hang up, decline, or give up. (POST /calls/{call}/end) */
export const endCall = (call: string, body: EndCall, signal?: AbortSignal): Promise<void> =>
  request<void>('POST', `/calls/${part(call)}/end`, { body, signal })

/** The files of conversations, newest first. (GET /files) */
export const files = (query: FileList = {}, signal?: AbortSignal): Promise<File[]> =>
  request<File[]>('GET', '/files', { query, signal })

/** Write a message with files to a room or a person. Answers when it is durable here; the message follows its files. (POST /messages/files) */
export const sendFiles = (body: NewFiles, signal?: AbortSignal): Promise<Message> =>
  request<Message>('POST', '/messages/files', { body, signal })

/** Hand over the next part of a file that is to be sent. (POST /files/parts) */
export const filePart = (body: FilePart, signal?: AbortSignal): Promise<HandedFile> =>
  request<HandedFile>('POST', '/files/parts', { body, signal })

/** What a file holds; ranges are answered. From this computer where it is here, else from its server, of which only what is read is asked. (GET /messages/{message}/files/{file}) */
export const fileAddress = (message: string, file: string, query: { v?: string } = {}): string => address(`/messages/${part(message)}/files/${part(file)}`, query)

/** Fetch a file into a folder. Answers when that has begun. (POST /messages/{message}/files/{file}) */
export const getFile = (message: string, file: string, body: GetFile, signal?: AbortSignal): Promise<File> =>
  request<File>('POST', `/messages/${part(message)}/files/${part(file)}`, { body, signal })

/** Pause a file on its way, or let it go on. (PATCH /messages/{message}/files/{file}) */
export const changeFile = (message: string, file: string, body: FileChange, signal?: AbortSignal): Promise<File> =>
  request<File>('PATCH', `/messages/${part(message)}/files/${part(file)}`, { body, signal })

/** End the fetching of a file. (DELETE /messages/{message}/files/{file}) */
export const cancelFile = (message: string, file: string, signal?: AbortSignal): Promise<void> =>
  request<void>('DELETE', `/messages/${part(message)}/files/${part(file)}`, { signal })

/** Search everything. (GET /search) */
export const search = (query: SearchQuery = {}, signal?: AbortSignal): Promise<Found> =>
  request<Found>('GET', '/search', { query, signal })

/** Where a call in a room is helped: STUN and TURN. No servers: nowhere, and it may do without. (GET /calls/relays) */
export const relays = (query: RelayQuery = {}, signal?: AbortSignal): Promise<Relays> =>
  request<Relays>('GET', '/calls/relays', { query, signal })

/** Everybody this device knows as a contact or has blocked. (GET /people) */
export const people = (signal?: AbortSignal): Promise<Person[]> =>
  request<Person[]>('GET', '/people', { signal })

/** Look somebody up by a handle or a link. (POST /people/find) */
export const findPerson = (body: FindPerson, signal?: AbortSignal): Promise<Person> =>
  request<Person>('POST', '/people/find', { body, signal })

/** Everything about a person. (GET /people/{account}) */
export const person = (account: string, signal?: AbortSignal): Promise<PersonDetail> =>
  request<PersonDetail>('GET', `/people/${part(account)}`, { signal })

/** Change what a person is here. (PATCH /people/{account}) */
export const changePerson = (account: string, body: PersonChange, signal?: AbortSignal): Promise<PersonDetail> =>
  request<PersonDetail>('PATCH', `/people/${part(account)}`, { body, signal })

/** A person's picture. (GET /people/{account}/picture) */
export const personPictureAddress = (account: string, query: { v?: string } = {}): string => address(`/people/${part(account)}/picture`, query)

/** Who can see what is said to a person. (GET /people/{account}/who) */
export const personWho = (account: string, signal?: AbortSignal): Promise<Who> =>
  request<Who>('GET', `/people/${part(account)}/who`, { signal })

/** Strangers who wait. (GET /requests) */
export const requests = (signal?: AbortSignal): Promise<Request[]> =>
  request<Request[]>('GET', '/requests', { signal })

/** Accept, put off or block. (POST /requests/{account}) */
export const answerRequest = (account: string, body: AnswerRequest, signal?: AbortSignal): Promise<void> =>
  request<void>('POST', `/requests/${part(account)}`, { body, signal })

/** Make a report to hand to an operator. Sends nothing. (POST /reports) */
export const report = (body: Report, signal?: AbortSignal): Promise<Reported> =>
  request<Reported>('POST', '/reports', { body, signal })

/** Change what this person shows. (PATCH /me) */
export const changeProfile = (body: Profile, signal?: AbortSignal): Promise<Self> =>
  request<Self>('PATCH', '/me', { body, signal })

/** Make a link by which people can write to this person, and register where the server lets its people invite. (POST /me/links) */
export const myLink = (body: NewLink, signal?: AbortSignal): Promise<Link> =>
  request<Link>('POST', '/me/links', { body, signal })

/** The settings. (GET /settings) */
export const settings = (signal?: AbortSignal): Promise<Settings> =>
  request<Settings>('GET', '/settings', { signal })

/** Change some settings. (PATCH /settings) */
export const changeSettings = (body: SettingsChange, signal?: AbortSignal): Promise<Settings> =>
  request<Settings>('PATCH', '/settings', { body, signal })

/** What this device keeps. (GET /storage) */
export const storage = (signal?: AbortSignal): Promise<Storage> =>
  request<Storage>('GET', '/storage', { signal })

/** Everything, as a ZIP archive. (GET /export) */
export const exportAddress = (query: ExportQuery = {}): string => address('/export', query)

/** What the person should know. (GET /notices) */
export const notices = (query: NoticeQuery = {}, signal?: AbortSignal): Promise<Notice[]> =>
  request<Notice[]>('GET', '/notices', { query, signal })

/** Say which notices were shown. (PUT /notices/told) */
export const told = (body: Told, signal?: AbortSignal): Promise<void> =>
  request<void>('PUT', '/notices/told', { body, signal })

/** A QR code of a text. (GET /qr) */
export const qr = (query: QRQuery = {}, signal?: AbortSignal): Promise<QR> =>
  request<QR>('GET', '/qr', { query, signal })
