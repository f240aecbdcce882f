package command

import (
	"context"

	"sotto/internal/client"
	"sotto/internal/doctor"
	"sotto/internal/wire"
)

// Doctor tries each way that a call may take.
type Doctor struct{}

// DoctorCheck is one way that was tried.
type DoctorCheck struct {
	Type string `json:"type"` // "check"
	doctor.Check
	Text string `json:"text"`
}

// DoctorVerdict is what follows from the checks.
type DoctorVerdict struct {
	Type    string `json:"type"` // "doctor"
	Host    string `json:"host"`
	Direct  bool   `json:"direct"`
	Relayed bool   `json:"relayed"`
	Text    string `json:"text"`
}

// Run tries them, and fails when calls cannot work at all.
func (Doctor) Run(ctx context.Context, d *Device, x *IO) error {
	self, err := d.Client.Self()
	if err != nil {
		return err
	}
	h, err := wire.ParseHandle(self.Handle)
	if err != nil {
		return err
	}
	host := h.Host
	if err := d.sync(ctx, x); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	r, err := d.Client.Relays(wait)
	if client.NoRelay(err) {
		x.say(DoctorVerdict{Type: "doctor", Host: host, Text: noRelay(host)}, "%s", noRelay(host))
		return nil
	}
	if err != nil {
		return err
	}
	x.say(DoctorCheck{Type: "check", Check: doctor.Check{Way: "server", At: host, Works: true}, Text: host + " answers"}, "works  your home server %s answers", host)
	report := doctor.Run(ctx, doctor.Options{Host: host, URLs: r.URLs, Username: r.Username, Password: r.Password})
	for _, c := range report.Checks {
		word := "fails"
		if c.Absent {
			word = "     "
		} else if c.Works {
			word = "works"
		}
		x.say(DoctorCheck{"check", c, c.Text()}, "%s  %s", word, c.Text())
	}
	verdict := report.Verdict(host)
	if !report.Direct && !report.Relayed {
		return fail("no calls", "%s", verdict)
	}
	x.say(DoctorVerdict{"doctor", host, report.Direct, report.Relayed, verdict}, "%s", verdict)
	return nil
}

func noRelay(host string) string {
	return host + " helps no calls: they work within one network at most. Whoever runs it switches that on with relay-port in its configuration."
}
