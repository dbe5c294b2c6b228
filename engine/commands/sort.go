package commands

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"larder/engine/hashes"
	"larder/engine/lists"
	"larder/engine/sets"
	"larder/engine/store"
	"larder/engine/zsets"
	"larder/protocol/command"
)

const errSortScore = "ERR One or more scores can't be converted into double"

func sortHandlers(h []Handler) {
	h[command.CmdSort] = sortCommand
	h[command.CmdSortRO] = sortCommand
}

// sortOptions are what may follow SORT key.
type sortOptions struct {
	desc, alpha bool
	offset      int64
	count       int64 // below 0: all
	by          []byte
	unsorted    bool // BY names one key for all elements, or none: nothing is compared
	get         [][]byte
	to          []byte // STORE; nil: none
}

// parseSort reads the options. anyKey: the client may read the keys that patterns name, which nobody can tell before.
func parseSort(args [][]byte, stores, anyKey bool) (o sortOptions, err string) {
	o.count = -1
	for i := 0; i < len(args); i++ {
		left := len(args) - i - 1
		switch word := args[i]; {
		case is(word, "asc"):
			o.desc = false
		case is(word, "desc"):
			o.desc = true
		case is(word, "alpha"):
			o.alpha = true
		case is(word, "limit") && left >= 2:
			var ok, ok2 bool
			o.offset, ok = store.ParseInt(args[i+1])
			o.count, ok2 = store.ParseInt(args[i+2])
			if !ok || !ok2 {
				return o, errNotInt
			}
			i += 2
		case stores && is(word, "store") && left >= 1:
			i++
			o.to = args[i]
		case is(word, "by") && left >= 1:
			i++
			o.by = args[i]
			pattern := bytes.IndexByte(o.by, '*') >= 0
			o.unsorted = o.unsorted || !pattern
			if pattern && !anyKey {
				return o, errSortBy
			}
		case is(word, "get") && left >= 1:
			i++
			o.get = append(o.get, args[i])
			if !anyKey {
				return o, errSortGet
			}
		default:
			return o, errSyntax
		}
	}
	return o, noError
}

// Of clients that may not read every key.
const (
	errSortBy  = "ERR BY option of SORT denied due to insufficient ACL permissions"
	errSortGet = "ERR GET option of SORT denied due to insufficient ACL permissions"
)

// sortItem is an element, and what it is compared by.
type sortItem struct {
	text  []byte
	by    []byte
	none  bool // there is nothing at BY's key
	score float64
}

func sortCommand(c *Call) {
	o, err := parseSort(c.Args[2:], c.Row.ID == command.CmdSort, c.AnyKey || c.Obeys)
	if err != noError {
		c.W.Error(err)
		return
	}
	c.deadSeen = false
	it, found := c.look(c.Args[1])
	c.countSortKey(found)
	var items []sortItem
	if found {
		var ok bool
		if items, ok = c.sortItems(c.Args[1], it, &o); !ok {
			c.W.Error(errWrongType)
			return
		}
	}
	if !o.unsorted && !c.sort(items, &o) {
		c.W.Error(errSortScore)
		return
	}
	from, to := o.span(len(items))
	items = items[from:to]
	if o.to != nil {
		c.storeSorted(items, &o)
		return
	}
	c.writeSorted(items, &o)
}

// countSortKey counts that SORT, which may write, read its key.
func (c *Call) countSortKey(found bool) {
	if c.Row.ID == command.CmdSort {
		c.countRead(c.Args[1], found)
	}
}

// sortItems copies a collection's elements, since looking at other keys may remove dead ones. An order that is kept is turned round with DESC. A set has
// none, so that one to be stored is sorted by its bytes. A sorted set becomes large by it, which OBJECT ENCODING tells. Not ok: the value is no collection that has elements.
func (c *Call) sortItems(key []byte, it store.Item, o *sortOptions) (items []sortItem, ok bool) {
	add := func(text []byte) { items = append(items, sortItem{text: bytes.Clone(text)}) }
	switch kind := it.Kind(); {
	case isSet(it):
		if o.unsorted && o.to != nil {
			o.unsorted, o.alpha, o.by = false, true, nil
		}
		var v sets.View
		v.Open(c.Store, it)
		for member := range v.All {
			add(member)
		}
		return items, true
	case kind == store.KindList || kind == store.KindListBig:
		l := lists.Open(it)
		w := l.From(0, false)
		for e, more := w.Next(); more; e, more = w.Next() {
			add(e.Append(c.digits[:0]))
		}
	case zsets.Is(kind):
		e := &c.zset
		e.Open(c.Store, c.DB, key, it, true, c.Limits.ZSet, c.NowMS)
		e.Enlarge()
		at := e.At(0)
		for ; at.Valid(); at.Next() {
			add(at.Member())
		}
		e.Close()
	default:
		return nil, false
	}
	if o.unsorted && o.desc {
		slices.Reverse(items)
	}
	return items, true
}

// sort brings the elements into order; of those sorted by other keys, LIMIT's alone. Not ok: one of what they are compared by is no number.
func (c *Call) sort(items []sortItem, o *sortOptions) (ok bool) {
	ok = true
	for i := range items {
		e := &items[i]
		e.by = e.text
		if o.by != nil {
			var there bool
			if e.by, there = c.lookPattern(o.by, e.text); !there {
				e.none = true
				continue
			}
		}
		if !o.alpha {
			var good bool
			e.score, good = sortScore(e.by)
			ok = ok && good
		}
	}
	if ok {
		compare := func(a, b sortItem) int {
			n := o.compare(&a, &b)
			if o.desc {
				return -n
			}
			return n
		}
		if from, to := o.span(len(items)); o.by != nil && to-from < len(items) {
			partSort(items, from, to, compare)
		} else {
			slices.SortStableFunc(items, compare)
		}
	}
	return ok
}

// compare: numbers that are equal leave it to the elements' bytes; texts that are missing come first.
func (o *sortOptions) compare(a, b *sortItem) int {
	if !o.alpha {
		return cmp.Or(cmp.Compare(a.score, b.score), bytes.Compare(a.text, b.text))
	}
	switch {
	case a.none && b.none:
		return 0
	case a.none:
		return -1
	case b.none:
		return 1
	}
	return bytes.Compare(a.by, b.by)
}

// sortScore reads a number as C's strtod does: blanks may stand before it, nothing at all is 0, and it must be in a double's range.
func sortScore(text []byte) (score float64, ok bool) {
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	if len(text) == 0 {
		return 0, true
	}
	s := strings.TrimLeft(string(text), " \t\n\v\f\r")
	if strings.Contains(s, "_") {
		return 0, false
	}
	digits := strings.ToLower(strings.TrimLeft(s, "+-"))
	if strings.HasPrefix(digits, "0x") && !strings.Contains(digits, "p") {
		s += "p0"
	}
	score, err := strconv.ParseFloat(s, 64)
	const least = 0x1p-1022 // below it C speaks of underflow
	tiny := score > -least && score < least
	if tiny && strings.ContainsAny(strings.SplitN(strings.SplitN(digits, "p", 2)[0], "e", 2)[0], "123456789") {
		return 0, false
	}
	return score, err == nil && score == score
}

// span is which of some elements LIMIT leaves.
func (o *sortOptions) span(elements int) (from, to int) {
	n := int64(elements)
	first := min(max(o.offset, 0), n)
	behind := n
	if o.count >= 0 {
		behind = first + min(o.count, n-first)
	}
	return int(first), int(behind)
}

// lookPattern gives what stands at the key that a pattern names with the element in the place of its first *, in a hash's field if -> and a name follow; #
// is the element itself. The value is a copy.
func (c *Call) lookPattern(pattern, element []byte) (value []byte, found bool) {
	if len(pattern) == 1 && pattern[0] == '#' {
		return element, true
	}
	head, tail, ok := bytes.Cut(pattern, []byte("*"))
	if !ok {
		return nil, false
	}
	var field []byte
	if at := bytes.Index(tail, []byte("->")); at >= 0 && at+2 < len(tail) {
		tail, field = tail[:at], tail[at+2:]
	}
	key := slices.Concat(head, element, tail)
	it, there := c.look(key)
	if c.Row.ID == command.CmdSort {
		c.countRead(key, there)
	}
	switch {
	case !there:
		return nil, false
	case field == nil:
		if !it.Kind().IsString() {
			return nil, false
		}
		return bytes.Clone(c.text(it)), true
	case it.Kind() != store.KindHash && it.Kind() != store.KindHashBig:
		return nil, false
	}
	h := hashes.Open(c.Store, it, c.NowMS)
	text, found := h.Get(field)
	c.deadSeen = c.deadSeen || !found && h.HasDead()
	return text.Append(nil), found
}

// sortedTexts gives what the reply or the list is made of; a text that is not there is nil.
func (c *Call) sortedTexts(items []sortItem, o *sortOptions, emit func(text []byte, found bool) bool) {
	for i := range items {
		if len(o.get) == 0 && !emit(items[i].text, true) {
			return
		}
		for _, pattern := range o.get {
			if !emit(c.lookPattern(pattern, items[i].text)) {
				return
			}
		}
	}
}

func (c *Call) writeSorted(items []sortItem, o *sortOptions) {
	c.W.Array(len(items) * max(len(o.get), 1))
	c.sortedTexts(items, o, func(text []byte, found bool) bool {
		if found {
			c.W.BulkBytes(text)
		} else {
			c.W.Null()
		}
		return !c.full()
	})
}

// storeSorted makes a list of the result, whatever was at its key; none of an empty one. What GET does not find is an empty text.
func (c *Call) storeSorted(items []sortItem, o *sortOptions) {
	if len(items) == 0 {
		if c.DB.Delete(o.to, c.NowMS) {
			c.Changed++
			c.Did(ClassGeneric, "del", o.to)
		}
		c.W.Int(0)
		return
	}
	var texts [][]byte
	c.sortedTexts(items, o, func(text []byte, _ bool) bool {
		texts = append(texts, text)
		return true
	})
	if !c.DB.Delete(o.to, c.NowMS) {
		c.Push(o.to) // as in Redis nobody is woken by what replaces something
	}
	e := c.editList(o.to, store.Item{}, false)
	for _, text := range texts {
		e.Room(text)
		e.Push(text, false)
	}
	e.End(false)
	c.Changed += len(texts)
	if o.by != nil && !o.unsorted || c.deadSeen { // elements whose keys are equal stay in an order that is a server's own
		c.tellList(o.to, texts)
	}
	c.Did(ClassList, "sortstore", o.to)
	c.W.Int(int64(len(texts)))
}
