package server

import (
	"sync"
	"time"

	"sotto/internal/server/directory"
	"sotto/internal/server/inbox"
	"sotto/internal/wire"
)

// accountOperations is all of /v1/account.
var accountOperations = map[wire.Op]operation{
	wire.OpHello:      {do: call((*Session).hello)},
	wire.OpRegister:   {do: call((*Session).register)},
	wire.OpAuth:       {do: call((*Session).auth)},
	wire.OpStatement:  {auth: true, do: (*Session).statement},
	wire.OpPublish:    {auth: true, do: call((*Session).publish)},
	wire.OpCount:      {auth: true, do: call((*Session).count)},
	wire.OpInbox:      {auth: true, do: (*Session).watchInbox},
	wire.OpInboxAck:   {auth: true, do: call((*Session).inboxAck)},
	wire.OpCapability: {auth: true, do: call((*Session).capability)},
	wire.OpCreate:     {auth: true, do: call((*Session).create)},
	wire.OpTicket:     {auth: true, do: call((*Session).ticket)},
	wire.OpDelete:     {auth: true, do: (*Session).delete},
	wire.OpInvite:     {auth: true, do: call((*Session).invite)},
	wire.OpMeet:       {auth: true, do: (*Session).meet},
	wire.OpMeetSay:    {auth: true, do: call((*Session).sayThere)},
	wire.OpMeetEnd:    {auth: true, do: call((*Session).endMeeting)},
	wire.OpRecover:    {do: (*Session).recover},
	wire.OpRecord:     {auth: true, do: call((*Session).putRecord)},
	wire.OpRecordGet:  {auth: true, do: call((*Session).getRecord)},
	wire.OpReserve:    {do: call((*Session).reserve)},
	wire.OpEnter:      {do: (*Session).enter},
	wire.OpLeave:      {auth: true, do: call((*Session).leaveHere)},
	wire.OpBackup:     {auth: true, do: call((*Session).backup)},
	wire.OpRelays:     {auth: true, do: call((*Session).relays)},
	wire.OpUpload:     {auth: true, do: call((*Session).upload)},
}

func (s *Session) register(r wire.Register) (wire.Done, error) {
	p := s.srv.policy.Load()
	if err := p.registrations.take(s.addr, s.srv.o.Now()); err != nil {
		return wire.Done{}, err
	}
	if err := s.srv.dir.Retired(s.srv.o.Now()); err != nil {
		return wire.Done{}, err
	}
	_, err := s.srv.dir.Register(r, p.open)
	return wire.Done{}, err
}

// auth proves a device. The nonce is this connection's, and good for one success.
func (s *Session) auth(a wire.Auth) (wire.Done, error) {
	p, now := s.srv.policy.Load(), s.srv.o.Now()
	if s.name != "" {
		return wire.Done{}, wire.Refuse(wire.CodeOrder, "this connection is authenticated")
	}
	if err := p.badAuths.full(s.addr, now); err != nil {
		return wire.Done{}, err
	}
	acc, err := s.srv.dir.Authenticate(a, s.nonce)
	if err != nil {
		_ = p.badAuths.take(s.addr, now)
		return wire.Done{}, err
	}
	s.become(acc, a.Device)
	// A revocation that came meanwhile has not seen this session.
	acc, err = s.account()
	if err == nil && acc.Suspended {
		err = errSuspended
	}
	if err != nil {
		s.out.Close(errRevoked)
		return wire.Done{}, err
	}
	return wire.Done{}, nil
}

var (
	errRevoked   = wire.Refuse(wire.CodeNotAuthenticated, "this device was removed from the account")
	errDeleted   = wire.Refuse(wire.CodeNoHandle, "the account was deleted")
	errSuspended = wire.Refuse(wire.CodeSuspended, "the operator of this server has suspended the account")
)

// account is who authenticated, as of now.
func (s *Session) account() (*directory.Account, error) {
	a, err := s.srv.dir.Account(s.name)
	if err != nil {
		return nil, err
	}
	if _, ok := a.Chain.Device(s.device); !ok || string(a.Owner(s.device)) != string(s.owner) {
		return nil, errRevoked
	}
	return a, nil
}

// home is who authenticated, as of now, if the account lives here.
func (s *Session) home() (*directory.Account, error) {
	a, err := s.account()
	if err == nil {
		err = a.Home()
	}
	return a, err
}

// statement adds to the chain. The devices it revokes lose their connections, also
// when it is this one, after the answer.
func (s *Session) statement(id uint64, body []byte) {
	var q wire.Statement
	if err := wire.Unmarshal(body, &q); err != nil {
		s.refuse(id, err)
		return
	}
	if _, err := s.account(); err != nil {
		s.refuse(id, err)
		return
	}
	a, revoked, err := s.srv.dir.State(s.name, q)
	if err != nil {
		s.refuse(id, err)
		return
	}
	s.stated(id, a, revoked)
}

// stated answers what added to a chain and ends the connections of the revoked devices.
func (s *Session) stated(id uint64, a *directory.Account, revoked []wire.DeviceName) {
	if err := s.srv.dropDeparted(); err != nil {
		s.srv.o.Log.Error("an inbox was not erased, and is tried again in a minute", "err", err)
	}
	s.answer(id, wire.Done{})
	for _, d := range revoked {
		s.srv.endDevice(a.Owner(d), errRevoked)
	}
	if err := a.Home(); err != nil { // its devices look where the account is when they come back
		s.srv.endAccount(a, wire.Refuse(wire.CodeMoved, "%s", err))
	}
}

func (s *Session) publish(p wire.Publish) (out wire.KeyPackageCount, err error) {
	a, err := s.home()
	if err != nil {
		return out, err
	}
	switch {
	case p.Inbox != nil && p.Capability == nil:
		return out, wire.Refuse(wire.CodeMalformed, "an inbox comes with its public capability")
	case p.Inbox == nil && p.Private != nil:
		return out, wire.Refuse(wire.CodeMalformed, "a private capability comes with its inbox")
	case p.Inbox != nil:
		err = s.srv.inboxes.Make(*p.Inbox, s.owner, *p.Capability)
		if err == nil && p.Private != nil {
			err = s.srv.inboxes.Capabilities(*p.Inbox, []wire.Hash{*p.Private}, nil)
		}
	case p.Capability != nil:
		var name wire.InboxName
		if name, err = s.inboxName(); err == nil {
			p.Inbox = &name
			err = s.srv.inboxes.SetPublic(name, *p.Capability)
		}
	}
	if err != nil {
		return out, err
	}
	if p.Inbox != nil {
		if err := s.srv.dir.SetInbox(a.Name, s.device, *p.Inbox, *p.Capability); err != nil {
			// Revoked between the two: leave no inbox behind.
			if wire.CodeOf(err) == wire.CodeNotAuthenticated || wire.CodeOf(err) == wire.CodeNoHandle {
				_ = s.srv.inboxes.Drop(s.owner)
			}
			return out, err
		}
	}
	return s.srv.dir.Publish(a.Name, s.device, p)
}

func (s *Session) count(wire.Done) (wire.KeyPackageCount, error) {
	return s.srv.dir.Count(s.name, s.device)
}

func (s *Session) inboxName() (wire.InboxName, error) {
	name, ok, err := s.srv.inboxes.Of(s.owner)
	if err == nil && !ok {
		err = wire.Refuse(wire.CodeCapability, "this device has no inbox yet: publish one")
	}
	return name, err
}

func (s *Session) inboxAck(a wire.InboxAck) (wire.Done, error) {
	name, err := s.inboxName()
	if err != nil {
		return wire.Done{}, err
	}
	return wire.Done{}, s.srv.inboxes.Ack(name, a.Through)
}

func (s *Session) capability(c wire.Capability) (wire.Done, error) {
	_, err := s.home()
	if err != nil {
		return wire.Done{}, err
	}
	name, err := s.inboxName()
	if err != nil {
		return wire.Done{}, err
	}
	return wire.Done{}, s.srv.inboxes.Capabilities(name, c.Add, c.Drop)
}

// create opens a log. The account pays for it with a number; the log does not know
// the account, nor the account the log. What would be refused costs nothing, nor does
// a request that made its log already and comes again.
func (s *Session) create(c wire.Create) (out wire.Created, err error) {
	a, err := s.home()
	if err != nil {
		return out, err
	}
	known, err := s.srv.logs.Vet(c)
	if err == nil && !known {
		err = s.srv.dir.Retired(s.srv.o.Now())
	}
	if err == nil && !known {
		err = s.spend(a, directory.Spending{Logs: 1})
	}
	if err != nil {
		return out, err
	}
	return s.srv.logs.Create(c)
}

// ticket gives the right to put a blob, and is paid for like create.
func (s *Session) ticket(t wire.TicketRequest) (out wire.Ticket, err error) {
	a, err := s.home()
	if err != nil {
		return out, err
	}
	known, err := s.srv.blobs.Vet(t)
	if err == nil && !known {
		err = s.spend(a, directory.Spending{Bytes: t.Size, Keep: time.Duration(t.TTL) * time.Second})
	}
	if err != nil {
		return out, err
	}
	return s.srv.blobs.Ticket(t)
}

// invite makes a code with which somebody may register.
func (s *Session) invite(q wire.Invite) (out wire.Invited, err error) {
	if q.Lifetime > uint64(wire.MaxInvitationLifetime/time.Second) {
		return out, wire.Refuse(wire.CodeMalformed, "an invitation is good for 30 days at most")
	}
	a, err := s.home()
	if err != nil {
		return out, err
	}
	l := s.srv.policy.Load().limits
	code, until, err := s.srv.dir.InviteBy(a.Name, time.Duration(q.Lifetime)*time.Second, l.PeopleInviteOpen, l.PeopleInvitePerWeek)
	if err != nil {
		return out, err
	}
	return wire.Invited{Code: code, Until: uint64(until.UnixMilli())}, nil
}

// spend takes what is asked for from what the account may ask for in a day.
func (s *Session) spend(a *directory.Account, what directory.Spending) error {
	l := s.srv.policy.Load().limits
	return s.srv.dir.Spend(a, what, directory.Allowance{Logs: l.LogsPerDay, Bytes: l.BlobBytesPerDay, Kept: l.BlobBytesKept})
}

func (s *Session) delete(id uint64, body []byte) {
	var q wire.Done
	if err := wire.Unmarshal(body, &q); err != nil {
		s.refuse(id, err)
		return
	}
	if _, err := s.account(); err != nil {
		s.refuse(id, err)
		return
	}
	gone, err := s.srv.dir.Delete(s.name)
	if err != nil {
		s.refuse(id, err)
		return
	}
	s.answer(id, wire.Done{})
	s.srv.endAccount(gone, errDeleted)
}

// endAccount ends the connections of all devices of an account and drops the inboxes
// that the directory gave up.
func (s *Server) endAccount(a *directory.Account, why *wire.Error) {
	for _, d := range a.Chain.ActiveDevices() {
		s.endDevice(a.Owner(d.Name), why)
	}
	if err := s.dropDeparted(); err != nil {
		s.o.Log.Error("an inbox was not erased, and is tried again in a minute", "err", err)
	}
}

// inboxFeed brings an inbox's entries to one connection, as far as it reads.
type inboxFeed struct {
	s       *Session
	mu      sync.Mutex
	watch   *inbox.Watch
	open    bool
	closed  bool
	due     bool
	running bool
}

// watchInbox waits at the device's own inbox; an earlier wait of this connection ends.
func (s *Session) watchInbox(id uint64, body []byte) {
	var q wire.InboxWatch
	if err := wire.Unmarshal(body, &q); err != nil {
		s.refuse(id, err)
		return
	}
	name, err := s.inboxName()
	if err != nil {
		s.refuse(id, err)
		return
	}
	f := &inboxFeed{s: s, due: true}
	state, watch, err := s.srv.inboxes.Watch(name, q.After, f.ready)
	if err != nil {
		s.refuse(id, err)
		return
	}
	f.mu.Lock()
	f.watch = watch
	f.mu.Unlock()
	s.mu.Lock()
	old, closed := s.waiting, s.closed
	if !closed {
		s.waiting = f
	}
	s.mu.Unlock()
	if old != nil {
		old.close()
	}
	if closed {
		f.close()
		return
	}
	s.answer(id, state)
	f.mu.Lock()
	f.open = true
	f.mu.Unlock()
	f.run()
}

func (f *inboxFeed) ready() {
	f.mu.Lock()
	f.due = true
	f.mu.Unlock()
	f.run()
}

// start says whether the caller must run pump. Holds mu.
func (f *inboxFeed) start() bool {
	if f.running || f.closed || !f.open || !f.due || f.s.clogged() {
		return false
	}
	f.running = true
	return true
}

func (f *inboxFeed) run() {
	f.mu.Lock()
	start := f.start()
	f.mu.Unlock()
	if start {
		f.s.srv.spawn(f.pump)
	}
}

func (f *inboxFeed) pump() {
	for {
		f.mu.Lock()
		f.running = false
		if !f.start() {
			f.mu.Unlock()
			return
		}
		f.due = false
		f.mu.Unlock()
		entries, err := f.watch.Next(turnBytes)
		f.mu.Lock()
		if err == nil && !f.closed {
			for _, e := range entries {
				f.s.event(wire.EventInbox, e)
			}
			f.due = f.due || len(entries) > 0
		}
		f.mu.Unlock()
	}
}

func (f *inboxFeed) close() {
	f.mu.Lock()
	f.closed = true
	w := f.watch
	f.mu.Unlock()
	w.Close()
}
