package directory

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// dropDevice erases what the directory holds for a device and notes that its inbox
// must go too.
func (d *Directory) dropDevice(b *engine.Batch, a *Account, device wire.DeviceName) {
	d.dropPublished(b, a, device)
	b.Set(append([]byte(prefixDeparted), a.Owner(device)...), []byte{})
}

// dropPublished erases by what others find a device.
func (d *Directory) dropPublished(b *engine.Batch, a *Account, device wire.DeviceName) {
	b.Delete(deviceKey(prefixDevice, a.Name, device))
	dropPrefix(b, deviceKey(prefixOneTime, a.Name, device))
	dropPrefix(b, deviceKey(prefixLastResort, a.Name, device))
}

// Departed are the owners whose inboxes must be dropped: of devices revoked, of
// accounts deleted. They stay listed until Dropped, also over a crash.
func (d *Directory) Departed() (owners [][]byte, err error) {
	err = d.db.Scan([]byte(prefixDeparted), end(prefixDeparted), func(k, _ []byte) (bool, error) {
		owners = append(owners, append([]byte(nil), k[len(prefixDeparted):]...))
		return true, nil
	})
	return owners, err
}

// Dropped says that the inbox of owner is gone.
func (d *Directory) Dropped(owner []byte) error {
	b := d.db.NewBatch()
	b.Shrinks()
	b.Delete(append([]byte(prefixDeparted), owner...))
	return d.db.CommitWait(b)
}

// home is the account if it holds the device and lives here. The name is locked.
func (d *Directory) home(name string, device wire.DeviceName) (*Account, error) {
	a, err := d.active(name, device)
	if err == nil {
		err = a.Home()
	}
	return a, err
}

// active is the account if it holds the device. The name is locked.
func (d *Directory) active(name string, device wire.DeviceName) (*Account, error) {
	a, err := d.load(name)
	if err != nil {
		return nil, err
	}
	if _, ok := a.Chain.Device(device); !ok {
		return nil, wire.Refuse(wire.CodeNotAuthenticated, "this device was removed from the account")
	}
	return a, nil
}

// SetInbox says where a device takes invitations.
func (d *Directory) SetInbox(name string, device wire.DeviceName, inbox wire.InboxName, capability wire.Secret) error {
	defer d.lock(name).Unlock()
	if _, err := d.home(name, device); err != nil {
		return err
	}
	b := d.db.NewBatch()
	b.Set(deviceKey(prefixDevice, name, device), wire.Marshal(deviceRow{inbox, capability}))
	return d.change(name, b)
}

// Publish adds a device's key packages. The server cannot read them: it checks sizes
// and counts. An equal one-time package that still stands is not added twice. A last
// resort takes the place of the one before in its suite, and nothing else does.
func (d *Directory) Publish(name string, device wire.DeviceName, p wire.Publish) (wire.KeyPackageCount, error) {
	defer d.lock(name).Unlock()
	if _, err := d.home(name, device); err != nil {
		return wire.KeyPackageCount{}, err
	}
	have, err := d.packages(name, device)
	if err != nil {
		return wire.KeyPackageCount{}, err
	}
	today := uint32(dayOf(d.o.Now()))
	fresh := map[string][]byte{}
	for _, kp := range p.OneTime {
		if err := checkPackage(p.Suite, kp); err != nil {
			return wire.KeyPackageCount{}, err
		}
		h := sha256.Sum256(kp)
		if !have.oneTime[oneTime{p.Suite, [packageHash]byte(h[:])}] {
			fresh[string(oneTimeKey(name, device, p.Suite, today, h))] = kp
		}
	}
	count := have.count()
	if p.LastResort != nil {
		if err := checkPackage(p.Suite, p.LastResort); err != nil {
			return count, err
		}
		if !have.lastResort[p.Suite] && len(have.lastResort) >= maxSuites {
			return count, wire.Refuse(wire.CodeQuota, "a device keeps last-resort key packages of at most %d suites", maxSuites)
		}
	}
	count.OneTime += uint32(len(fresh))
	count.LastResort = count.LastResort || p.LastResort != nil
	if count.OneTime > wire.MaxKeyPackages {
		return count, wire.Refuse(wire.CodeQuota, "a device keeps at most %d one-time key packages", wire.MaxKeyPackages)
	}
	if len(fresh) == 0 && p.LastResort == nil {
		return count, nil
	}
	b := d.db.NewBatch()
	for k, kp := range fresh {
		b.Set([]byte(k), kp)
	}
	if p.LastResort != nil {
		b.Set(suiteKey(prefixLastResort, name, device, p.Suite), p.LastResort)
	}
	return count, d.change(name, b)
}

const maxSuites = 8

func checkPackage(suite uint16, kp []byte) error {
	switch {
	case suite == 0 || len(kp) == 0:
		return wire.Refuse(wire.CodeMalformed, "a key package needs its suite and its bytes")
	case len(kp) > wire.MaxKeyPackage:
		return wire.Refuse(wire.CodeTooLarge, "a key package of %d bytes is over the limit of %d", len(kp), wire.MaxKeyPackage)
	}
	return nil
}

// Count says how many key packages of a device are left, of all suites together: a
// device publishes in one suite, and while it changes to another it has in the sum
// what it may still publish.
func (d *Directory) Count(name string, device wire.DeviceName) (wire.KeyPackageCount, error) {
	have, err := d.packages(name, device)
	return have.count(), err
}

// packages are the key packages of a device that can be handed out.
type packages struct {
	oneTime    map[oneTime]bool
	lastResort map[uint16]bool // by suite
}

type oneTime struct {
	suite uint16
	hash  [packageHash]byte
}

func (p packages) count() wire.KeyPackageCount {
	return wire.KeyPackageCount{OneTime: uint32(len(p.oneTime)), LastResort: len(p.lastResort) > 0}
}

func (d *Directory) packages(name string, device wire.DeviceName) (packages, error) {
	have := packages{map[oneTime]bool{}, map[uint16]bool{}}
	first := firstDay(d.o.Now())
	p := deviceKey(prefixOneTime, name, device)
	err := d.db.Scan(p, end(string(p)), func(k, _ []byte) (bool, error) {
		suite, day := splitOneTime(k)
		if day >= first {
			have.oneTime[oneTime{suiteOf(suite), [packageHash]byte(k[len(k)-packageHash:])}] = true
		}
		return true, nil
	})
	if err != nil {
		return have, err
	}
	p = deviceKey(prefixLastResort, name, device)
	err = d.db.Scan(p, end(string(p)), func(k, _ []byte) (bool, error) {
		have.lastResort[suiteOf(k)] = true
		return true, nil
	})
	return have, err
}

// dropOld erases the one-time packages that are not handed out any more. The days of a
// suite stand in order, so it looks at one package for each device and suite.
func (d *Directory) dropOld(now time.Time) error {
	first := firstDay(now)
	b := d.db.NewBatch()
	b.Shrinks()
	from, last := []byte(prefixOneTime), end(prefixOneTime)
	for from != nil {
		var next []byte
		err := d.db.Scan(from, last, func(k, _ []byte) (bool, error) {
			suite, day := splitOneTime(k)
			suite = append([]byte(nil), suite...)
			if next = end(string(suite)); day < first {
				b.DeleteRange(suite, binary.BigEndian.AppendUint32(suite[:len(suite):len(suite)], first))
			}
			return false, nil
		})
		if err != nil {
			b.Drop()
			return err
		}
		from = next
	}
	if b.Empty() {
		b.Drop()
		return nil
	}
	return d.db.CommitWait(b)
}

// Lookup is what anybody may know of an account.
func (d *Directory) Lookup(name string) (wire.Lookup, error) {
	a, err := d.Account(name)
	if err != nil {
		return wire.Lookup{}, err
	}
	out := wire.Lookup{Handle: name + "@" + d.Host(), Chain: a.Chain.Statements(0)}
	for _, dev := range a.Chain.ActiveDevices() {
		v, ok, err := d.db.Get(deviceKey(prefixDevice, name, dev.Name))
		if err != nil {
			return out, err
		}
		var row deviceRow
		if ok {
			if err := wire.Unmarshal(v, &row); err != nil {
				return out, err
			}
			out.Devices = append(out.Devices, wire.Inbox{Device: dev.Name, Inbox: row.Inbox, Capability: row.Capability})
		}
	}
	return out, nil
}

// Claim hands out one key package for each device asked for: a one-time package,
// the oldest that is not over wire.KeyPackageLife, which is gone with it, else the last
// resort. With spare only the last resort is
// handed out, because somebody claims faster than people meet.
func (d *Directory) Claim(name string, c wire.ClaimPackages, spare bool) (wire.ClaimedPackages, error) {
	var out wire.ClaimedPackages
	if len(c.Devices) > wire.MaxClaim {
		return out, wire.Refuse(wire.CodeTooLarge, "claim key packages of at most %d devices at once", wire.MaxClaim)
	}
	defer d.lock(name).Unlock()
	a, err := d.load(name)
	if err != nil {
		return out, err
	}
	devices := c.Devices
	if len(devices) == 0 {
		for _, dev := range a.Chain.ActiveDevices()[:min(len(a.Chain.ActiveDevices()), wire.MaxClaim)] {
			devices = append(devices, dev.Name)
		}
	}
	var spent [][]byte
	seen := map[wire.DeviceName]bool{}
	for _, dev := range devices {
		if _, ok := a.Chain.Device(dev); !ok || seen[dev] {
			continue
		}
		seen[dev] = true
		p, key, err := d.pick(name, dev, c.Suite, spare)
		if err != nil {
			return out, err
		}
		if key != nil {
			spent = append(spent, key)
		}
		if p.KeyPackage != nil {
			out.Packages = append(out.Packages, p)
		}
	}
	if len(spent) == 0 {
		return out, nil
	}
	b := d.db.NewBatch()
	b.Shrinks()
	for _, key := range spent {
		b.Delete(key)
	}
	return out, d.change(name, b)
}

// pick chooses a device's key package, with the key of the row to erase if it is a
// one-time package.
func (d *Directory) pick(name string, dev wire.DeviceName, suite uint16, spare bool) (wire.ClaimedPackage, []byte, error) {
	out := wire.ClaimedPackage{Device: dev}
	var key []byte
	if !spare {
		p := suiteKey(prefixOneTime, name, dev, suite)
		good := binary.BigEndian.AppendUint32(p[:len(p):len(p)], firstDay(d.o.Now()))
		err := d.db.Scan(good, end(string(p)), func(k, v []byte) (bool, error) {
			key = append([]byte(nil), k...)
			out.KeyPackage = append([]byte(nil), v...)
			return false, nil
		})
		if err != nil || key != nil {
			return out, key, err
		}
	}
	v, ok, err := d.db.Get(suiteKey(prefixLastResort, name, dev, suite))
	if ok {
		out.KeyPackage, out.LastResort = v, true
	}
	return out, nil, err
}
