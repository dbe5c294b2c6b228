package commands

import (
	"math"

	"larder/engine/store"
	"larder/protocol/command"
)

// listPop is LPOP and RPOP.
func (c *Call) listPop(front bool) {
	if len(c.Args) > 3 {
		c.W.Error(command.ArityError(c.Row))
		return
	}
	counted, count := len(c.Args) == 3, int64(1)
	if counted {
		var err string
		if count, err = positive(c.Args[2]); err != noError {
			c.W.Error(err)
			return
		}
	}
	key := c.Args[1]
	it, found, wrong := c.lookList(key)
	switch {
	case wrong:
	case !found && counted:
		c.W.NullArray()
	case !found:
		c.W.Null()
	case count == 0:
		c.W.Array(0)
	case counted:
		c.popElements(key, it, front, count)
	default:
		c.popOne(key, it, front)
	}
}

// positive reads a number from 0 on.
func positive(arg []byte) (n int64, err string) {
	n, ok := store.ParseInt(arg)
	if !ok || n < 0 {
		return 0, errNotPositive
	}
	return n, noError
}

// popOne takes an element from an end and writes it.
func (c *Call) popOne(key []byte, it store.Item, front bool) {
	l := c.editList(key, it, true)
	i := l.Len() - 1
	if front {
		i = 0
	}
	c.element(l.At(i))
	l.Delete(i, 1)
	c.Changed++
	c.listLost(l, popEvents[atFront(front)], key)
}

// popElements takes up to count elements, at least one, from an end and writes them as an array. A reply that becomes too long changes nothing.
func (c *Call) popElements(key []byte, it store.Item, front bool, count int64) {
	l := c.editList(key, it, true)
	n, first, walk := int(min(count, int64(l.Len()))), 0, 0
	if !front {
		first, walk = l.Len()-n, l.Len()-1
	}
	c.W.Array(n)
	w := l.From(walk, !front)
	for range n {
		e, _ := w.Next()
		if c.element(e); c.full() {
			return
		}
	}
	l.Delete(first, n)
	c.Changed += n
	c.listLost(l, popEvents[atFront(front)], key)
}

// manyOptions are what LMPOP and BLMPOP take: keys, the end, and how many.
type manyOptions struct {
	keys  [][]byte
	front bool
	count int64
}

func parseMany(args [][]byte) (o manyOptions, err string) {
	n, ok := store.ParseInt(args[0])
	if !ok || n <= 0 || n > math.MaxInt {
		return o, errNumKeys
	}
	if n > int64(len(args)-2) {
		return o, errSyntax
	}
	o.keys, args = args[1:1+n], args[1+n:]
	if o.front, ok = parseEnd(args[0]); !ok {
		return o, errSyntax
	}
	for args = args[1:]; len(args) > 0; args = args[2:] {
		if !is(args[0], "count") || len(args) == 1 || o.count != 0 {
			return o, errSyntax
		}
		if o.count, ok = store.ParseInt(args[1]); !ok || o.count <= 0 {
			return o, errCountPositive
		}
	}
	o.count = max(o.count, 1)
	return o, noError
}

// parseEnd reads LEFT or RIGHT.
func parseEnd(arg []byte) (front, ok bool) {
	front = is(arg, "left")
	return front, front || is(arg, "right")
}

// popFirstList takes elements from the first list that there is, and writes its key and them. done: it did, or wrote an error.
func (c *Call) popFirstList(o manyOptions) (done bool) {
	for _, key := range o.keys {
		it, found, wrong := c.lookList(key)
		if wrong {
			return true
		}
		if found {
			c.W.Array(2)
			c.W.BulkBytes(key)
			c.popElements(key, it, o.front, o.count)
			if c.Changed > 0 {
				c.Replace(3).Text(popCommands[atFront(o.front)]).Bytes(key).Int(int64(c.Changed))
			}
			return true
		}
	}
	return false
}

func lMPop(c *Call) {
	o, err := parseMany(c.Args[1:])
	switch {
	case err != noError:
		c.W.Error(err)
	case !c.popFirstList(o):
		c.W.NullArray()
	}
}

func bLMPop(c *Call) {
	o, err := parseMany(c.Args[2:])
	var timeoutMS int64
	if err == noError {
		timeoutMS, err = c.parseTimeout(c.Args[1])
	}
	switch {
	case err != noError:
		c.W.Error(err)
	case !c.popFirstList(o) && !c.Block(o.keys, timeoutMS):
		c.W.NullArray()
	}
}

// listPopWaiting is BLPOP and BRPOP.
func (c *Call) listPopWaiting(front bool) {
	last := len(c.Args) - 1
	timeoutMS, err := c.parseTimeout(c.Args[last])
	if err != noError {
		c.W.Error(err)
		return
	}
	keys := c.Args[1:last]
	for _, key := range keys {
		it, found, wrong := c.lookList(key)
		if wrong {
			return
		}
		if found {
			c.W.Array(2)
			c.W.BulkBytes(key)
			c.popOne(key, it, front)
			c.Replace(2).Text(popCommands[atFront(front)]).Bytes(key)
			return
		}
	}
	if !c.Block(keys, timeoutMS) {
		c.W.NullArray()
	}
}
