package commands

import (
	"bytes"

	"larder/engine/lists"
)

// moveList takes an element from an end of the list of the first key to an end of that of the second, and writes it. done: it did, or wrote an error; not
// done: there is no list.
func (c *Call) moveList(fromFront, toFront bool) (done bool) {
	from, to := c.Args[1], c.Args[2]
	it, found, wrong := c.lookList(from)
	if wrong || !found {
		return wrong
	}
	if bytes.Equal(from, to) {
		c.turn(c.editList(from, it, true), fromFront, toFront)
		c.Did(ClassList, pushEvents[atFront(toFront)], to)
		c.Did(ClassList, popEvents[atFront(fromFront)], from)
		c.Changed++
		return true
	}
	target, there, wrong := c.lookList(to)
	if wrong {
		return true
	}
	source := lists.Open(it)
	c.take(source.At(endOf(&source, fromFront)))
	l := c.editList(to, target, there)
	l.Room(c.bytes)
	l.Push(c.bytes, toFront)
	l.End(false)
	if !there {
		c.Push(to)
	}
	c.Did(ClassList, pushEvents[atFront(toFront)], to)
	it, _ = c.DB.Peek(from, c.NowMS) // the store has changed
	l = c.editList(from, it, true)
	l.Delete(endOf(&l.List, fromFront), 1)
	c.Changed++
	c.listLost(l, popEvents[atFront(fromFront)], from)
	c.W.BulkBytes(c.bytes)
	c.trim()
	return true
}

// endOf is the place of the element at an end.
func endOf(l *lists.List, front bool) int {
	if front {
		return 0
	}
	return l.Len() - 1
}

// take keeps an element's text in the call's scratch.
func (c *Call) take(e lists.Element) { c.bytes = e.Append(c.bytes[:0]) }

// turn moves an element of a list to an end of the same list, and writes it.
func (c *Call) turn(l *lists.Edit, fromFront, toFront bool) {
	i := endOf(&l.List, fromFront)
	c.take(l.At(i))
	if fromFront != toFront {
		l.Delete(i, 1)
		l.Room(c.bytes)
		l.Push(c.bytes, toFront)
	}
	l.End(true)
	c.W.BulkBytes(c.bytes)
	c.trim()
}

func lMove(c *Call) {
	from, ok := parseEnd(c.Args[3])
	to, ok2 := parseEnd(c.Args[4])
	switch {
	case !ok || !ok2:
		c.W.Error(errSyntax)
	case !c.moveList(from, to):
		c.W.Null()
	}
}

func rPopLPush(c *Call) {
	if !c.moveList(false, true) {
		c.W.Null()
	}
}

func bLMove(c *Call) {
	from, ok := parseEnd(c.Args[3])
	to, ok2 := parseEnd(c.Args[4])
	if !ok || !ok2 {
		c.W.Error(errSyntax)
		return
	}
	c.moveWaiting(from, to, c.Args[5])
}

func bRPopLPush(c *Call) { c.moveWaiting(false, true, c.Args[3]) }

func (c *Call) moveWaiting(from, to bool, timeout []byte) {
	timeoutMS, err := c.parseTimeout(timeout)
	switch {
	case err != noError:
		c.W.Error(err)
	case c.moveList(from, to):
		c.tellMove()
	case !c.Block(c.Args[1:2], timeoutMS):
		c.W.Null()
	}
}
