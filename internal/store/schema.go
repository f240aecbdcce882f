package store

import "strings"

// steps are the migrations; a step is never changed after a release, only added.
var steps = []string{`
CREATE TABLE facts ( -- single values: the account, the inbox's place, settings
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE people (
	account BLOB PRIMARY KEY,
	handle  TEXT NOT NULL,             -- where it was last seen
	chain   BLOB NOT NULL,             -- verified statements, a CBOR array
	state   INTEGER NOT NULL DEFAULT 0 -- a Standing
) WITHOUT ROWID;
CREATE INDEX people_handle ON people (handle);

CREATE TABLE rooms (
	room       BLOB PRIMARY KEY,
	kind       INTEGER NOT NULL,
	title      TEXT NOT NULL DEFAULT '',
	peer       BLOB,                    -- a pair's other account
	generation INTEGER NOT NULL,        -- the one written to
	state      INTEGER NOT NULL,        -- a RoomState
	alias      BLOB,                    -- a pair's room that lost against this one
	created    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX rooms_peer ON rooms (peer);

CREATE TABLE generations (
	room       BLOB NOT NULL,
	generation INTEGER NOT NULL,
	host       TEXT NOT NULL,
	log        BLOB NOT NULL,
	secret     BLOB NOT NULL,           -- of our cursor
	next       BLOB,                    -- the secret that replaces it, while the claim is under way
	claimed    INTEGER NOT NULL DEFAULT 0,
	seq        INTEGER NOT NULL,        -- read through here
	chain      BLOB NOT NULL,           -- running hash there
	state      INTEGER NOT NULL,        -- a GenState
	since      INTEGER NOT NULL,        -- of the state, Unix milliseconds
	seen       INTEGER NOT NULL,        -- when the host was last read to its head
	last       INTEGER NOT NULL DEFAULT 0, -- read out when seq is here; 0: no end known
	updated    INTEGER NOT NULL,        -- our leaf was last renewed, Unix milliseconds
	created    BLOB,                    -- a create frame that the host has not answered yet
	ttl        INTEGER NOT NULL,
	suite      INTEGER NOT NULL,
	orphan     INTEGER NOT NULL DEFAULT 0, -- made by a member when no admin was left to
	adds       INTEGER NOT NULL DEFAULT 0, -- members added since the last commit with a path
	context    BLOB,                    -- room.Context, kept when the group is lost
	PRIMARY KEY (room, generation)
) WITHOUT ROWID;

CREATE TABLE mls ( -- records of a generation's group
	room       BLOB NOT NULL,
	generation INTEGER NOT NULL,
	key        BLOB NOT NULL,
	value      BLOB NOT NULL,
	PRIMARY KEY (room, generation, key)
) WITHOUT ROWID;

CREATE TABLE known ( -- chains as far as the group of a generation knows them
	room       BLOB NOT NULL,
	generation INTEGER NOT NULL,
	account    BLOB NOT NULL,
	chain      BLOB NOT NULL,
	PRIMARY KEY (room, generation, account)
) WITHOUT ROWID;

CREATE TABLE places ( -- running hashes of late entries, to compare with what others name
	room       BLOB NOT NULL,
	generation INTEGER NOT NULL,
	seq        INTEGER NOT NULL,
	chain      BLOB NOT NULL,
	PRIMARY KEY (room, generation, seq)
) WITHOUT ROWID;

CREATE TABLE messages (
	id         INTEGER PRIMARY KEY,
	room       BLOB NOT NULL,
	message    BLOB NOT NULL,           -- MIMI message id
	pos        INTEGER,                 -- order for people; NULL until it is in the log
	generation INTEGER NOT NULL DEFAULT 0,
	seq        INTEGER NOT NULL DEFAULT 0,
	account    BLOB NOT NULL,
	device     BLOB NOT NULL,
	kind       INTEGER NOT NULL,        -- a mimi.Kind
	target     BLOB,                    -- what it answers, edits, reacts to or deletes
	text       TEXT NOT NULL,
	content    BLOB NOT NULL,           -- MIMI content
	arrived    INTEGER NOT NULL,        -- at the host, Unix milliseconds; 0 until then
	sent       INTEGER NOT NULL,        -- by the sender's clock
	state      INTEGER NOT NULL,        -- a MessageState, of our own messages
	expires    INTEGER NOT NULL DEFAULT 0,
	flags      INTEGER NOT NULL DEFAULT 0,
	UNIQUE (room, message)
);
CREATE UNIQUE INDEX messages_pos ON messages (pos) WHERE pos IS NOT NULL;
CREATE INDEX messages_room ON messages (room, pos);
CREATE INDEX messages_expires ON messages (expires) WHERE expires > 0;

CREATE TABLE receipts (
	room    BLOB NOT NULL,
	message BLOB NOT NULL,
	account BLOB NOT NULL,
	state   INTEGER NOT NULL,
	PRIMARY KEY (room, message, account)
) WITHOUT ROWID;

CREATE TABLE owed ( -- receipts that we owe
	room    BLOB NOT NULL,
	message BLOB NOT NULL,
	state   INTEGER NOT NULL,
	PRIMARY KEY (room, message)
) WITHOUT ROWID;

CREATE TABLE outbox (
	id         INTEGER PRIMARY KEY,
	room       BLOB NOT NULL,
	kind       INTEGER NOT NULL,        -- a room.PayloadKind
	body       BLOB NOT NULL,
	message    BLOB,                    -- of content
	generation INTEGER NOT NULL DEFAULT 0, -- sealed for this generation; 0 not sealed
	epoch      INTEGER NOT NULL DEFAULT 0, -- and this epoch
	entry      BLOB,                    -- the sealed bytes
	hash       BLOB
);
CREATE INDEX outbox_room ON outbox (room, id);

CREATE TABLE staged ( -- our own commit on its way, one for each generation
	room       BLOB NOT NULL,
	generation INTEGER NOT NULL,
	epoch      INTEGER NOT NULL,
	entry      BLOB NOT NULL,
	hash       BLOB NOT NULL,
	token      BLOB NOT NULL,
	swap       BLOB NOT NULL,           -- wire.Swap
	commits    BLOB NOT NULL,           -- mls.StagedCommit
	proofs     BLOB NOT NULL,
	guests     BLOB NOT NULL,           -- who is invited when it is merged
	PRIMARY KEY (room, generation)
) WITHOUT ROWID;

CREATE TABLE wants ( -- changes of rooms that this device is to bring about
	id      INTEGER PRIMARY KEY,
	room    BLOB NOT NULL,
	kind    INTEGER NOT NULL,
	body    BLOB NOT NULL,
	due     INTEGER NOT NULL,           -- not before, Unix milliseconds
	tries   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX wants_room ON wants (room, id);

CREATE TABLE letters ( -- inbox entries on their way
	id         INTEGER PRIMARY KEY,
	host       TEXT NOT NULL,
	inbox      BLOB NOT NULL,
	capability BLOB NOT NULL,
	entry      BLOB NOT NULL,
	due        INTEGER NOT NULL,
	tries      INTEGER NOT NULL DEFAULT 0,
	until      INTEGER NOT NULL
);

CREATE TABLE inboxes ( -- where other devices take invitations from us
	room       BLOB NOT NULL,
	account    BLOB NOT NULL,
	device     BLOB NOT NULL,
	host       TEXT NOT NULL,
	inbox      BLOB NOT NULL,
	capability BLOB NOT NULL,
	PRIMARY KEY (room, account, device)
) WITHOUT ROWID;

CREATE TABLE capabilities ( -- private capabilities of our own inbox, one for each room
	room   BLOB PRIMARY KEY,
	secret BLOB NOT NULL,
	told   INTEGER NOT NULL DEFAULT 0  -- registered at the home server
) WITHOUT ROWID;

CREATE TABLE invitations ( -- that wait: for a person to accept, or for their time
	id      INTEGER PRIMARY KEY,
	room    BLOB NOT NULL,
	account BLOB NOT NULL,
	handle  TEXT NOT NULL,
	text    TEXT NOT NULL,
	body    BLOB NOT NULL,             -- room.Invitation
	chain   BLOB NOT NULL,
	device  BLOB NOT NULL,
	arrived INTEGER NOT NULL,
	state   INTEGER NOT NULL           -- an InvitationState
);

CREATE TABLE letters_read ( -- hashes of inbox entries that were acted on, against replays
	hash BLOB PRIMARY KEY,
	time INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE keypackages (
	ref     BLOB PRIMARY KEY,
	secrets BLOB NOT NULL,
	last    INTEGER NOT NULL,          -- of last resort: may be used again
	created INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE joins ( -- devices that were added by us and have not said so
	room       BLOB NOT NULL,
	generation INTEGER NOT NULL,
	device     BLOB NOT NULL,
	account    BLOB NOT NULL,
	since      INTEGER NOT NULL,
	PRIMARY KEY (room, generation, device)
) WITHOUT ROWID;

CREATE TABLE notices (
	id   INTEGER PRIMARY KEY,
	room BLOB,
	time INTEGER NOT NULL,
	kind TEXT NOT NULL,
	text TEXT NOT NULL
);
`, `
ALTER TABLE generations ADD COLUMN grown INTEGER NOT NULL DEFAULT 0; -- where somebody new last came into the room
ALTER TABLE messages ADD COLUMN vanish INTEGER NOT NULL DEFAULT 0; -- seconds after reading; 0: not for that
CREATE INDEX messages_target ON messages (target) WHERE target IS NOT NULL;

CREATE TABLE gone ( -- messages that have expired here, so that none comes again
	message BLOB PRIMARY KEY,
	time    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE past ( -- own entries that are not sent any more and may yet be read in their log
	room       BLOB NOT NULL,
	generation INTEGER NOT NULL,
	epoch      INTEGER NOT NULL,
	hash       BLOB NOT NULL,
	message    BLOB,
	PRIMARY KEY (room, generation, hash)
) WITHOUT ROWID;
`, `
ALTER TABLE messages ADD COLUMN at INTEGER; -- when it was said: Unix milliseconds, made unique; NULL: not shown by itself
ALTER TABLE messages ADD COLUMN why TEXT NOT NULL DEFAULT ''; -- it failed
ALTER TABLE notices ADD COLUMN pos INTEGER; -- of those that stand in the conversation: order among its messages

WITH shown AS (
	SELECT id, CASE WHEN arrived > 0 THEN arrived ELSE sent END AS time FROM messages WHERE kind IN (0, 1, 2, 7) AND flags & 1 = 0
), numbered AS (
	SELECT id, time, ROW_NUMBER() OVER (ORDER BY time, id) AS n FROM shown
), spread AS ( -- each at least one after the one before it
	SELECT id, n + MAX(time - n) OVER (ORDER BY n) AS at FROM numbered
)
UPDATE messages SET at = spread.at FROM spread WHERE spread.id = messages.id;

CREATE UNIQUE INDEX messages_at ON messages (at) WHERE at IS NOT NULL;
CREATE INDEX messages_shown ON messages (room, pos) WHERE at IS NOT NULL;
CREATE INDEX messages_unseen ON messages (room, pos, flags) WHERE at IS NOT NULL AND state = 0 AND flags & 12 = 0;
CREATE INDEX messages_aside ON messages (arrived) WHERE at IS NULL;
CREATE INDEX messages_id ON messages (message);
CREATE INDEX notices_shown ON notices (room, pos) WHERE pos IS NOT NULL;

CREATE TABLE marks ( -- what a room is to this person, field by field: of two devices' words the later one counts
	room    BLOB NOT NULL,
	field   TEXT NOT NULL,             -- pinned, archived, unread, muted or draft
	value   NOT NULL,                  -- an integer, or the draft's text
	changed INTEGER NOT NULL,          -- Unix milliseconds
	PRIMARY KEY (room, field)
) WITHOUT ROWID;

CREATE TABLE clearing ( -- rooms whose messages are being erased
	room    BLOB PRIMARY KEY,
	through INTEGER NOT NULL,          -- the last row of messages
	forget  INTEGER NOT NULL           -- the room goes too
) WITHOUT ROWID;

-- What can be searched for: a row for each message that is shown and not taken back. Its
-- rowid is the message's at, so that the newest are found first. The index holds no text of
-- its own (content = ''), only which messages hold a word (detail = none); rows are taken out
-- with what was put in, and secure-delete takes their words out of the index at once. words()
-- is the package of that name: what it makes of a text FTS5's tokenizer for ASCII cuts at its
-- spaces. Besides, each message has words for its room, its account and its star, which begin
-- with U+E000, as no word of a text does. The prefixes are indexed so that what matches half
-- of all messages is found as fast as what matches few: without, FTS5 reads all of it first.
CREATE VIRTUAL TABLE search USING fts5 (text, content = '', columnsize = 0, detail = 'none', prefix = '1 2 3 4 5', tokenize = 'ascii');
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);

CREATE TABLE indexed ( -- one row
	since INTEGER NOT NULL,            -- what was said from here on is in the index; what was before is yet to be put in
	dirty INTEGER NOT NULL DEFAULT 0   -- rows taken out since the index was last swept
);
INSERT INTO indexed (since) SELECT CASE WHEN EXISTS (SELECT 1 FROM messages WHERE at IS NOT NULL) THEN 1 << 62 ELSE 0 END;

-- Rows are put in by AddMessage: a trigger would open a savepoint for each message, at which
-- FTS5 writes what it gathers for the whole transaction.
CREATE TRIGGER search_delete AFTER DELETE ON messages WHEN ` + searchable("old") + ` BEGIN
	INSERT INTO search (search, rowid, text) VALUES ('delete', old.at, ` + searched("old") + `);
	UPDATE indexed SET dirty = dirty + 1;
END;
CREATE TRIGGER search_update AFTER UPDATE OF text, room, account, flags, at ON messages
WHEN old.at IS NOT new.at OR old.text <> new.text OR old.room <> new.room OR old.account <> new.account OR (old.flags & 36) <> (new.flags & 36) BEGIN
	INSERT INTO search (search, rowid, text) SELECT 'delete', old.at, ` + searched("old") + ` WHERE ` + searchable("old") + `;
	UPDATE indexed SET dirty = dirty + 1;
	INSERT INTO search (rowid, text) SELECT new.at, ` + searched("new") + ` WHERE ` + searchable("new") + `;
END;
`, `
ALTER TABLE people ADD COLUMN nickname TEXT NOT NULL DEFAULT '';      -- given here
ALTER TABLE people ADD COLUMN since INTEGER NOT NULL DEFAULT 0;       -- first known, Unix milliseconds
ALTER TABLE people ADD COLUMN was INTEGER NOT NULL DEFAULT 0;         -- a Standing: before it was blocked
ALTER TABLE people ADD COLUMN compared INTEGER NOT NULL DEFAULT 0;    -- when numbers were compared; 0: never, or something changed since
ALTER TABLE people ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;     -- when a key changed that nobody has looked at since; 0: none
ALTER TABLE invitations ADD COLUMN name TEXT NOT NULL DEFAULT '';     -- that the inviter shows
ALTER TABLE invitations ADD COLUMN later INTEGER NOT NULL DEFAULT 0;  -- the person said "not now"

CREATE TABLE profiles ( -- what accounts show of themselves, this one too
	account BLOB PRIMARY KEY,
	version INTEGER NOT NULL,
	name    TEXT NOT NULL,
	status  TEXT NOT NULL,
	hash    BLOB,                      -- of the picture; NULL: none
	picture BLOB                       -- NULL while only the hash is known
);

CREATE TABLE person_changes ( -- what changed about a person, the latest ones
	id      INTEGER PRIMARY KEY,
	account BLOB NOT NULL,
	time    INTEGER NOT NULL,
	what    TEXT NOT NULL,
	text    TEXT NOT NULL
);
CREATE INDEX person_changes_account ON person_changes (account, id);

CREATE TABLE profiles_owed ( -- rooms that have not got this account's profile yet
	room BLOB PRIMARY KEY,
	due  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE room_pictures (
	room    BLOB NOT NULL,
	hash    BLOB NOT NULL,
	picture BLOB NOT NULL,
	UNIQUE (room, hash)
);

CREATE TABLE pictures_owed ( -- rooms in which a newcomer has not got the picture yet
	room BLOB PRIMARY KEY,
	due  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE pins (
	room    BLOB NOT NULL,
	message BLOB NOT NULL,
	account BLOB NOT NULL,             -- who pinned it
	time    INTEGER NOT NULL,
	PRIMARY KEY (room, message)
) WITHOUT ROWID;
CREATE INDEX pins_message ON pins (message);

CREATE TABLE room_links ( -- invitation links that this device made
	link    BLOB PRIMARY KEY,
	room    BLOB NOT NULL,
	secret  BLOB NOT NULL,
	until   INTEGER NOT NULL,
	approve INTEGER NOT NULL,
	created INTEGER NOT NULL,
	used    INTEGER NOT NULL DEFAULT 0 -- how many were let in by it
) WITHOUT ROWID;

CREATE TABLE knocks ( -- people who came by a link
	id      INTEGER PRIMARY KEY,
	room    BLOB NOT NULL,
	link    BLOB NOT NULL,
	account BLOB NOT NULL,
	handle  TEXT NOT NULL,
	name    TEXT NOT NULL,
	time    INTEGER NOT NULL,
	state   INTEGER NOT NULL,          -- a KnockState
	UNIQUE (room, account)
);

CREATE TABLE asked ( -- links at which this person has knocked
	link    BLOB PRIMARY KEY,
	account BLOB NOT NULL,             -- who made the link
	title   TEXT NOT NULL,             -- of the room that it leads to
	until   INTEGER NOT NULL,
	room    BLOB                       -- once an invitation has come
) WITHOUT ROWID;
`, `
ALTER TABLE notices ADD COLUMN said BLOB; -- a said.Said; NULL: only the text was kept
ALTER TABLE messages ADD COLUMN code TEXT NOT NULL DEFAULT ''; -- of why it failed
`, `
ALTER TABLE known ADD COLUMN since INTEGER NOT NULL DEFAULT 0; -- the entry with which the account came into the room
UPDATE known SET since = COALESCE((SELECT grown FROM generations g WHERE g.room = known.room AND g.generation = known.generation), 0);
ALTER TABLE generations DROP COLUMN grown; -- of the last one that came

CREATE TABLE wants_once ( -- as wants, but a number does not come again: what is under way for one that is gone is never taken for another's
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	room    BLOB NOT NULL,
	kind    INTEGER NOT NULL,
	body    BLOB NOT NULL,
	due     INTEGER NOT NULL,
	tries   INTEGER NOT NULL DEFAULT 0
);
INSERT INTO wants_once SELECT id, room, kind, body, due, tries FROM wants;
DROP TABLE wants;
ALTER TABLE wants_once RENAME TO wants;
CREATE INDEX wants_room ON wants (room, id);
`, `
ALTER TABLE people ADD COLUMN paused INTEGER NOT NULL DEFAULT 0; -- since when nothing is sent to them: a key changed after numbers were compared
ALTER TABLE people ADD COLUMN once INTEGER NOT NULL DEFAULT 0; -- numbers were compared at some time
UPDATE people SET once = 1 WHERE compared <> 0;
`, `
CREATE TABLE registers ( -- what this person's devices keep alike, as the self room has it
	what   INTEGER NOT NULL,           -- a room.What
	of     BLOB NOT NULL,              -- a room, a message, an account, a device, a setting
	value  BLOB NOT NULL,              -- empty: nothing
	time   INTEGER NOT NULL,           -- of the change, Unix milliseconds
	device BLOB NOT NULL,              -- that made it
	said   INTEGER NOT NULL,           -- 0: somebody may not have it
	PRIMARY KEY (what, of)
) WITHOUT ROWID;
CREATE INDEX registers_unsaid ON registers (what, of) WHERE said = 0;
CREATE INDEX registers_empty ON registers (time, what, of) WHERE length(value) = 0;

CREATE TABLE register_changes ( -- what this device said of it and has not read in the self room yet
	what  INTEGER NOT NULL,
	of    BLOB NOT NULL,
	value BLOB NOT NULL,
	time  INTEGER NOT NULL,
	due   INTEGER NOT NULL,            -- not to be sent before, Unix milliseconds
	sent  INTEGER NOT NULL,            -- it is in the outbox
	PRIMARY KEY (what, of)
) WITHOUT ROWID;
`, `
CREATE TABLE calls (
	call     BLOB PRIMARY KEY,         -- a room.CallID
	room     BLOB NOT NULL,            -- in whose conversation it stands
	peer     BLOB NOT NULL,            -- the other account
	outgoing INTEGER NOT NULL,
	video    INTEGER NOT NULL,
	matched  INTEGER NOT NULL,         -- the person said that the words match
	stage    INTEGER NOT NULL,         -- a CallStage
	quiet    INTEGER NOT NULL,         -- a CallQuiet
	reason   INTEGER NOT NULL,         -- a CallEnd; 0: it goes on
	began    INTEGER NOT NULL,         -- Unix milliseconds, as the two below
	answered INTEGER NOT NULL,
	ended    INTEGER NOT NULL,
	pos      INTEGER NOT NULL,         -- of its notice; 0: none
	live     BLOB NOT NULL             -- the client's, while it goes on
) WITHOUT ROWID;
CREATE INDEX calls_live ON calls (room, began, call) WHERE stage < 4;
CREATE INDEX calls_past ON calls (pos) WHERE pos > 0;
CREATE INDEX calls_room ON calls (room, began);
ALTER TABLE notices ADD COLUMN call BLOB; -- of one that tells of a call
ALTER TABLE notices ADD COLUMN unseen INTEGER NOT NULL DEFAULT 0; -- 1: it counts as unread
CREATE INDEX notices_unseen ON notices (room, pos) WHERE unseen = 1 AND pos IS NOT NULL;
`, `
CREATE TABLE transfers ( -- the ways of files, from here and to here
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	room    BLOB NOT NULL,
	message BLOB NOT NULL,
	part    INTEGER NOT NULL,          -- which of the message's files, from 0
	sends   INTEGER NOT NULL,          -- 1: from here
	state   INTEGER NOT NULL,          -- a TransferState
	done    INTEGER NOT NULL,          -- bytes of the ciphertext
	size    INTEGER NOT NULL,
	body    BLOB NOT NULL,             -- places, keys, secrets
	due     INTEGER NOT NULL,
	tries   INTEGER NOT NULL DEFAULT 0,
	why     TEXT NOT NULL DEFAULT '',
	code    TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX transfers_file ON transfers (message, part, sends);
CREATE INDEX transfers_state ON transfers (state, id);
CREATE INDEX messages_files ON messages (at, room) WHERE at IS NOT NULL AND kind IN (2, 7); -- replies and attachments
`}

// The parts of step 3 that it repeats. They are part of it: never changed after a release.
// What a row is taken out of the index with must be what it was put in with.
func searchable(row string) string {
	return strings.ReplaceAll(`ROW.at IS NOT NULL AND ROW.flags & 4 = 0 AND ROW.at >= (SELECT since FROM indexed)`, "ROW", row)
}

func searched(row string) string {
	return strings.ReplaceAll(`words(ROW.text) || ' ' || char(57344) || 'r' || hex(substr(ROW.room, 1, 8)) || ' ' || char(57344) || 'a' || hex(substr(ROW.account, 1, 8))
		|| CASE WHEN ROW.flags & 32 THEN ' ' || char(57344) || 's' ELSE '' END`, "ROW", row)
}
