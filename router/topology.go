// Package router holds the routing picture of a cluster: which slot a key falls into, which shard owns the slot, which nodes a shard has. It only
// computes. What must hold: a Topology is never changed after New, so any goroutine reads it without a lock (a loop reads the pointer once a callback);
// every slot has at most one owner; epochs only grow, and whoever holds two topologies of a cluster believes the one with the higher epoch.
package router

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Nobody is the owner of a slot that no shard has.
const Nobody = -1

// ShardsMax is how many shards a cluster may have: with more, a shard would have no slot group of its own.
const ShardsMax = Groups

// ReplicasMax is how many replicas a shard may have.
const ReplicasMax = 5

// Node is one engine process.
type Node struct {
	ID       string // unique in the cluster; New takes the address where it is empty
	Addr     string // host:port; an IPv6 host stands in brackets
	External bool   // a stock server: it does not speak the dialect and knows no epochs
}

// Range is a run of slots, both ends included.
type Range struct{ From, To int }

// Shard is a share of the key space.
type Shard struct {
	Primary  Node
	Replicas []Node
	Slots    []Range // New sorts them and joins those that touch; may be empty (a shard that is being filled or emptied)
}

// Topology is the routing picture of one cluster. Immutable after New: nobody writes to it or to what it points to.
type Topology struct {
	Cluster string // the cluster's name
	Epoch   uint64 // grows with each change; 0 = a fixed topology that nobody manages
	Shards  []Shard

	owners [Slots]int16
	runs   []run // the slots cut wherever the owner changes, in order; the last ends at Slots
}

// run is a longest stretch of slots with one owner (or with none); it begins where the one before it ends.
type run struct{ end, owner int }

// Source is whoever knows the topology of one cluster and learns of its changes.
type Source interface {
	// Topology is the newest one known; never nil. Any goroutine may call it.
	Topology() *Topology
	// Watch calls changed, one call at a time, with each topology that is newer than the last; it blocks and returns nil once ctx has ended.
	Watch(ctx context.Context, changed func(*Topology)) error
}

// New checks the shards, copies them and builds the table of owners. Errors name the shard (counted from 0) and the slot.
func New(cluster string, epoch uint64, shards []Shard) (*Topology, error) {
	if len(shards) == 0 {
		return nil, errors.New("build topology: no shards")
	}
	if len(shards) > ShardsMax {
		return nil, fmt.Errorf("build topology: %d shards, at most %d are possible", len(shards), ShardsMax)
	}
	if err := checkName(cluster); err != nil {
		return nil, fmt.Errorf("build topology: cluster: %w", err)
	}
	t := &Topology{Cluster: cluster, Epoch: epoch, Shards: make([]Shard, len(shards))}
	for slot := range t.owners {
		t.owners[slot] = Nobody
	}
	seen := map[string]string{} // node ID → where
	for i, shard := range shards {
		checked, err := checkNodes(shard, i, seen)
		if err != nil {
			return nil, fmt.Errorf("build topology: %w", err)
		}
		if checked.Slots, err = t.claim(i, shard.Slots); err != nil {
			return nil, fmt.Errorf("build topology: %w", err)
		}
		t.Shards[i] = checked
	}
	t.runs = findRuns(&t.owners)
	return t, nil
}

// Even spreads all slots over the primaries in order, as evenly as borders between slot groups allow.
func Even(cluster string, epoch uint64, primaries []Node) (*Topology, error) {
	shards := make([]Shard, len(primaries))
	for i, node := range primaries {
		shards[i].Primary = node
	}
	return EvenShards(cluster, epoch, shards)
}

// EvenShards is Even for shards that may have replicas. Which slots they have is not asked.
func EvenShards(cluster string, epoch uint64, shards []Shard) (*Topology, error) {
	shards = slices.Clone(shards)
	for i := range shards {
		shards[i].Slots = EvenSlots(i, len(shards))
	}
	return New(cluster, epoch, shards)
}

// EvenSlots are those of one of so many shards in EvenShards.
func EvenSlots(shard, of int) []Range {
	from, to := shard*Groups/of, (shard+1)*Groups/of
	if from == to {
		return nil
	}
	return []Range{{From: from * GroupSlots, To: to*GroupSlots - 1}}
}

func checkNodes(s Shard, shard int, seen map[string]string) (Shard, error) {
	checked := Shard{Replicas: slices.Clone(s.Replicas)}
	var err error
	if checked.Primary, err = checkNode(s.Primary, fmt.Sprintf("shard %d: primary", shard), seen); err != nil {
		return Shard{}, err
	}
	for i, node := range checked.Replicas {
		if checked.Replicas[i], err = checkNode(node, fmt.Sprintf("shard %d: replica %d", shard, i), seen); err != nil {
			return Shard{}, err
		}
	}
	return checked, nil
}

func checkNode(n Node, where string, seen map[string]string) (Node, error) {
	if err := checkAddr(n.Addr); err != nil {
		return Node{}, fmt.Errorf("%s: %w", where, err)
	}
	if n.ID == "" {
		n.ID = n.Addr
	}
	if err := checkName(n.ID); err != nil {
		return Node{}, fmt.Errorf("%s: id: %w", where, err)
	}
	if before, twice := seen[n.ID]; twice {
		return Node{}, fmt.Errorf("%s: node %q is already %s", where, n.ID, before)
	}
	seen[n.ID] = where
	return n, nil
}

// checkName wants what can stand in a log line and in JSON.
func checkName(name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("name %q: want UTF-8 without control characters", name)
	}
	return nil
}

// checkAddr wants host:port as net.Dial takes it, with a port by number.
func checkAddr(addr string) error {
	colon := strings.LastIndexByte(addr, ':')
	if colon < 0 {
		return fmt.Errorf("address %q: want host:port", addr)
	}
	host, port := addr[:colon], addr[colon+1:]
	bracketed := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	if bracketed {
		host = host[1 : len(host)-1]
	}
	if host == "" || strings.ContainsAny(host, "[]") || !bracketed && strings.Contains(host, ":") {
		return fmt.Errorf("address %q: want host:port, an IPv6 host in brackets", addr)
	}
	if checkName(host) != nil || strings.ContainsFunc(host, unicode.IsSpace) {
		return fmt.Errorf("address %q: a blank, a control character or bad UTF-8 in the host", addr)
	}
	const portMax = 65535
	if n, ok := parseDecimal(port); !ok || n == 0 || n > portMax {
		return fmt.Errorf("address %q: want a port from 1 to %d", addr, portMax)
	}
	return nil
}

// claim marks the ranges as the shard's and returns them in order, joined where they touch.
func (t *Topology) claim(shard int, ranges []Range) ([]Range, error) {
	for _, r := range ranges {
		if r.From < 0 || r.To >= Slots || r.From > r.To {
			return nil, fmt.Errorf("shard %d: slots %s: want from <= to, both from 0 to %d", shard, r, Slots-1)
		}
		for slot := r.From; slot <= r.To; slot++ {
			switch owner := t.owners[slot]; {
			case owner == int16(shard):
				return nil, fmt.Errorf("shard %d: slot %d is listed twice", shard, slot)
			case owner != Nobody:
				return nil, fmt.Errorf("shard %d: slot %d is already shard %d's", shard, slot, owner)
			}
			t.owners[slot] = int16(shard)
		}
	}
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b Range) int { return cmp.Compare(a.From, b.From) })
	var joined []Range
	for _, r := range sorted {
		if last := len(joined) - 1; last >= 0 && joined[last].To+1 == r.From {
			joined[last].To = r.To
		} else {
			joined = append(joined, r)
		}
	}
	return joined, nil
}

func findRuns(owners *[Slots]int16) []run {
	var runs []run
	for slot := 1; slot <= Slots; slot++ {
		if slot == Slots || owners[slot] != owners[slot-1] {
			runs = append(runs, run{end: slot, owner: int(owners[slot-1])})
		}
	}
	return runs
}

// Owner is the index of the shard that has the slot, or Nobody. slot must be within 0 to Slots-1.
func (t *Topology) Owner(slot int) int { return int(t.owners[slot]) }

// RunEnd is the first slot after slot that has another owner, or Slots: the keys of [slot, RunEnd(slot)) are on one shard. slot must be within 0 to Slots-1.
func (t *Topology) RunEnd(slot int) int {
	at := sort.Search(len(t.runs), func(i int) bool { return t.runs[i].end > slot })
	return t.runs[at].end
}

// NextOwned is the first slot from slot on (itself included) that has an owner, or Slots if there is none.
func (t *Topology) NextOwned(slot int) int {
	for slot < Slots && t.owners[slot] == Nobody {
		slot = t.RunEnd(slot)
	}
	return slot
}

// String is a range as Redis Cluster writes it: "0-5455", a single slot "7".
func (r Range) String() string {
	if r.From == r.To {
		return fmt.Sprint(r.From)
	}
	return fmt.Sprintf("%d-%d", r.From, r.To)
}
