package commands

import (
	"math"

	"larder/engine/store"
)

// timeKind is one of the words that give a value a time to live.
type timeKind uint8

const (
	timeNone timeKind = iota
	timeEX
	timePX
	timeEXAT
	timePXAT
)

func timeWord(word []byte) timeKind {
	switch {
	case is(word, "ex"):
		return timeEX
	case is(word, "px"):
		return timePX
	case is(word, "exat"):
		return timeEXAT
	case is(word, "pxat"):
		return timePXAT
	}
	return timeNone
}

func (k timeKind) seconds() bool  { return k == timeEX || k == timeEXAT }
func (k timeKind) relative() bool { return k == timeEX || k == timePX }

// timeOption is such a word with its number.
type timeOption struct {
	kind timeKind
	arg  []byte
}

// takes reports whether a word may follow: of one kind, as often as one likes; the last counts.
func (o *timeOption) takes(k timeKind) bool {
	return k != timeNone && (o.kind == timeNone || o.kind == k)
}

// at gives the time in milliseconds since 1970, which is above 0; store.NoExpiry without the option.
func (o *timeOption) at(c *Call) (ms int64, err string) {
	if o.kind == timeNone {
		return store.NoExpiry, noError
	}
	n, ok := store.ParseInt(o.arg)
	if !ok {
		return 0, errNotInt
	}
	if n <= 0 || o.kind.seconds() && n > math.MaxInt64/1000 {
		return 0, errExpireTime(c.Row)
	}
	if o.kind.seconds() {
		n *= 1000
	}
	if o.kind.relative() {
		n += c.NowMS // an overflow is below 0
	}
	if n <= 0 {
		return 0, errExpireTime(c.Row)
	}
	return n, noError
}
