package commands

import (
	"bytes"
	"math"

	"larder/engine/store"
)

func rename(c *Call) {
	if c.rename(false) {
		c.W.OK()
	}
}

func renameNX(c *Call) {
	if c.rename(true) {
		c.W.Int(1)
	}
}

// rename reports whether it did; if not the answer was written.
func (c *Call) rename(nx bool) bool {
	from, to := c.Args[1], c.Args[2]
	if _, ok := c.look(from); !ok {
		c.W.Error(errNoKey)
		return false
	}
	if bytes.Equal(from, to) {
		if nx {
			c.W.Int(0)
			return false
		}
		return true
	}
	if nx {
		if _, taken := c.look(to); taken {
			c.W.Int(0)
			return false
		}
	}
	c.DB.Transfer(from, c.DB, to, false, c.NowMS)
	c.Push(to)
	c.Changed++
	c.Did(ClassGeneric, "rename_from", from)
	c.Did(ClassGeneric, "rename_to", to)
	return true
}

// copyOptions are what may follow COPY source destination.
type copyOptions struct {
	db      int
	replace bool
}

func (c *Call) parseCopy(args [][]byte) (o copyOptions, err string) {
	o.db = c.DBIndex
	for i := 0; i < len(args); i++ {
		switch {
		case is(args[i], "replace"):
			o.replace = true
		case is(args[i], "db") && i+1 < len(args):
			i++
			if o.db, err = c.parseDB(args[i]); err != noError {
				return o, err
			}
		default:
			return o, errSyntax
		}
	}
	return o, noError
}

func (c *Call) parseDB(arg []byte) (index int, err string) {
	n, ok := store.ParseInt(arg)
	switch {
	case !ok:
		return 0, errNotInt
	case n < math.MinInt32 || n > math.MaxInt32:
		return 0, errNotInt32
	case n < 0 || n >= int64(c.Store.Databases()):
		return 0, errDBRange
	}
	return int(n), noError
}

func copyKey(c *Call) {
	o, err := c.parseCopy(c.Args[3:])
	if err != noError {
		c.W.Error(err)
		return
	}
	from, to := c.Args[1], c.Args[2]
	if o.db == c.DBIndex && bytes.Equal(from, to) {
		c.W.Error(errSameObject)
		return
	}
	_, found := c.look(from)
	c.countRead(from, found)
	if !found {
		c.W.Int(0)
		return
	}
	db := c.Store.DB(o.db)
	_, taken := c.lookIn(db, to)
	if taken && !o.replace {
		c.W.Int(0)
		return
	}
	c.DB.Transfer(from, db, to, true, c.NowMS)
	c.PushIn(o.db, to)
	c.Changed++
	c.TouchIn(o.db, to)
	if taken || o.db != c.DBIndex { // of a new key of the client's database the node tells by itself
		c.NotifyIn(o.db, ClassNew, "new", to)
	}
	c.NotifyIn(o.db, ClassGeneric, "copy_to", to)
	c.W.Int(1)
}

func move(c *Call) {
	index, err := c.parseDB(c.Args[2])
	if err == noError && index == c.DBIndex {
		err = errSameObject
	}
	if err != noError {
		c.W.Error(err)
		return
	}
	key, db := c.Args[1], c.Store.DB(index)
	_, found := c.look(key)
	if found {
		_, taken := c.lookIn(db, key)
		found = !taken
	}
	if !found {
		c.W.Int(0)
		return
	}
	c.DB.Transfer(key, db, key, false, c.NowMS)
	c.PushIn(index, key)
	c.Changed++
	c.NotifyIn(index, ClassNew, "new", key)
	c.Did(ClassGeneric, "move_from", key)
	c.TouchIn(index, key)
	c.NotifyIn(index, ClassGeneric, "move_to", key)
	c.W.Int(1)
}
