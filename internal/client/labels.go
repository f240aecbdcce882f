package client

import (
	"fmt"
	"strings"

	"sotto/internal/archive"
	"sotto/internal/linking"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// factLabel + a device's name is what the person calls that device.
const factLabel = "label "

// deviceName is what a device is called that nobody has named.
func deviceName(d wire.DeviceName) string { return fmt.Sprintf("%x", d[:4]) }

// label is what the person calls a device; "" for nothing.
func (c *Client) label(d wire.DeviceName) (label string, err error) {
	err = c.read(func(tx store.Tx) error {
		b, _, err := tx.Fact(factLabel + string(d[:]))
		label = string(b)
		return err
	})
	return label, err
}

// NameDevice calls a device of this account something; "" forgets that.
func (c *Client) NameDevice(device wire.DeviceName, name string) (err error) {
	name = strings.TrimSpace(name)
	c.on(func() {
		if c.chain == nil {
			err = ErrNoAccount
			return
		}
		if _, ok := c.chain.Device(device); !ok {
			err = wire.Refuse(wire.CodeMalformed, "there is no such device")
			return
		}
		if name != "" && room.CheckName(name) != nil || len(name) > linking.MaxLabel {
			err = wire.Refuse(wire.CodeMalformed, "a device's name has at most %d bytes, none of them invisible", linking.MaxLabel)
			return
		}
		err = c.update(func(tx store.Tx, after *[]func()) error {
			c.tellPerson(after, c.chain.ID())
			if err := c.keep(tx, after, room.KeptLabel, device[:], valued(name)); err != nil {
				return err
			}
			return setLabel(tx, device, name)
		})
	})
	return err
}

// applyLabel calls a device of this account what another one calls it.
func (c *Client) applyLabel(tx store.Tx, after *[]func(), x store.Register) error {
	name, ok := valueOf[string](x)
	if !ok || len(x.Of) != len(wire.DeviceName{}) || name != "" && room.CheckName(name) != nil || len(name) > linking.MaxLabel {
		return nil
	}
	*after = append(*after, func() { c.emit(Event{Kind: EventPerson, Account: c.chain.ID()}) })
	return setLabel(tx, wire.DeviceName(x.Of), name)
}

func setLabel(tx store.Tx, device wire.DeviceName, name string) error {
	if name == "" {
		return tx.DropFacts(factLabel + string(device[:]))
	}
	return tx.SetFact(factLabel+string(device[:]), []byte(name))
}

// labels are what the person calls their devices.
func (c *Client) labels(tx store.Tx) (out []archive.Label, err error) {
	for _, d := range c.chain.ActiveDevices() {
		b, ok, err := tx.Fact(factLabel + string(d.Name[:]))
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, archive.Label{Device: d.Name, Name: string(b)})
		}
	}
	return out, nil
}
