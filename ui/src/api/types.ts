// Made by go generate ./internal/app/schema from internal/app/api: do not change it here.

/** AddMembers adds people to a room. */
export interface AddMembers {
  handles: string[]
}

/** AnswerKnock lets somebody in, or not. */
export interface AnswerKnock {
  accept: boolean
}

/** AnswerRequest answers a stranger. */
export interface AnswerRequest {
  /** accept, later or block */
  answer: string
}

/** Back is what a recovery has not brought back yet. */
export interface Back {
  /** whose servers have not answered */
  people: number
  /** titles of rooms of which no member has said yes */
  rooms: string[]
}

/** BackupFile is how far a file was handed over, and what opens it. */
export interface BackupFile {
  size: number
  /** its account's 24 words */
  words: boolean
  /** a passphrase */
  passphrase: boolean
}

/** BackupOffer is a backup that can be restored. */
export interface BackupOffer {
  time: number
  size: number
  messages: number
}

/** BackupPart is a part of a file that a window hands over, to be restored. */
export interface BackupPart {
  /** where it belongs; 0 begins anew */
  at: number
  /** base64 */
  data: string
}

/** BackupSchedule is when this device makes backups by itself. */
export type BackupSchedule = 'off' | 'daily' | 'weekly'

/** Backups is how backups stand on this device. */
export interface Backups {
  schedule: BackupSchedule
  /** where they go */
  folder?: string
  /** they go to the home server */
  server: boolean
  /** files have one */
  passphrase: boolean
  /** when the last one was begun */
  last?: number
  /** of it, bytes */
  size?: number
  /** in it */
  messages?: number
  /** when one is due; also in the past, where no server is reached */
  next?: number
  /** when one at the home server ends, if it is not renewed */
  until?: number
  /** in a row */
  failures?: number
  /** the last of them */
  why?: Failure
  /** one is being made */
  running?: Progress
  /** at the home server: it can be restored here without the words */
  offer?: BackupOffer
  /** under way, or the last one */
  restore?: Restore
}

/** Call is a call that rings or runs, or, in the list of calls, one that is over. */
export interface Call {
  /** 32 hexadecimal digits */
  id: string
  room: string
  /** the other account */
  person: string
  name: string
  tint: number
  /** numbers were compared */
  compared: boolean
  outgoing: boolean
  video: boolean
  stage: CallStage
  /** this device holds it */
  here: boolean
  /** the window that has its sound and picture */
  window?: string
  /** the offer */
  began: number
  /** the answer that counts */
  answered?: number
  ended?: number
  end?: CallEnd
  /** this side must take relayed paths only */
  relayed: boolean
  /** two, once the call is taken; both sides read them out */
  words?: string[]
  matched?: boolean
  /** of the called person that ring */
  devices?: number
  /** this device rings */
  rings?: boolean
  /** of a call that came to nothing since the other person called at the same moment: that call; who held this one answers it */
  instead?: string
}

/** CallDescription is a description of a call's side: of an answer, a renewal or the answer to one. */
export interface CallDescription {
  sdp: string
  window?: string
}

/** CallEnd is why a call is over. */
export type CallEnd = 'hung_up' | 'declined' | 'busy' | 'missed' | 'failed' | 'elsewhere'

/** CallMedia is what the one who holds a call needs of the other side: everything so far. */
export interface CallMedia {
  call: Call
  round: number
  /** of this round, if the other side made it */
  offer?: string
  /** of this round, if the other side made it */
  answer?: string
  /** of the other side, in this round */
  candidates: Candidate[]
}

/** CallStage is how far a call is. */
export type CallStage = 'calling' | 'ringing' | 'talking' | 'over'

/** Candidate is an ICE candidate, RFC 8445, as RTCIceCandidate has it. */
export interface Candidate {
  mid: string
  line: number
  /** "": the last one of this round */
  candidate: string
}

/** Change is something that changed about a person, newest first. */
export interface Change {
  time: number
  /** met, name, picture, status, device-added, device-revoked, key, handle, compared */
  what: string
  /** the new value, if there is one to show */
  text: string
}

/** ConfirmLinking says that both devices show the same words. */
export interface ConfirmLinking {
  /** where one guards the key */
  passphrase?: string
}

/** ConfirmWords takes the words that were asked for. */
export interface ConfirmWords {
  words: string[]
}

/** Custody says what guards the key of the device's database. */
export type Custody = 'file' | 'passphrase' | 'keyring'

/** DeleteQuery says how to delete a message. */
export interface DeleteQuery {
  /** only on this device; else it is taken back everywhere */
  here?: boolean
}

/** Device is a device of a person's chain. */
export interface Device {
  name: string
  added?: number
  self: boolean
}

/** EditMessage gives a message another text. */
export interface EditMessage {
  text: string
}

/** EndAccount deletes the account everywhere and empties this home. */
export interface EndAccount {
  /** typed again */
  handle: string
}

/** EndCall ends a call: hung_up, declined, busy or failed. */
export interface EndCall {
  end: CallEnd
  /** a message that goes with it: decline with a few words */
  text?: string
}

/** Event is one of GET /events: server-sent events whose data is this, as JSON. The first is always EventHello. Whoever loses the connection connects anew and loads again what it shows: nothing is replayed. */
export interface Event {
  type: EventType
  room?: string
  /** room: as it is in the list now, if it is there */
  row?: Room
  /** message and changed */
  message?: Message
  /** gone: of the message */
  id?: string
  /** an account */
  person?: string
  /** writing, here */
  on?: boolean
  notice?: Notice
  /** file: of the message ID */
  file?: File
  hosts?: Host[]
  /** call */
  call?: Call
  /** media: Candidates are the new ones */
  media?: CallMedia
  text?: string
  /** trouble: of what Text says: see docs/command-line.md */
  code?: string
}

/** EventStream says who listens. Of a window that holds a call the stream is what keeps it. */
export interface EventStream {
  /** its name, as PUT /window has it, or any other of 1 to 64 letters and digits */
  window?: string
}

/** EventType says what happened. */
export type EventType = 'call' | 'media' | 'hello' | 'message' | 'changed' | 'gone' | 'room' | 'rooms' | 'person' | 'requests' | 'writing' | 'here' | 'notice' | 'hosts' | 'settings' | 'phase' | 'history' | 'file' | 'linking' | 'backups' | 'recovery' | 'trouble' | 'open'

/** ExportQuery says how everything is exported. */
export interface ExportQuery {
  /** json or html: a ZIP archive */
  format?: string
}

/** Failure is the body of every answer that is not 2xx. */
export interface Failure {
  /** stable: see docs/command-line.md */
  code: string
  /** for people: what happened and what to do */
  text: string
  /** the same where it is one of sotto's sentences */
  said?: Said
  /** the field of the request that it is about */
  field?: string
  /** to be copied, where somebody else could help with it */
  detail?: string
}

/** File is a file of a message, as this device has it. Name, type, bounds, length, waveform and preview are its sender's word. */
export interface File {
  /** of the message's files, from 1 */
  number: number
  /** id */
  message: string
  room: string
  /** who sent it */
  account: string
  own: boolean
  time: number
  /** safe to show and to keep */
  name: string
  /** media type */
  type: string
  /** bytes */
  size: string
  /** file, voice or video: the last two were recorded for this message */
  kind: string
  width?: string
  height?: string
  /** milliseconds */
  duration?: string
  /** base64: loudness from 0 to 255, at even distances */
  wave?: string
  /** base64: a small picture, a PNG, JPEG or WebP */
  preview?: string
  /** program, script, shortcut, macros, disk or page: do not open it without thought */
  danger?: string
  /** it can be had */
  until?: number
  /** offered, waiting, moving, paused, stored (of an own one: the server has it), here, failed, expired */
  state: string
  /** bytes on the way, of Total */
  done: number
  total: number
  /** bytes in a second */
  rate?: number
  /** seconds */
  left?: number
  /** on this computer */
  path?: string
  why?: string
  /** of why: see docs/command-line.md */
  code?: string
}

/** FileChange changes how a file goes on. */
export interface FileChange {
  paused: boolean
}

/** FileList asks for files. */
export interface FileList {
  /** of this room alone */
  room?: string
  /** of messages said before a time */
  before?: number
  /** those of at most so many messages: 1 to 200, 60 by default */
  limit?: number
}

/** FilePart is a part of a file that a window hands over, to be sent. */
export interface FilePart {
  /** none begins one */
  id?: string
  /** where the part belongs */
  at: number
  /** base64, at most 700 KiB of it */
  data: string
}

/** FindPerson looks somebody up by a handle or an invitation link. */
export interface FindPerson {
  handle: string
}

/** Forward writes a message's text to others. */
export interface Forward {
  to: string[]
}

/** Found is what a search found, newest first. */
export interface Found {
  hits: Hit[]
  /** for more */
  cursor?: string
  /** older messages are not found yet: the index is being made */
  partial?: boolean
}

/** GetFile fetches a file. */
export interface GetFile {
  /** absolute */
  folder: string
}

/** HandedFile is how far a file was handed over. */
export interface HandedFile {
  id: string
  size: number
}

/** Hit is a message that a search found. Marks are the parts of Snippet that match, as offsets in UTF-16 units: from, to, from, to, … */
export interface Hit {
  message: Message
  room_name: string
  snippet: string
  marks: number[]
}

/** Holder is a person with keys. */
export interface Holder {
  account: string
  handle: string
  name: string
  tint: number
  self: boolean
  /** when numbers were compared */
  compared?: number
  changed?: boolean
  /** their names */
  devices: string[]
}

/** Host is a server that this device talks to. */
export interface Host {
  host: string
  /** one's own home server */
  home: boolean
  up: boolean
  /** down since */
  since?: number
  why?: string
  /** of why: see docs/command-line.md */
  code?: string
  /** when it will be switched off, as it says itself */
  retiring?: number
  /** what its operator says about that */
  reason?: string
}

/** InspectLink asks what an invitation link is, without spending it. */
export interface InspectLink {
  link: string
}

/** JoinByLink knocks at a room by a link. */
export interface JoinByLink {
  link: string
}

/** Joined answers JoinByLink. */
export interface Joined {
  /** when it is entered already */
  room?: string
  waiting: boolean
}

/** KeptThing is one line of what the server keeps. What and Value are stable names with figures, which the interface puts into words. */
export interface KeptThing {
  /** message, before, never, room, account, inbox */
  what: string
  /** nothing-erased, waiting, one-entry, words-names-members, … */
  value: string
  bytes?: number
  time?: number
  count?: number
  /** how long at most */
  seconds?: number
}

/** Knock is somebody who waits for approval: who came by a link, or a member who lost every device, has a new key and asks to come back. */
export interface Knock {
  id: string
  returns: boolean
  handle: string
  account: string
  name: string
  tint: number
  time: number
}

/** Last is the last message of a room, for the list. */
export interface Last {
  /** shown name; "" when it is one's own */
  from: string
  own: boolean
  /** one line, plain */
  text: string
  /** of an event */
  said?: Said
  deleted?: boolean
  /** as in Message */
  kind: string
  state: string
}

/** Link is an invitation link. */
export interface Link {
  id: string
  /** the secret stands behind the # */
  url: string
  /** rows of 0 and 1, separated by newlines */
  qr: string
  until: number
  approve?: boolean
  used: number
}

/** LinkDevice makes this device, which has no account, one of an account's. */
export interface LinkDevice {
  /** not with what the QR code holds */
  handle?: string
  /** digits, or what the QR code holds */
  code: string
  /** of this device */
  name?: string
  passphrase?: string
}

/** LinkInfo is what an invitation link says. */
export interface LinkInfo {
  kind: LinkKind
  host: string
  /** who invites */
  handle?: string
  account?: string
  /** shown name of who invites */
  name?: string
  /** of a room */
  title?: string
  until?: number
  /** its time is over */
  over?: boolean
  /** somebody has to say yes */
  approve?: boolean
}

/** LinkKind says what a link invites to. */
export type LinkKind = 'account' | 'contact' | 'room'

/** Linking is the linking of a device: under way, or the last one. Stage none: there was none. */
export interface Linking {
  /** none, waiting, compare, adding, done, failed */
  stage: string
  /** this device has the account, and shows the code */
  old: boolean
  code?: string
  /** what the QR code holds */
  text?: string
  /** rows of 0 and 1 */
  qr?: string
  until?: number
  /** two, which both devices show */
  words?: string[]
  /** what the new device would like to be called */
  name?: string
  /** of failed */
  why?: Failure
}

/** LocalServer is a home server that this app runs. */
export interface LocalServer {
  /** the part of handles after the @ */
  host: string
  running: boolean
  why?: string
  reach: Reach[]
}

/** MakeWords makes new words. */
export interface MakeWords {
  /** the words that the account has */
  old?: string
  /** where one guards the key */
  passphrase?: string
}

/** Member is somebody in a room. */
export interface Member {
  account: string
  handle: string
  /** shown */
  name: string
  picture?: string
  tint: number
  admin: boolean
  self: boolean
  compared: boolean
  changed: boolean
  here: boolean
  devices: number
}

/** Message is one message of a room. Edits, reactions and deletions are shown at the message that they act on and are no messages here. */
export interface Message {
  id: string
  room: string
  /** order within the room; 0 until it has one: those come last */
  pos: number
  /** text, reply, attachment, other; or event: something that happened in the room */
  kind: string
  /** who wrote it */
  account: string
  handle: string
  /** shown */
  name: string
  tint: number
  own: boolean
  /** of an event: what happened, a kind of notice */
  event?: string
  /** Markdown; of an event a sentence in English */
  text: string
  /** of an event: the same sentence, to be said in any language */
  said?: Said
  /** of the event "call": the call, if this device has it */
  call?: Call
  /** by the sender's clock */
  sent: number
  arrived?: number
  /** received, or of an own message queued, stored, delivered, read, failed, expired */
  state: string
  /** of failed: what happened and what to do */
  why?: string
  /** of why: see docs/command-line.md */
  code?: string
  reply?: Quote
  edited?: boolean
  deleted?: boolean
  forwarded?: boolean
  starred?: boolean
  pinned?: boolean
  seen: boolean
  /** names this person */
  mentions?: boolean
  expires?: number
  /** seconds after it is read */
  vanish?: number
  reactions?: Reaction[]
  files?: File[]
}

/** Moment is a point in the life of a message. */
export interface Moment {
  /** written, stored, delivered, read, erased, vanishes, expires */
  what: string
  time?: number
  done: boolean
  /** delivered, read: to how many people */
  count?: number
  /** of how many */
  of?: number
}

/** Move moves this account to another home server. */
export interface Move {
  /** name@host there */
  handle: string
  /** a link, or the code in it, where that server is not open */
  invitation?: string
  /** the conversations at the old server move along */
  rooms?: boolean
  /** the old server is gone for good: do not wait for it */
  without?: boolean
  /** where one guards the key */
  passphrase?: string
}

/** MoveRoom moves a conversation to another server. */
export interface MoveRoom {
  /** "": one's own home server */
  host?: string
}

/** NameInfo says whether a handle can be had. */
export interface NameInfo {
  /** in its normal form */
  handle: string
  free: boolean
  /** why not */
  text?: string
}

/** NameQuery asks whether a handle can be had. */
export interface NameQuery {
  handle?: string
}

/** NewAccount makes the account of this device. */
export interface NewAccount {
  handle: string
  name?: string
  /** a link, or a code */
  invitation?: string
  /** to lock with; "" keeps the custody as it is */
  passphrase?: string
}

/** NewCall calls somebody. The description has the five parts of docs/protocol.md. */
export interface NewCall {
  room: string
  video?: boolean
  sdp: string
  /** this window holds the call: it ends when the window's event stream does */
  window?: string
}

/** NewCandidates tells the other side of candidates. */
export interface NewCandidates {
  /** 0 of offer and answer, else of a renewal */
  round: number
  candidates: Candidate[]
}

/** NewFile is a file that is to be sent: one of this computer, or one that was handed over. */
export interface NewFile {
  /** absolute */
  path?: string
  handed?: string
  /** for the others */
  name?: string
  /** media type; by its name */
  type?: string
  /** of a picture: also what the camera wrote into it */
  raw?: boolean
  /** file, voice or video */
  kind?: string
  width?: string
  height?: string
  /** milliseconds */
  duration?: string
  /** base64, at most 256 bytes */
  wave?: string
  /** base64: a PNG, JPEG or WebP of at most 32 KiB */
  preview?: string
}

/** NewFiles writes a message with files. */
export interface NewFiles {
  /** a room's id or a handle */
  to: string
  text?: string
  /** the message that it answers */
  reply?: string
  /** seconds that they can be had; 30 days by default */
  keep?: number
  files: NewFile[]
}

/** NewLink makes an invitation link: to a room, or to this person. */
export interface NewLink {
  /** until it is over; at most 30 days */
  hours: number
  /** to a room: an admin has to say yes */
  approve?: boolean
}

/** NewMessage writes a message. */
export interface NewMessage {
  /** a room's id or a handle */
  to: string
  text: string
  reply?: string
  /** seconds from now, everywhere */
  expire?: number
  forwarded?: boolean
}

/** NewOpening asks for an address to open a window with, and takes a link that sotto was opened with. */
export interface NewOpening {
  link?: string
}

/** NewRoom makes a group. */
export interface NewRoom {
  title: string
  /** handles */
  with: string[]
  disappear?: number
}

/** NewServer starts a home server on this computer. */
export interface NewServer {
  /** a name or address of this computer; "" finds one */
  host?: string
}

/** NewWords are words to be written down. Nothing answers them a second time. */
export interface NewWords {
  /** 24 */
  words: string[]
  /** that are asked for, from 1 */
  places: number[]
}

/** Notice is something the person should know. */
export interface Notice {
  id: number
  /** see docs/command-line.md */
  kind: string
  room?: string
  time: number
  /** in English */
  text: string
  said?: Said
}

/** NoticeQuery asks for notices. */
export interface NoticeQuery {
  /** an id */
  after?: number
  room?: string
}

/** OpenSession exchanges a one-time token for a session cookie. */
export interface OpenSession {
  token: string
}

/** Opening is an address that opens one window within two minutes. */
export interface Opening {
  url: string
}

/** OwnDevice is a device of this person. */
export interface OwnDevice {
  /** 32 hexadecimal digits */
  device: string
  /** what it is called here */
  name: string
  added?: number
  /** the device that linked it */
  by?: string
  self: boolean
  /** While the history is coming to it, as far as this device knows: messages there, and in all. */
  history?: Progress
}

/** Page is a part of a room, oldest first. */
export interface Page {
  messages: Message[]
  more_before: boolean
  more_after: boolean
  first_unread?: string
  /** what Around, Date or Unread found */
  target?: string
}

/** PageQuery asks for a part of a room. One of Before, After, Around, Date and Unread says where; none of them the end. */
export interface PageQuery {
  /** a pos */
  before?: number
  /** a pos */
  after?: number
  /** a message's id */
  around?: string
  /** the first message at or after a time */
  date?: number
  /** around the first that was not seen */
  unread?: boolean
  /** 1 to 200, 60 by default */
  limit?: number
}

/** PastCalls asks for calls that are over, the last one first. */
export interface PastCalls {
  /** a call: those before it */
  before?: string
  /** 1 to 200, 60 by default */
  limit?: number
}

/** Person is somebody this device knows. */
export interface Person {
  account: string
  handle: string
  /** shown: the nickname given here, else their own, else the handle's first part */
  name: string
  /** the name they gave themselves */
  own: string
  /** given here */
  nickname: string
  status: string
  picture?: string
  tint: number
  contact: boolean
  blocked: boolean
  /** when numbers were compared; they still hold */
  compared?: number
  /** a key changed since they were compared, or since they were first met */
  changed: boolean
  /** messages to them wait: a key changed after numbers were compared */
  paused: boolean
  here: boolean
  /** the conversation of two */
  room?: string
}

/** PersonChange changes what a person is here. */
export interface PersonChange {
  nickname?: string
  blocked?: boolean
  /** true: they match; false: they differ or are to be compared anew */
  compared?: boolean
  contact?: boolean
  /** true: what waits is sent, though numbers were not compared again */
  send?: boolean
}

/** PersonDetail is everything about a person. */
export interface PersonDetail extends Person {
  /** the safety number: 12 groups of 5 digits */
  number: string
  /** of it, rows of 0 and 1 */
  qr: string
  /** known since */
  since: number
  devices: Device[]
  /** in common */
  rooms: Room[]
  changes: Change[]
}

/** Phase says how far the app is. */
export type Phase = 'new' | 'locked' | 'open'

/** Profile changes what this person shows to others. */
export interface Profile {
  /** at most 64 characters */
  name?: string
  /** at most 140 characters */
  status?: string
  /** PNG, JPEG or WebP of at most 32 KiB; empty takes it away */
  picture?: string
}

/** Progress is how far something is. */
export interface Progress {
  done: number
  total: number
}

/** QR is a QR code: rows of 0 and 1, separated by newlines. */
export interface QR {
  rows: string
}

/** QRQuery asks for a QR code. */
export interface QRQuery {
  text?: string
}

/** Quote is what a reply answers. */
export interface Quote {
  id: string
  name: string
  own: boolean
  text: string
  deleted?: boolean
  /** it is not here */
  gone?: boolean
}

/** Reach says who can reach a server at an address. */
export interface Reach {
  address: string
  /** "this computer", "network" or "everybody" */
  who: string
  /** it was tried */
  sure: boolean
  /** in English */
  text: string
  said: Said
}

/** React sets this person's reaction. */
export interface React {
  /** "" takes it back */
  emoji: string
}

/** Reaction is an emoji with who gave it. */
export interface Reaction {
  emoji: string
  own: boolean
  names: string[]
}

/** RecoverAccount makes this device, which has no account, the only one of an account. */
export interface RecoverAccount {
  handle: string
  words: string
  /** of this device */
  name?: string
  passphrase?: string
  /** that is restored then: server or handed */
  backup?: RestoreFrom
}

/** Recovery is how this account's 24 words stand. */
export interface Recovery {
  set: boolean
  /** since when */
  at?: number
  /** new words wait to be confirmed: these are asked for, from 1 */
  places?: number[]
  /** the home server holds the sealed record of people and conversations as this device knows them */
  record: boolean
  /** after a recovery: what is not back yet */
  back?: Back
}

/** Relay is a STUN or TURN server. */
export interface Relay {
  urls: string[]
  username?: string
  credential?: string
}

/** RelayQuery says for a call in which room. */
export interface RelayQuery {
  room?: string
}

/** Relays are where a call may be helped: for RTCPeerConnection. */
export interface Relays {
  servers: Relay[]
  /** take relayed paths only (iceTransportPolicy relay) */
  only: boolean
  /** new paths can be opened until then */
  until?: number
}

/** RenameDevice calls a device something else. */
export interface RenameDevice {
  /** at most 64 bytes; empty: the first digits of its own name */
  name: string
}

/** Report is what would be shown to an operator: messages with what proves their sender. Nothing is sent by itself. */
export interface Report {
  account: string
  /** ids; none: the request's text */
  messages: string[]
}

/** Reported is a report as a text to hand to whoever runs the server. */
export interface Reported {
  text: string
  /** the host whose operator it is for */
  to: string
}

/** Request is a stranger who wrote. */
export interface Request {
  account: string
  handle: string
  name: string
  tint: number
  room: string
  /** of the room that they invite to */
  kind: RoomKind
  title?: string
  text: string
  arrived: number
  /** names of rooms in common */
  shared: string[]
  /** the name is in use since, with the same key */
  since?: number
  /** the person said "not now" */
  later?: boolean
}

/** Restore is how far a backup was restored. */
export interface Restore {
  progress: Progress
  /** when the backup was made */
  time?: number
  done: boolean
  /** parts that were gone or damaged */
  lost?: number
  /** it ended before the end */
  why?: Failure
}

/** RestoreBackup restores a backup of this account. */
export interface RestoreBackup {
  from: RestoreFrom
  /** absolute */
  file?: string
  words?: string
  passphrase?: string
}

/** RestoreFrom is where a backup is restored from. */
export type RestoreFrom = 'server' | 'handed' | 'file'

/** Room is a conversation in the list. */
export interface Room {
  id: string
  kind: RoomKind
  state: RoomState
  /** title, or the other person's shown name */
  name: string
  /** of a pair: the other person's */
  handle?: string
  /** of a pair: the other person's */
  account?: string
  /** its version: GET /rooms/{id}/picture?v=… */
  picture?: string
  /** 1 to 6: the monogram's */
  tint: number
  host: string
  unread: number
  /** of them, that name this person */
  mentions: number
  mark_unread?: boolean
  last?: Last
  /** orders the list */
  time: number
  pinned: boolean
  archived: boolean
  muted: boolean
  muted_until?: number
  draft?: string
  /** of a pair: numbers were compared and still hold */
  compared: boolean
  /** of a pair: messages wait, since a key changed after numbers were compared */
  paused: boolean
  /** of a pair: a key changed since */
  changed: boolean
  /** of a pair: the other person is here now and lets it be seen */
  here: boolean
  /** seconds after reading; 0 never */
  disappear: number
  members: number
  /** this person is one */
  admin: boolean
  /** people who wait for approval */
  knocks: number
  writable: boolean
}

/** RoomChange changes a room for everybody. */
export interface RoomChange {
  title?: string
  /** seconds, 0 never */
  disappear?: number
  /** PNG, JPEG or WebP of at most 32 KiB; empty takes it away */
  picture?: string
}

/** RoomDetail is everything about a room. */
export interface RoomDetail extends Room {
  people: Member[]
  pins: Message[]
  links: Link[]
  waiting: Knock[]
  created: number
  /** seconds that the server keeps what was not fetched */
  ttl: number
}

/** RoomKind is pair, group or self. */
export type RoomKind = 'pair' | 'group' | 'self'

/** RoomList asks for the rooms. */
export interface RoomList {
  /** those instead of the others */
  archived?: boolean
}

/** RoomMine changes what a room is to this person. */
export interface RoomMine {
  pinned?: boolean
  archived?: boolean
  /** 0 unmutes, -1 is for ever */
  muted_until?: number
  draft?: string
  mark_unread?: boolean
}

/** RoomState says whether one is in a room. */
export type RoomState = 'active' | 'left' | 'removed'

/** RoomStorage is what one room takes. */
export interface RoomStorage {
  room: string
  name: string
  messages: number
  bytes: number
}

/** Said is a sentence of sotto's: which one, and what fills it. The sentences are in internal/said; one that is not known there is shown by its English text. */
export interface Said {
  key: string
  /** by the names in the sentence: what people and servers are called, titles, what an error said in English as why */
  values: Record<string, string>
  /** what it counts: entries as n, or the seconds of a span */
  n?: number
  /** the key of the reason, or the code of an error: see docs/command-line.md */
  why?: string
}

/** SearchQuery searches messages. Texts, or at least one of the other conditions. */
export interface SearchQuery {
  q?: string
  room?: string
  /** an account, or "me" */
  from?: string
  /** times */
  after?: number
  before?: number
  starred?: boolean
  cursor?: string
  /** 1 to 100, 30 by default */
  limit?: number
}

/** Seen marks messages of a room as read, through one of them. */
export interface Seen {
  /** a message's id; "" all */
  through: string
}

/** Self is this person. */
export interface Self {
  account: string
  handle: string
  device: string
  /** shown name, "" for none */
  name: string
  /** a sentence about oneself */
  status: string
  /** its version: GET /people/{account}/picture?v=… */
  picture?: string
}

/** ServerInfo is what a server says of itself. */
export interface ServerInfo {
  /** in its normal form */
  host: string
  /** anybody may register */
  open: boolean
}

/** ServerQuery asks about a server. */
export interface ServerQuery {
  host?: string
}

/** Session is what a window keeps besides the cookie: cookies go to every port of a computer, so that a program of somebody else that listens on another one may be shown the cookie; the key it is never shown. Each request carries it in the header Sotto-Key, or in the query as key where an element loads a picture or a download by itself. */
export interface Session {
  key: string
}

/** SetAdmin changes a role. */
export interface SetAdmin {
  admin: boolean
}

/** SetBackups says when and where backups are made. */
export interface SetBackups {
  schedule: BackupSchedule
  /** absolute */
  folder?: string
  server?: boolean
  /** of files; without one it stays as it was */
  passphrase?: string
}

/** SetCustody changes what guards the key. */
export interface SetCustody {
  custody: Custody
  /** the passphrase until now, if there is one */
  old?: string
  /** for CustodyPassphrase */
  new?: string
}

/** SetOn switches something: a star, a pin. */
export interface SetOn {
  on: boolean
}

/** Settings are the person's, for this device. Receipts, typing, presence, disappear, recent_emoji, calls_relay and calls_from are alike on all of their devices. */
export interface Settings {
  /** system, light or dark */
  theme: string
  /** "" as the system; en, de, es */
  language: string
  enter_sends: boolean
  single_keys: boolean
  /** percent, 80 to 200 */
  text_size: number
  /** text, sender, plain or off */
  notify: string
  sounds: boolean
  /** tell others when their messages arrive and are read */
  receipts: boolean
  typing: boolean
  presence: boolean
  /** minutes without use; 0 never */
  lock_after: number
  /** start when the person logs in */
  at_login: boolean
  /** days that this device keeps messages; 0 for ever */
  retention: number
  /** seconds, of rooms made here */
  disappear: number
  recent_emoji: string
  /** take relayed paths only, always */
  calls_relay: boolean
  /** whose calls ring: accepted or compared */
  calls_from: string
  /** this device rings */
  calls_ring: boolean
  /** KiB of files in a second; 0 as fast as it goes */
  send_rate: number
  /** the same for those that come */
  receive_rate: number
}

/** SettingsChange changes some. */
export interface SettingsChange {
  theme?: string
  language?: string
  enter_sends?: boolean
  single_keys?: boolean
  text_size?: number
  notify?: string
  sounds?: boolean
  receipts?: boolean
  typing?: boolean
  presence?: boolean
  lock_after?: number
  at_login?: boolean
  retention?: number
  disappear?: number
  recent_emoji?: string
  calls_relay?: boolean
  calls_from?: string
  calls_ring?: boolean
  send_rate?: number
  receive_rate?: number
}

/** State is how the app is. */
export interface State {
  phase: Phase
  version: string
  custody: Custody
  /** there is a system keyring here */
  keyring: boolean
  self?: Self
  /** that this device needs */
  hosts: Host[]
  server?: LocalServer
  /** strangers who wait */
  requests: number
  /** in conversations that are not muted */
  unread: number
  /** a link that sotto was opened with */
  invitation?: string
  /** the handle that a move leads to which is under way here */
  moving?: string
  /** the last notice that was shown */
  news_through: number
}

/** Storage is what this device keeps. */
export interface Storage {
  /** bytes on the disk */
  database: number
  messages: number
  /** the largest first, at most 50 */
  rooms: RoomStorage[]
}

/** Told says through which notice the person was told. */
export interface Told {
  through: number
}

/** Typing tells the others that this person writes, or has stopped. */
export interface Typing {
  on: boolean
}

/** Unlock opens a locked app. */
export interface Unlock {
  passphrase: string
}

/** Violation is something that a page was stopped from doing. */
export interface Violation {
  page: string
  directive: string
  blocked: string
  sample: string
}

/** Who is the page "Who can see this?": of a message, a room or a person. */
export interface Who {
  /** message, room or person */
  about: string
  /** of a message */
  quote?: Message
  /** of the room or person */
  name: string
  /** who holds the keys */
  holders: Holder[]
  /** how many people besides this one */
  others: number
  /** of all of them */
  devices: number
  host: string
  /** what the server keeps */
  keeps: KeptThing[]
  timeline: Moment[]
  /** stable names of what this cannot help with: show-to-others, unlocked-device, traffic, blocked-sees, … */
  limits: string[]
}

/** Window is what a window of the app tells about itself, under a name of its own choice: whom it can be seen by decides what is worth a notice, and whether the person is here. */
export interface Window {
  /** at most 64 letters and digits, the same as long as it lives */
  name: string
  /** it is looked at */
  visible: boolean
  /** the conversation that it shows */
  room?: string
  /** the person did something in it since it told last: it does not lock by itself */
  used?: boolean
  /** that it speaks: en, de, es; notices of the system follow it where the settings leave it open */
  language?: string
  /** it tells of messages by notifications of the browser: the app stays silent about them */
  notifies?: boolean
}
