package commands

import (
	"math"

	"larder/engine/lists"
	"larder/engine/store"
)

func lSet(c *Call) {
	key, text := c.Args[1], c.Args[3]
	it, found, wrong := c.lookList(key)
	if wrong {
		return
	}
	if !found {
		c.W.Error(errNoKey)
		return
	}
	i, ok := store.ParseInt(c.Args[2])
	if !ok {
		c.W.Error(errNotInt)
		return
	}
	l := lists.Open(it)
	at, ok := elementAt(i, l.Len())
	if !ok {
		c.W.Error(errIndex)
		return
	}
	e := c.editList(key, it, true)
	e.Room(text)
	e.Replace(at, text)
	e.End(true)
	c.W.OK()
	c.Changed++
	c.Did(ClassList, "lset", key)
}

func lInsert(c *Call) {
	behind := is(c.Args[2], "after")
	if !behind && !is(c.Args[2], "before") {
		c.W.Error(errSyntax)
		return
	}
	key, text := c.Args[1], c.Args[4]
	it, found, wrong := c.lookList(key)
	if wrong {
		return
	}
	if !found {
		c.W.Int(0)
		return
	}
	l := lists.Open(it)
	at := findElement(&l, c.Args[3])
	if at < 0 {
		c.W.Int(-1)
		return
	}
	if behind {
		at++
	}
	e := c.editList(key, it, true)
	e.Room(text)
	e.Insert(at, text)
	c.W.Int(int64(e.Len()))
	e.End(false)
	c.Changed++
	c.Did(ClassList, "linsert", key)
}

// findElement is the place of the first element that is equal to a text, -1 if there is none.
func findElement(l *lists.List, text []byte) int {
	w := l.From(0, false)
	for i := 0; ; i++ {
		e, ok := w.Next()
		switch {
		case !ok:
			return -1
		case e.Equal(text):
			return i
		}
	}
}

func lTrim(c *Call) {
	start, ok := store.ParseInt(c.Args[2])
	end, ok2 := store.ParseInt(c.Args[3])
	if !ok || !ok2 {
		c.W.Error(errNotInt)
		return
	}
	key := c.Args[1]
	it, found, wrong := c.lookList(key)
	if wrong {
		return
	}
	c.W.OK()
	if !found {
		return
	}
	l := c.editList(key, it, true)
	n := l.Len()
	first, last := listSpan(start, end, n)
	l.Delete(last+1, n-1-last)
	l.Delete(0, first)
	c.Changed += n - l.Len()
	c.listLost(l, "ltrim", key)
}

func lRem(c *Call) {
	count, ok := store.ParseInt(c.Args[2])
	switch {
	case !ok:
		c.W.Error(errNotInt)
		return
	case count == math.MinInt64:
		c.W.Error(errNotLong)
		return
	}
	key := c.Args[1]
	it, found, wrong := c.lookList(key)
	if wrong {
		return
	}
	if !found {
		c.W.Int(0)
		return
	}
	most := max(count, -count)
	if count == 0 {
		most = math.MaxInt64
	}
	old := lists.Open(it)
	if findElement(&old, c.Args[3]) < 0 {
		c.W.Int(0)
		return
	}
	l := c.editList(key, it, true)
	n := l.Remove(c.Args[3], int(most), count < 0)
	c.W.Int(int64(n))
	c.Changed += n
	c.listLost(l, "lrem", key)
}
