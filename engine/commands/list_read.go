package commands

import (
	"math"

	"larder/engine/lists"
	"larder/engine/store"
)

func lLen(c *Call) {
	if l, _, wrong := c.readList(c.Args[1]); !wrong {
		c.W.Int(int64(l.Len()))
	}
}

// lIndex looks for the list before it looks at the number, as Redis does.
func lIndex(c *Call) {
	l, found, wrong := c.readList(c.Args[1])
	if wrong {
		return
	}
	if !found {
		c.W.Null()
		return
	}
	i, ok := store.ParseInt(c.Args[2])
	if !ok {
		c.W.Error(errNotInt)
		return
	}
	if at, ok := elementAt(i, l.Len()); ok {
		c.element(l.At(at))
	} else {
		c.W.Null()
	}
}

// elementAt makes an index that may count from the end a place in n elements.
func elementAt(i int64, n int) (at int, ok bool) {
	if i < 0 {
		i += int64(n)
	}
	return int(i), 0 <= i && i < int64(n)
}

func lRange(c *Call) {
	start, ok := store.ParseInt(c.Args[2])
	end, ok2 := store.ParseInt(c.Args[3])
	if !ok || !ok2 {
		c.W.Error(errNotInt)
		return
	}
	l, _, wrong := c.readList(c.Args[1])
	if wrong {
		return
	}
	first, last := listSpan(start, end, l.Len())
	n := last - first + 1
	c.W.Array(n)
	w := l.From(first, false)
	for range n {
		e, _ := w.Next()
		if c.element(e); c.full() {
			return
		}
	}
}

// posOptions are what may follow LPOS key element.
type posOptions struct {
	back    bool
	skip    int64 // matches passed over
	count   int64 // at most; -1: one, and no array
	lookMax int64 // elements looked at
}

func parsePos(args [][]byte) (o posOptions, err string) {
	o.count, o.lookMax = -1, math.MaxInt64
	for ; len(args) > 0 && err == noError; args = args[2:] {
		if len(args) == 1 {
			return o, errSyntax
		}
		switch {
		case is(args[0], "rank"):
			var rank int64
			if rank, err = parseRank(args[1]); rank < 0 {
				o.back, o.skip = true, -rank-1
			} else {
				o.back, o.skip = false, rank-1
			}
		case is(args[0], "count"):
			o.count, err = parseUpwards(args[1], errPosCount)
		case is(args[0], "maxlen"):
			if o.lookMax, err = parseUpwards(args[1], errPosMaxLen); o.lookMax == 0 {
				o.lookMax = math.MaxInt64
			}
		default:
			return o, errSyntax
		}
	}
	return o, err
}

func parseRank(arg []byte) (rank int64, err string) {
	rank, ok := store.ParseInt(arg)
	switch {
	case !ok:
		return 0, errNotInt
	case rank == math.MinInt64:
		return 0, errNotLong
	case rank == 0:
		return 0, errPosRank
	}
	return rank, noError
}

// parseUpwards reads a number from 0 on, with an error of its own.
func parseUpwards(arg []byte, wrong string) (n int64, err string) {
	n, ok := store.ParseInt(arg)
	if !ok || n < 0 {
		return 0, wrong
	}
	return n, noError
}

func lPos(c *Call) {
	o, err := parsePos(c.Args[3:])
	if err != noError {
		c.W.Error(err)
		return
	}
	l, found, wrong := c.readList(c.Args[1])
	switch {
	case wrong:
	case !found && o.count >= 0:
		c.W.Array(0)
	case !found:
		c.W.Null()
	default:
		c.positions(&l, o)
	}
}

func (c *Call) positions(l *lists.List, o posOptions) {
	i, step, most := 0, 1, max(o.count, 0)
	if o.back {
		i, step = l.Len()-1, -1
	}
	if o.count < 0 {
		most = 1
	}
	c.places = c.places[:0]
	w := l.From(i, o.back)
	for looked := int64(0); looked < o.lookMax && (most == 0 || int64(len(c.places)) < most); looked++ {
		e, ok := w.Next()
		if !ok {
			break
		}
		if e.Equal(c.Args[2]) {
			if o.skip--; o.skip < 0 {
				c.places = append(c.places, i)
			}
		}
		i += step
	}
	c.writePlaces(o.count >= 0)
}

func (c *Call) writePlaces(array bool) {
	if array {
		c.W.Array(len(c.places))
	} else if len(c.places) == 0 {
		c.W.Null()
	}
	for _, i := range c.places {
		c.W.Int(int64(i))
	}
}
