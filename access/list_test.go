package access_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"larder/access"
)

func TestAllows(t *testing.T) {
	for _, test := range []struct {
		list    string
		allowed string
		refused string
	}{
		{"", "", "127.0.0.1 ::1 10.0.0.1"},
		{"10.0.0.0/8", "10.0.0.0 10.255.255.255 ::ffff:10.1.2.3", "9.255.255.255 11.0.0.0 ::a00:1 ::1"},
		{"10.1.2.3/8", "10.0.0.1 10.255.0.1", "11.1.2.3"},
		{"192.0.2.7", "192.0.2.7 ::ffff:192.0.2.7", "192.0.2.6 192.0.2.8"},
		{"192.0.2.4/30,192.0.2.9/32", "192.0.2.4 192.0.2.7 192.0.2.9", "192.0.2.3 192.0.2.8 192.0.2.10"},
		{"2001:db8::/32", "2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff:: 2001:db9:: 10.0.0.1"},
		{"::1", "::1", ":: ::2 127.0.0.1 0.0.0.1"},
		{"fe80::/10", "fe80::1 fe80::1%eth0 febf::", "fec0::"},
		{"0.0.0.0/0", "0.0.0.0 255.255.255.255 ::ffff:1.2.3.4", "::1 2001:db8::1"},
		{"::/0", "::1 2001:db8::1", "1.2.3.4 ::ffff:1.2.3.4"},
		{"::ffff:10.0.0.0/104", "10.1.2.3 ::ffff:10.1.2.3", "11.0.0.1"},
		{"::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"},
		{" 127.0.0.0/8 ,\t::1", "127.0.0.1 127.255.0.1 ::1", "128.0.0.1"},
	} {
		var entries []string
		if test.list != "" {
			entries = strings.Split(test.list, ",")
		}
		list, err := access.ParseList(entries)
		if err != nil {
			t.Errorf("%s: %v", test.list, err)
			continue
		}
		for want, addrs := range map[bool]string{true: test.allowed, false: test.refused} {
			for _, addr := range strings.Fields(addrs) {
				if got := list.Allows(netip.MustParseAddr(addr)); got != want {
					t.Errorf("list %q: %s: %v", test.list, addr, got)
				}
			}
		}
	}
}

func TestNobody(t *testing.T) {
	var none *access.List
	var zero access.List
	empty, err := access.ParseList(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []*access.List{none, &zero, empty} {
		if list.Allows(netip.MustParseAddr("127.0.0.1")) || list.String() != "nobody" || len(list.Entries()) != 0 {
			t.Errorf("%v lets someone in", list)
		}
	}
	all, _ := access.ParseList([]string{"0.0.0.0/0", "::/0"})
	if all.Allows(netip.Addr{}) {
		t.Error("the zero address is let in")
	}
}

func TestParseListRefuses(t *testing.T) {
	for _, entry := range []string{"", " ", "localhost", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/-1", "10.0.0.0/", "/8", "::/129", "10.0.0.1:6379", "fe80::1%eth0", "fe80::%eth0/64", "010.0.0.1", "10.0.0.0/08", "10.0.0.1-10.0.0.9"} {
		list, err := access.ParseList([]string{"10.0.0.0/8", entry})
		if err == nil || list != nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("parse access list: entry 2 %q: ", entry)) {
			t.Errorf("%q: %v", entry, err)
		}
	}
}

func TestEntries(t *testing.T) {
	list, err := access.ParseList([]string{"::1", "10.1.2.3/8", "192.0.2.7", "10.0.0.0/8", "::ffff:192.0.2.8", "2001:DB8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := list.String(), "10.0.0.0/8,192.0.2.7/32,192.0.2.8/32,::1/128,2001:db8::/32"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzParseList(f *testing.F) {
	for _, seed := range []string{"10.0.0.0/8", "::1", "::ffff:10.0.0.0/104", "fe80::1%eth0", "1.2.3.4/33", "::ffff:0:0/90"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		list, err := access.ParseList([]string{entry})
		if err != nil {
			return
		}
		blocks := list.Entries()
		if len(blocks) != 1 || !list.Allows(blocks[0].Addr()) && !blocks[0].Addr().Is4In6() {
			t.Fatalf("%q: %v, its own address refused", entry, blocks)
		}
		again, err := access.ParseList([]string{list.String()})
		if err != nil || again.String() != list.String() {
			t.Fatalf("%q → %q: %v", entry, list, err)
		}
	})
}

func TestAllowsAllocations(t *testing.T) {
	list, err := access.ParseList([]string{"10.0.0.0/8", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	four, six := netip.MustParseAddr("::ffff:10.1.2.3"), netip.MustParseAddr("2001:db8::1")
	if allocs := testing.AllocsPerRun(100, func() { list.Allows(four); list.Allows(six) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
