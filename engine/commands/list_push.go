package commands

// pushEvents and popEvents are the events' names, those of the front second.
var (
	pushEvents = [...]string{"rpush", "lpush"}
	popEvents  = [...]string{"rpop", "lpop"}
)

// atFront is the index of an end's event.
func atFront(front bool) int {
	if front {
		return 1
	}
	return 0
}

// listPush adds the elements to one end; missing: a list that is not there is made.
func (c *Call) listPush(front, missing bool) {
	key, texts := c.Args[1], c.Args[2:]
	it, found, wrong := c.lookList(key)
	switch {
	case wrong:
		return
	case !found && !missing:
		c.W.Int(0)
		return
	}
	l := c.editList(key, it, found)
	l.Room(texts...)
	for _, text := range texts {
		l.Push(text, front)
	}
	c.W.Int(int64(l.Len()))
	l.End(false)
	c.Changed += len(texts)
	if !found {
		c.Push(key)
	}
	c.Did(ClassList, pushEvents[atFront(front)], key)
}
