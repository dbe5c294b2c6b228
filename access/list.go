// Package access decides who may connect: lists of CIDR blocks, later subnet rules and users. It only decides; whoever asks closes the
// connection and counts it. What must hold: nothing listed means nobody, and an IPv4 peer that shows up as IPv6 (::ffff:a.b.c.d) is judged as the
// IPv4 address it is. A List never changes after ParseList, so any goroutine may ask it without a lock; the loops ask at accept.
package access

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gaissmai/bart"
)

// List is a set of address blocks that are let in. The zero List and a nil one let nobody in.
type List struct {
	table bart.Lite
}

// ParseList reads blocks ("10.0.0.0/8", "2001:db8::/32") and single addresses ("192.0.2.7", "::1"). Bits beyond a block's length are ignored, as
// in "10.1.2.3/8". An entry that is neither is an error that quotes it and counts it from 1. No entries: a list that allows nobody.
func ParseList(cidrs []string) (*List, error) {
	l := &List{}
	for i, entry := range cidrs {
		block, err := parseEntry(strings.TrimSpace(entry))
		if err != nil {
			return nil, fmt.Errorf("parse access list: entry %d %q: %w", i+1, entry, err)
		}
		l.table.Insert(block)
	}
	return l, nil
}

func parseEntry(entry string) (netip.Prefix, error) {
	const want = "want an address such as 192.0.2.7 or ::1, or a block such as 10.0.0.0/8 or 2001:db8::/32"
	if entry == "" {
		return netip.Prefix{}, fmt.Errorf("it is empty; %s", want)
	}
	if strings.Contains(entry, "%") {
		// A zone names an interface of this one machine; a list is shared by all gateways.
		return netip.Prefix{}, fmt.Errorf("a zone cannot be listed; %s", want)
	}
	if !strings.Contains(entry, "/") {
		addr, err := netip.ParseAddr(entry)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("not an address; %s", want)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	block, err := netip.ParsePrefix(entry)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("not a CIDR block; %s", want)
	}
	const mappedBits = 96 // ::ffff:0:0/96 holds all of IPv4
	if block.Addr().Is4In6() && block.Bits() >= mappedBits {
		block = netip.PrefixFrom(block.Addr().Unmap(), block.Bits()-mappedBits)
	}
	return block.Masked(), nil
}

// Allows tells whether the peer with address a may connect. It allocates nothing.
func (l *List) Allows(a netip.Addr) bool {
	if l == nil || !a.IsValid() {
		return false
	}
	return l.table.Contains(a.Unmap().WithZone(""))
}

// Entries are the blocks of the list as they are judged: masked, unmapped, each once, IPv4 before IPv6, in address order.
func (l *List) Entries() []netip.Prefix {
	if l == nil {
		return nil
	}
	var entries []netip.Prefix
	for block := range l.table.AllSorted() {
		entries = append(entries, block)
	}
	return entries
}

// String lists the entries for logs and `larder config`; an empty list reads "nobody".
func (l *List) String() string {
	entries := l.Entries()
	if len(entries) == 0 {
		return "nobody"
	}
	words := make([]string, len(entries))
	for i, block := range entries {
		words[i] = block.String()
	}
	return strings.Join(words, ",")
}
