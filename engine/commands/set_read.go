package commands

import (
	"math"
	"slices"

	"larder/algebra"

	"larder/engine/sets"
	"larder/engine/store"
	"larder/protocol/client"
	"larder/protocol/command"
)

func setHandlers(h []Handler) {
	h[command.CmdSAdd] = sAdd
	h[command.CmdSRem] = sRem
	h[command.CmdSIsMember] = sIsMember
	h[command.CmdSMIsMember] = sMIsMember
	h[command.CmdSCard] = sCard
	h[command.CmdSMembers] = sMembers
	h[command.CmdSPop] = sPop
	h[command.CmdSRandMember] = sRandMember
	h[command.CmdSMove] = sMove
	h[command.CmdSInter] = sInter
	h[command.CmdSInterCard] = sInterCard
	h[command.CmdSInterStore] = sInterStore
	h[command.CmdSUnion] = sUnion
	h[command.CmdSUnionStore] = sUnionStore
	h[command.CmdSDiff] = sDiff
	h[command.CmdSDiffStore] = sDiffStore
	h[command.CmdSScan] = sScan
}

const errNotPositive = "ERR value is out of range, must be positive"

// setScratch is what commands on sets reuse from call to call.
type setScratch struct {
	set      sets.View
	setEdit  sets.Edit
	views    []sets.View
	operands []algebra.Set
}

// openSet makes c.set a view of the set of the command's key. wrong: the value is of another type, and the error was written.
func (c *Call) openSet() (v *sets.View, found, wrong bool) {
	it, found, wrong := c.lookKind(c.Args[1], store.KindSetInt, store.KindSetBig)
	if found {
		c.set.Open(c.Store, it)
	} else {
		c.set = sets.View{}
	}
	return &c.set, found, wrong
}

func sIsMember(c *Call) {
	if v, _, wrong := c.openSet(); !wrong {
		c.W.Int(flag(v.Has(c.Args[2])))
	}
}

// flag is 1 for true.
func flag(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

func sMIsMember(c *Call) {
	v, _, wrong := c.openSet()
	if wrong {
		return
	}
	members := c.Args[2:]
	c.W.Array(len(members))
	for _, member := range members {
		c.W.Int(flag(v.Has(member)))
	}
}

func sCard(c *Call) {
	if v, _, wrong := c.openSet(); !wrong {
		c.W.Int(int64(v.Len()))
	}
}

func sMembers(c *Call) {
	v, _, wrong := c.openSet()
	if wrong {
		return
	}
	c.W.Set(v.Len())
	for member := range v.All {
		if c.W.BulkBytes(member); c.full() {
			return
		}
	}
}

// sRandMember: with a count above 0 it gives different members, with one below 0 perhaps the same again.
func sRandMember(c *Call) {
	if len(c.Args) > 3 {
		c.W.Error(errSyntax)
		return
	}
	if len(c.Args) == 3 {
		c.randMembers()
		return
	}
	v, found, wrong := c.openSet()
	switch {
	case found:
		c.W.BulkBytes(v.At(c.Store.Rand().IntN(v.Len())))
	case !wrong:
		c.W.Null()
	}
}

func (c *Call) randMembers() {
	count, ok := store.ParseInt(c.Args[2])
	if !ok || count == math.MinInt64 {
		err := errNotInt
		if ok {
			err = errNotLong
		}
		c.W.Error(err)
		return
	}
	v, found, wrong := c.openSet()
	n := int64(v.Len())
	switch {
	case wrong:
	case !found || count == 0:
		c.W.Array(0)
	case count < 0:
		c.W.Array(int(-count))
		for range -count {
			if c.W.BulkBytes(v.At(c.Store.Rand().IntN(int(n)))); c.full() {
				return
			}
		}
	case count >= n:
		c.W.Array(int(n))
		for member := range v.All {
			if c.W.BulkBytes(member); c.full() {
				return
			}
		}
	default:
		c.W.Array(int(count))
		c.sample(v, int(count), func(member []byte) bool {
			c.W.BulkBytes(member)
			return !c.full()
		})
	}
}

// sample shows count different members, fewer than the set has, each choice as likely as another, until show says false.
func (c *Call) sample(v *sets.View, count int, show func(member []byte) bool) {
	const few = 8 // a set this many times larger than what is wanted of it is not walked
	if v.Kind() != store.KindSetBig || v.Len()/few < count {
		left := v.Len()
		for member := range v.All {
			if c.Store.Rand().IntN(left) < count { // as many of those that are left as are still wanted
				count--
				if !show(member) {
					return
				}
			}
			left--
		}
		return
	}
	for _, rank := range c.ranks(v.Len(), count) {
		if !show(v.At(rank)) {
			return
		}
	}
}

// ranks draws count different numbers below n, in ascending order (Floyd's way: one draw a number).
func (c *Call) ranks(n, count int) []int {
	drawn := make(map[int]struct{}, count)
	for last := n - count; last < n; last++ {
		rank := c.Store.Rand().IntN(last + 1)
		if _, taken := drawn[rank]; taken {
			rank = last
		}
		drawn[rank] = struct{}{}
	}
	ranks := make([]int, 0, count)
	for rank := range drawn {
		ranks = append(ranks, rank)
	}
	slices.Sort(ranks)
	return ranks
}

// sScan finds out whether there is a set before it looks at its options, as Redis does.
func sScan(c *Call) {
	cursor, ok := client.ParseCursor(c.Args[2])
	if !ok {
		c.W.Error(errCursor)
		return
	}
	v, found, wrong := c.openSet()
	if wrong {
		return
	}
	if !found {
		c.W.Array(2)
		c.W.Bulk("0")
		c.W.Array(0)
		return
	}
	o, err := parseMembersScan(c.Args[3:])
	if err != noError {
		c.W.Error(err)
		return
	}
	head, shown := len(c.W.Out), 0
	next := v.Scan(cursor, o.count, func(member []byte) {
		if o.match == nil || command.Match(o.match, member) {
			c.W.BulkBytes(member)
			shown++
		}
	})
	c.insertScanHead(head, next, shown)
}

// parseMembersScan reads what may follow the cursor of a scan within a key: no TYPE.
func parseMembersScan(args [][]byte) (o scanOptions, err string) {
	for i := 0; i+1 < len(args); i += 2 {
		if is(args[i], "type") {
			// What stands before is read first.
			if o, err = parseScan(args[:i]); err == noError {
				err = errSyntax
			}
			return o, err
		}
	}
	return parseScan(args)
}
