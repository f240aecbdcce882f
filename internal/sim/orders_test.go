package sim

import (
	"fmt"
	"slices"
	"testing"
)

// Three devices of Ana and two of Bo, linked and unlinked in all orders while everybody writes:
// everybody reads all that they should, and nobody what they should not. Each order of one
// person is carried out with each of the other; all ways in which they mingle are for a whole
// soak. Every fourth is carried out with faults too.
func TestOrders(t *testing.T) {
	all := orders()
	if len(all) != 840 || firstOrders() != 56 {
		t.Fatalf("%d orders, %d in the first part", len(all), firstOrders())
	}
	total := NewStats()
	if *seeds < fullSoak {
		all = all[:firstOrders()]
	}
	for _, o := range all {
		inOrder(t, o, total)
	}
	if n := total.Of("devices unlinked"); n < 3*int64(len(all)) {
		t.Errorf("%d devices were unlinked", n)
	}
	fmt.Printf("%d orders of devices that come and go, %d of them with faults, %d messages delivered, %d devices linked, %d unlinked\n",
		total.Of("orders"), total.Of("orders with faults"), total.Of("delivered"), total.Of("devices linked or recovered"), total.Of("devices unlinked"))
}

// inOrder carries out one order: calmly, when nothing may be missing for anybody, and now and
// then with faults.
func inOrder(t *testing.T, o order, into *Stats) {
	t.Run(fmt.Sprint("order ", o.n), func(t *testing.T) {
		r := Perform(t, o.plan(false))
		if r.Failure() != "" || !r.spotless() {
			t.Errorf("%v: %s", o.deeds, r.Failure())
		}
		for _, p := range r.People {
			if linked := len(p.devices); linked != map[string]int{"ana": 3, "bo": 2}[p.Name] || len(p.active()) != 1 {
				t.Errorf("%v: %s has %d devices, %d of them active", o.deeds, p.Name, linked, len(p.active()))
			}
		}
		into.Add(r.Stats)
		into.Count("orders", 1)
	})
	if o.n%4 != 0 {
		return
	}
	t.Run(fmt.Sprint("order ", o.n, " with faults"), func(t *testing.T) {
		p := o.plan(true)
		r := Perform(t, p)
		if r.Failure() != "" {
			t.Errorf("%s\n%s", r.Failure(), p)
		}
		into.Add(r.Stats)
		into.Count("orders with faults", 1)
	})
}

func TestDeeds(t *testing.T) {
	for _, c := range []struct{ links, unlinks, want int }{{0, 0, 1}, {1, 0, 1}, {1, 1, 2}, {2, 0, 2}, {2, 1, 2*6 + 2*1}, {0, 1, 0}} {
		got := deedsOf("ana", c.links, c.unlinks)
		if len(got) != c.want {
			t.Errorf("%d links and %d unlinks have %d orders, not %d: %v", c.links, c.unlinks, len(got), c.want, got)
		}
	}
	a, b := []deed{{"1", "", ""}, {"2", "", ""}}, []deed{{"3", "", ""}, {"4", "", ""}}
	if got := mingled(a, b); len(got) != 6 || !slices.ContainsFunc(got, func(x []deed) bool { return x[0] == a[0] && x[1] == b[0] && x[2] == a[1] }) {
		t.Errorf("%v", got)
	}
}
