package command

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/store"
	"sotto/internal/wire"
)

func accountText(id identity.ID) string { return hex.EncodeToString(id[:]) }

// account is the person that somebody means, as far as this device knows them.
func (d *Device) account(who string) (identity.ID, error) {
	id, err := d.Client.AccountOf(who)
	if errors.Is(err, client.ErrNoRoom) {
		err = fail("no such person", "%s is not known here: sotto find looks somebody up", who)
	}
	return id, err
}

// person is somebody whom this device knows.
func (d *Device) person(who string) (*client.Person, error) {
	id, err := d.account(who)
	if err != nil {
		return nil, err
	}
	p, err := d.Client.Person(id)
	if err == nil && p == nil {
		err = fail("no such person", "%s is you", who)
	}
	return p, err
}

func personOf(p client.Person) Person {
	o := Person{
		Type: "person", Account: accountText(p.Account), Handle: p.Handle, Name: p.Name, Own: p.Own, Nickname: p.Nickname, Status: p.Status,
		Contact: p.Standing == store.Contact, Blocked: p.Standing == store.Blocked, Compared: stamp(p.Compared), Changed: p.Changed != 0, Paused: p.Paused != 0,
		Here: p.Here, Picture: p.Picture != "",
	}
	if p.Room != nil {
		o.Room = roomText(*p.Room)
	}
	return o
}

func (x *IO) listed(o Person) {
	var notes []string
	for _, n := range []struct {
		on   bool
		text string
	}{
		{o.Blocked, "blocked"}, {!o.Blocked && !o.Contact, "no contact"}, {o.Compared != "" && !o.Changed, "compared"}, {o.Changed, "a key changed"}, {o.Paused, "messages wait"},
		{o.Here, "here"},
	} {
		if n.on {
			notes = append(notes, n.text)
		}
	}
	tail := ""
	if len(notes) > 0 {
		tail = " · " + strings.Join(notes, ", ")
	}
	x.say(o, "%s %s%s", line(o.Handle), line(o.Name), tail)
}

// People shows everybody whom this device knows as a contact or has blocked.
type People struct{}

// Run prints them.
func (People) Run(_ context.Context, d *Device, x *IO) error {
	list, err := d.Client.People()
	if err != nil {
		return err
	}
	for _, p := range list {
		x.listed(personOf(p))
	}
	return x.failed
}

// Find looks somebody up at their server.
type Find struct {
	Who string `arg:"" help:"A handle, or an invitation link of a person."`
	Add bool   `help:"Make them a contact: their invitations are followed."`
}

// Run finds them.
func (o Find) Run(ctx context.Context, d *Device, x *IO) error {
	if l, err := wire.ParseLink(o.Who); err == nil {
		if err := d.Client.OpenServer(l.Host, l.Pin); err != nil {
			return err
		}
	}
	wait, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	p, err := d.Client.Find(wait, o.Who)
	if err != nil {
		return err
	}
	if p == nil {
		return fail("no such person", "nobody was found")
	}
	if o.Add {
		if err := d.Client.SetContact(p.Account, true); err != nil {
			return err
		}
		if p, err = d.Client.Person(p.Account); err != nil {
			return err
		}
	}
	x.listed(personOf(*p))
	return x.failed
}

// PersonShow tells everything that this device knows about a person.
type PersonShow struct {
	Who string `arg:"" help:"A handle." complete:"person"`
}

// Run prints it.
func (o PersonShow) Run(_ context.Context, d *Device, x *IO) error {
	p, err := d.person(o.Who)
	if err != nil {
		return err
	}
	return d.showPerson(p, x)
}

func (d *Device) showPerson(p *client.Person, x *IO) error {
	v := personOf(*p)
	v.Since = stamp(p.Since)
	var err error
	if v.Number, err = d.Client.SafetyNumber(p.Account); err != nil {
		return err
	}
	devices, err := d.Client.Devices(p.Account)
	if err != nil {
		return err
	}
	for _, x := range devices {
		v.Devices = append(v.Devices, PersonDevice{x.Name, stamp(x.Added)})
	}
	changes, err := d.Client.Changes(p.Account)
	if err != nil {
		return err
	}
	for _, c := range changes {
		v.Changes = append(v.Changes, PersonChange{stamp(c.Time), c.What, c.Text})
	}
	for _, id := range p.Rooms {
		v.Rooms = append(v.Rooms, roomText(id))
	}
	if x.JSON {
		x.object(v)
		return x.failed
	}
	x.person(v, p, devices, changes)
	names := &view{d: d, x: x}
	for _, id := range p.Rooms {
		x.printf("in       %s\n", line(names.name(id)))
	}
	return x.failed
}

// changeWords are what can change about a person, in words.
var changeWords = map[string]string{
	client.ChangedMet: "met", client.ChangedName: "shows another name", client.ChangedStatus: "says of themselves",
	client.ChangedPicture: "shows another picture", client.ChangedDevice: "added a device", client.ChangedRevoked: "took a device away",
	client.ChangedKey: "has another key", client.ChangedHandle: "has another handle", client.ChangedCompared: "numbers were compared",
}

func (x *IO) person(v Person, p *client.Person, devices []client.DeviceInfo, changes []client.PersonChange) {
	x.printf("%s\n", line(v.Name))
	standing := "a stranger"
	switch {
	case v.Blocked:
		standing = "blocked"
	case v.Contact:
		standing = "a contact"
	}
	compared := "not compared"
	switch {
	case p.Changed != 0 && p.Compared != 0:
		compared = "compared " + date(p.Compared) + "; a key changed since: compare anew"
	case p.Changed != 0:
		compared = "not compared; a key changed " + date(p.Changed)
	case p.Compared != 0:
		compared = "compared " + date(p.Compared)
	}
	for _, row := range [][2]string{
		{"handle", v.Handle}, {"shows", v.Own}, {"status", v.Status}, {"is", standing}, {"known", date(p.Since)},
		{"number", v.Number}, {"", compared}, {"account", v.Account},
	} {
		if row[1] != "" {
			x.printf("%-8s %s\n", row[0], line(row[1]))
		}
	}
	for _, d := range devices {
		x.printf("device   %s, added %s\n", line(d.Name), date(d.Added))
	}
	for _, c := range changes {
		what := changeWords[c.What]
		if what == "" {
			what = c.What
		}
		if c.Text != "" {
			what += ": " + c.Text
		}
		x.printf("%s  %s\n", date(c.Time), line(what))
	}
}

// PersonName gives a person a name that only this device shows.
type PersonName struct {
	Who  string   `arg:"" help:"A handle." complete:"person"`
	Name []string `arg:"" optional:"" help:"The name; none takes it away."`
}

// Run names them.
func (o PersonName) Run(_ context.Context, d *Device, x *IO) error {
	return d.changed(o.Who, x, func(id identity.ID) error { return d.Client.SetNickname(id, strings.Join(o.Name, " ")) })
}

// PersonKeep makes a person a contact, or a stranger again.
type PersonKeep struct {
	Who string `arg:"" help:"A handle." complete:"person"`
	Off bool   `help:"Make a contact a stranger again."`
}

// Run changes it.
func (o PersonKeep) Run(_ context.Context, d *Device, x *IO) error {
	return d.changed(o.Who, x, func(id identity.ID) error { return d.Client.SetContact(id, !o.Off) })
}

// PersonPicture saves a person's picture.
type PersonPicture struct {
	Who  string `arg:"" help:"A handle." complete:"person"`
	Save string `arg:"" help:"The new file." complete:"file"`
}

// Run saves it.
func (o PersonPicture) Run(_ context.Context, d *Device, x *IO) error {
	id, err := d.account(o.Who)
	if err != nil {
		return err
	}
	b, err := d.Client.Picture(id)
	if err != nil {
		return err
	}
	return x.savePicture(o.Save, b)
}

// changed changes what a person is here, and shows them as they are now.
func (d *Device) changed(who string, x *IO, f func(identity.ID) error) error {
	p, err := d.person(who)
	if err != nil {
		return err
	}
	if err := f(p.Account); err != nil {
		return err
	}
	if p, err = d.Client.Person(p.Account); err != nil || p == nil {
		return err
	}
	x.listed(personOf(*p))
	return x.failed
}

// Compare shows the number that two people compare, and notes how it went.
type Compare struct {
	Who    string `arg:"" help:"A handle." complete:"person"`
	Match  bool   `help:"Note that the numbers are the same." xor:"result"`
	Differ bool   `help:"Note that they differ, or are to be compared anew." xor:"result"`
	Send   bool   `help:"Send what waits since a key changed, though you have not compared again." xor:"result"`
}

// Run shows or notes.
func (o Compare) Run(_ context.Context, d *Device, x *IO) error {
	if o.Send {
		return d.changed(o.Who, x, d.Client.SendAnyway)
	}
	if o.Match || o.Differ {
		return d.changed(o.Who, x, func(id identity.ID) error { return d.Client.SetCompared(id, o.Match) })
	}
	p, err := d.person(o.Who)
	if err != nil {
		return err
	}
	number, err := d.Client.SafetyNumber(p.Account)
	if err != nil {
		return err
	}
	v := personOf(*p)
	v.Number = number
	if x.JSON {
		x.object(v)
		return x.failed
	}
	x.printf("%s\n", number)
	art, err := qrText(strings.ReplaceAll(number, " ", ""), x.Terminal)
	if err != nil {
		return err
	}
	x.printf("%sCompare it with what %s's sotto shows, by another way: when you meet, or on the phone.\nThen say --match, or --differ.\n", art, line(v.Name))
	return x.failed
}

// Unblock ends that a person is blocked.
type Unblock struct {
	Who string `arg:"" help:"A handle." complete:"person"`
}

// Run unblocks. What was hidden stays hidden.
func (o Unblock) Run(_ context.Context, d *Device, x *IO) error {
	return d.changed(o.Who, x, func(id identity.ID) error { return d.Client.SetBlocked(id, false) })
}

// Later puts a stranger's request off: it stays, and asks for nothing.
type Later struct {
	From string `arg:"" help:"The stranger's handle." complete:"request"`
}

// Run puts it off.
func (o Later) Run(ctx context.Context, d *Device, x *IO) error {
	late := d.sync(ctx, x)
	list, err := d.Client.Requests()
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.Handle != o.From && accountText(r.Account) != o.From {
			continue
		}
		if err := d.Client.Later(r.Account); err != nil {
			return err
		}
		x.say(Done{"done", "put off", o.From}, "put off: sotto requests still shows it")
		return x.failed
	}
	if late != nil {
		return late
	}
	return fail("no such request", "nobody with the handle %s waits to be accepted", o.From)
}
