package commands

import (
	"larder/algebra"
	"larder/engine/sets"
	"larder/engine/store"
)

const (
	errNumKeys  = "ERR numkeys should be greater than 0"
	errManyKeys = "ERR Number of keys can't be greater than number of args"
	errLimit    = "ERR LIMIT can't be negative"
)

// setOp is an operation on sets.
type setOp uint8

const (
	opInter setOp = iota
	opUnion
	opDiff
)

func sInter(c *Call) { c.combineSets(opInter) }
func sUnion(c *Call) { c.combineSets(opUnion) }
func sDiff(c *Call)  { c.combineSets(opDiff) }

func sInterStore(c *Call) { c.storeSets(opInter, "sinterstore") }
func sUnionStore(c *Call) { c.storeSets(opUnion, "sunionstore") }
func sDiffStore(c *Call)  { c.storeSets(opDiff, "sdiffstore") }

// openSets makes views of the keys' sets in c.views and c.operands; a key that is not there is an empty set. wrong: one is of another type, and the error was
// written. An intersection goes no further than that, as in Redis: one that is empty for sure still looks at the types of all keys.
func (c *Call) openSets(keys [][]byte) (wrong bool) {
	for _, key := range keys {
		if _, _, wrong = c.lookKind(key, store.KindSetInt, store.KindSetBig); wrong {
			return true
		}
	}
	// The dead are removed now, so that nothing changes while the views are in use.
	if cap(c.views) < len(keys) {
		c.views = make([]sets.View, len(keys))
	}
	c.views, c.operands = c.views[:len(keys)], c.operands[:0]
	for i, key := range keys {
		v := &c.views[i]
		*v = sets.View{}
		if it, found := c.DB.Peek(key, c.NowMS); found {
			v.Open(c.Store, it)
		}
		c.operands = append(c.operands, v)
	}
	return false
}

// closeSets forgets the views, which would else keep what is replaced.
func (c *Call) closeSets() {
	const most = 64
	clear(c.views)
	clear(c.operands)
	if cap(c.views) > most {
		c.views, c.operands = nil, nil
	}
}

// result gives the operation's members, of c.operands.
func (c *Call) result(op setOp) algebra.Members {
	switch op {
	case opInter:
		return algebra.Intersection(c.operands)
	case opUnion:
		return algebra.Union(c.operands)
	default:
		return algebra.Difference(c.operands[0], c.others())
	}
}

// others are the sets that a difference takes away. One that is the first itself leaves nothing, which the ways to a difference find out by themselves.
func (c *Call) others() []algebra.Set { return c.operands[1:] }

func (c *Call) combineSets(op setOp) {
	if c.openSets(c.Args[1:]) {
		return
	}
	head, n := len(c.W.Out), 0
	for member := range c.result(op) {
		c.W.BulkBytes(member)
		n++
		if c.full() {
			break
		}
	}
	c.closeSets()
	c.insertSet(head, n)
}

// insertSet puts the head of a set of n members before those that were written from at on.
func (c *Call) insertSet(at, n int) {
	end := len(c.W.Out)
	c.W.Set(n)
	size := len(c.W.Out) - end
	var head [32]byte
	copy(head[:], c.W.Out[end:])
	copy(c.W.Out[at+size:], c.W.Out[at:end])
	copy(c.W.Out[at:], head[:size])
}

// sInterCard counts, up to a limit if there is one; 0 is none.
func sInterCard(c *Call) {
	keys, limit, err := parseInterCard(c.Args[1:])
	if err != noError {
		c.W.Error(err)
		return
	}
	if c.openSets(keys) {
		return
	}
	n := int64(0)
	for range algebra.Intersection(c.operands) {
		if n++; n == limit {
			break
		}
	}
	c.closeSets()
	c.W.Int(n)
}

func parseInterCard(args [][]byte) (keys [][]byte, limit int64, err string) {
	n, ok := store.ParseInt(args[0])
	args = args[1:]
	switch {
	case !ok || n < 1:
		return nil, 0, errNumKeys
	case n > int64(len(args)):
		return nil, 0, errManyKeys
	}
	keys, args = args[:n], args[n:]
	for ; len(args) > 0; args = args[2:] {
		if !is(args[0], "limit") || len(args) < 2 {
			return nil, 0, errSyntax
		}
		if limit, ok = store.ParseInt(args[1]); !ok || limit < 0 {
			return nil, 0, errLimit
		}
	}
	return keys, limit, noError
}

// storeSets keeps the result in the first key, which may be one of the operands: it changes when the result is there. What is surely too large for a small
// set goes into a draft at once, the first members are collected before.
func (c *Call) storeSets(op setOp, event string) {
	to := c.Args[1]
	if c.openSets(c.Args[2:]) {
		return
	}
	kind := c.resultKind(op)
	n, numbers, draft := 0, true, sets.Draft{}
	c.bytes = c.bytes[:0]
	for member := range c.result(op) {
		if n++; draft.Begun() {
			draft.Add(member)
			continue
		}
		c.bytes = appendMember(c.bytes, member)
		if numbers {
			_, numbers = store.ParseInt(member)
		}
		if n > max(c.Limits.Set.Ints, c.Limits.Set.Packed) || len(c.bytes) > membersMax {
			draft = sets.NewDraft(c.Store)
			for member := range membersOf(c.bytes) {
				draft.Add(member)
			}
		}
	}
	c.closeSets()
	switch {
	case n == 0:
		if c.DB.Delete(to, c.NowMS) {
			c.Changed++
			c.Did(ClassGeneric, "del", to)
		}
		c.W.Int(0)
		return
	case draft.Begun():
		draft.Keep(c.DB, to, c.NowMS)
	default:
		if op == opInter && numbers && n <= c.Limits.Set.Ints {
			kind = store.KindSetInt
		}
		c.keepSet(to, kind)
	}
	c.bytes = dropLarge(c.bytes)
	c.Changed++
	c.Did(ClassSet, event, to)
	c.W.Int(int64(n))
}

// membersMax is a length of collected members, in bytes, that no small set comes near: of numbers an intset's blob takes more than a third.
const membersMax = 4 * store.BlobMax

// resultKind is the form in which Redis 7.2 begins a stored result: that of the smallest set of an intersection; a difference that strikes members out of a
// copy of the first set ends in that copy's form.
func (c *Call) resultKind(op setOp) store.Kind {
	switch {
	case op == opInter:
		smallest := &c.views[0]
		for i := range c.views {
			if c.views[i].Len() < smallest.Len() {
				smallest = &c.views[i]
			}
		}
		return smallest.Kind()
	case op == opDiff && !algebra.Probing(c.operands[0], c.others()):
		if first := &c.views[0]; first.Len() <= max(c.Limits.Set.Ints, c.Limits.Set.Packed) {
			return sets.Fitting(first, c.Limits.Set)
		}
		return store.KindSetBig
	}
	return store.KindSetInt
}

// keepSet makes a key a set of the members in c.bytes, whatever was there.
func (c *Call) keepSet(key []byte, kind store.Kind) {
	e := &c.setEdit
	e.Begin(c.Store, c.DB, key, store.Item{}, false, c.Limits.Set, c.NowMS)
	e.Start(kind)
	for member := range membersOf(c.bytes) {
		e.Add(member)
	}
	e.End()
}
