package commands

import "larder/engine/store"

// fits reports whether a value may have size bytes and more; both are at least 0.
func (c *Call) fits(size, more int64) bool {
	limit := c.bulkMax()
	return size <= limit && more <= limit-size
}

func appendTo(c *Call) {
	key, tail := c.Args[1], c.Args[2]
	it, ok, wrong := c.lookString(key)
	if wrong {
		return
	}
	if !ok {
		c.keep("append", 1, 2, store.NoExpiry)
		c.W.Int(int64(len(tail)))
		return
	}
	size := it.Len()
	if !c.fits(int64(size), int64(len(tail))) {
		c.W.Error(errTooLong)
		return
	}
	text := c.DB.Grow(key, size+len(tail), c.NowMS)
	copy(text[size:], tail)
	c.Changed++
	c.Did(ClassString, "append", key)
	c.W.Int(int64(len(text)))
}

func parseOffset(arg []byte) (offset int64, err string) {
	offset, ok := store.ParseInt(arg)
	switch {
	case !ok:
		return 0, errNotInt
	case offset < 0:
		return 0, errOffset
	}
	return offset, noError
}

func setRange(c *Call) {
	offset, err := parseOffset(c.Args[2])
	if err != noError {
		c.W.Error(err)
		return
	}
	key, patch := c.Args[1], c.Args[3]
	it, ok, wrong := c.lookString(key)
	switch {
	case wrong:
		return
	case len(patch) == 0 && !ok:
		c.W.Int(0)
		return
	case len(patch) == 0:
		c.W.Int(int64(it.Len()))
		return
	case !c.fits(offset, int64(len(patch))):
		c.W.Error(errTooLong)
		return
	}
	text := c.DB.Grow(key, int(offset)+len(patch), c.NowMS)
	copy(text[offset:], patch)
	c.Changed++
	c.Did(ClassString, "setrange", key)
	c.W.Int(int64(len(text)))
}

func getRange(c *Call) {
	start, ok := store.ParseInt(c.Args[2])
	end, ok2 := store.ParseInt(c.Args[3])
	if !ok || !ok2 {
		c.W.Error(errNotInt)
		return
	}
	it, ok, wrong := c.lookString(c.Args[1])
	if !ok {
		if !wrong {
			c.W.Bulk("")
		}
		return
	}
	text := c.text(it)
	first, last := span(start, end, int64(len(text)))
	if first > last || inverted(start, end) {
		c.W.Bulk("")
		return
	}
	c.W.BulkBytes(text[first : last+1])
}

// span makes places in n elements of two indexes, of which negative ones count from the end: the first and the last element; none if first > last.
func span(start, end, n int64) (first, last int64) {
	return place(start, n), min(place(end, n), n-1)
}

// place makes an index count from the start.
func place(i, n int64) int64 {
	if i < 0 {
		return max(i+n, 0)
	}
	return i
}

// inverted reports whether two indexes that count from the end are in the wrong order. To some commands they are nothing even where span would make them
// the first element (GETRANGE, BITCOUNT), to BITPOS they are not.
func inverted(start, end int64) bool { return start < 0 && end < 0 && start > end }
