package commands

import "larder/engine/store"

// lcsOptions are what may follow LCS key key.
type lcsOptions struct {
	length, index bool
	withLen       bool
	minLen        int64
}

func parseLCS(args [][]byte) (o lcsOptions, err string) {
	for i := 0; i < len(args); i++ {
		switch {
		case is(args[i], "idx"):
			o.index = true
		case is(args[i], "len"):
			o.length = true
		case is(args[i], "withmatchlen"):
			o.withLen = true
		case is(args[i], "minmatchlen") && i+1 < len(args):
			i++
			n, ok := store.ParseInt(args[i])
			if !ok {
				return o, errNotInt
			}
			o.minLen = n
		default:
			return o, errSyntax
		}
	}
	if o.length && o.index {
		return o, errLenAndIdx
	}
	return o, noError
}

func lcs(c *Call) {
	a, b, ok := c.two(c.Args[1], c.Args[2])
	if !ok {
		c.W.Error(errLCSType)
		return
	}
	o, err := parseLCS(c.Args[3:])
	if err == noError && !c.lcsFits(len(a), len(b)) {
		err = errLCSMemory
	}
	if err != noError {
		c.W.Error(err)
		return
	}
	switch {
	case o.length:
		if len(a) < len(b) {
			a, b = b, a // the length is the same, and the row in memory is the shorter one
		}
		c.W.Int(int64(lcsTable(a, b, nil)))
	case o.index:
		c.lcsIndex(a, b, &o)
	default:
		c.lcsText(a, b)
	}
}

// two gives two keys' bytes, none of one that does not exist; not ok: one is no string. The dead are removed first, so that finding the second changes
// nothing.
func (c *Call) two(first, second []byte) (a, b []byte, ok bool) {
	c.look(first)
	ok = true
	if it, found := c.look(second); found {
		var digits [digitsMax]byte
		if ok = it.Kind().IsString(); ok {
			b = it.Text(digits[:])
		}
	}
	if it, found := c.DB.Peek(first, c.NowMS); found {
		if !it.Kind().IsString() {
			return nil, nil, false
		}
		a = c.text(it)
	}
	return a, b, ok
}

// lcsFits reports whether Redis's table, of four bytes for each pair of places, would be within the limit of a value.
func (c *Call) lcsFits(a, b int) bool {
	const cellBytes = 4
	return int64(a+1)*int64(b+1) <= c.bulkMax()/cellBytes
}

// lcsMoves says for each pair of places, if their bytes differ, whether the way back goes on in a (1) or in b (0). One bit is all that the way needs to know
// of the lengths.
type lcsMoves struct {
	bits  []uint64
	width int
}

func newLCSMoves(a, b []byte) *lcsMoves {
	return &lcsMoves{bits: make([]uint64, (len(a)*len(b)+63)/64), width: len(b)}
}

func (m *lcsMoves) set(i, j int) {
	at := i*m.width + j
	m.bits[at>>6] |= 1 << (at & 63)
}

func (m *lcsMoves) inA(i, j int) bool {
	at := i*m.width + j
	return m.bits[at>>6]>>(at&63)&1 != 0
}

// lcsTable gives the length of the longest common subsequence and notes the moves if they are wanted.
func lcsTable(a, b []byte, moves *lcsMoves) int {
	row := make([]uint32, len(b)+1) // lengths for a up to i and b up to each place
	for i := range a {
		diagonal, left := uint32(0), uint32(0)
		for j := range b {
			up := row[j+1]
			switch {
			case a[i] == b[j]:
				left = diagonal + 1
			case up > left:
				left = up
				if moves != nil {
					moves.set(i, j)
				}
			}
			diagonal, row[j+1] = up, left
		}
	}
	return int(row[len(b)])
}

// lcsText walks back from the ends; ties go on in b, as in Redis, since there may be several subsequences of the greatest length.
func (c *Call) lcsText(a, b []byte) {
	moves := newLCSMoves(a, b)
	n := lcsTable(a, b, moves)
	text := make([]byte, n)
	for i, j := len(a), len(b); n > 0; {
		switch {
		case a[i-1] == b[j-1]:
			i, j, n = i-1, j-1, n-1
			text[n] = a[i]
		case moves.inA(i-1, j-1):
			i--
		default:
			j--
		}
	}
	c.W.BulkBytes(text)
}

// lcsIndex writes the runs of places that match, the last first.
func (c *Call) lcsIndex(a, b []byte, o *lcsOptions) {
	moves := newLCSMoves(a, b)
	n := lcsTable(a, b, moves)
	c.W.Map(2)
	c.W.Bulk("matches")
	head, runs := len(c.W.Out), 0
	for i, j := len(a), len(b); i > 0 && j > 0; {
		size := 0
		for i > 0 && j > 0 && a[i-1] == b[j-1] {
			i, j, size = i-1, j-1, size+1
		}
		switch {
		case size > 0:
			if int64(size) >= o.minLen {
				c.lcsRun(i, j, size, o.withLen)
				runs++
			}
		case moves.inA(i-1, j-1):
			i--
		default:
			j--
		}
	}
	insertArray(c.W, head, runs)
	c.W.Bulk("len")
	c.W.Int(int64(n))
}

func (c *Call) lcsRun(i, j, size int, withLen bool) {
	elements := 2
	if withLen {
		elements = 3
	}
	c.W.Array(elements)
	for _, from := range [...]int{i, j} {
		c.W.Array(2)
		c.W.Int(int64(from))
		c.W.Int(int64(from + size - 1))
	}
	if withLen {
		c.W.Int(int64(size))
	}
}
