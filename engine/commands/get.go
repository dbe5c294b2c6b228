package commands

import (
	"larder/engine/store"
	"larder/protocol/resp"
)

func get(c *Call) {
	it, ok, wrong := c.lookString(c.Args[1])
	if !ok {
		if !wrong {
			c.W.Null()
		}
		return
	}
	text := c.text(it)
	if c.ShareMin > 0 && len(text) >= c.ShareMin {
		if c.Shared, c.Pinned = it.Pin(); c.Pinned {
			c.W.Out = resp.AppendBulkHeader(c.W.Out, len(text))
			return
		}
	}
	c.W.BulkBytes(text)
}

// GetAhead answers GET of a key that the store has looked up ahead and found as text, as get would, and no more happens; it exists for speed alone. Of any
// other key it answers nothing and says false.
func GetAhead(c *Call, key []byte) bool {
	text, ok := c.DB.TextAhead(key, c.NowMS)
	if ok {
		c.W.Out = resp.AppendBulk(c.W.Out, text)
		c.Hits++
	}
	return ok
}

// value writes the value of key, null if there is none, the error if it is no string.
func (c *Call) value(key []byte) (found, wrong bool) {
	it, found, wrong := c.lookString(key)
	c.countRead(key, found || wrong)
	switch {
	case found:
		c.W.BulkBytes(c.text(it))
	case !wrong:
		c.W.Null()
	}
	return found, wrong
}

func mGet(c *Call) {
	keys := c.Args[1:]
	c.W.Array(len(keys))
	for _, key := range keys {
		if it, ok := c.look(key); ok && it.Kind().IsString() {
			c.W.BulkBytes(c.text(it))
		} else {
			c.W.Null()
		}
		if c.full() {
			return
		}
	}
}

func getDel(c *Call) {
	key := c.Args[1]
	if found, _ := c.value(key); found {
		c.DB.Delete(key, c.NowMS)
		c.Changed++
		c.Did(ClassGeneric, "del", key)
		c.Replace(2).Text("UNLINK").Bytes(key)
	}
}

func strLen(c *Call) {
	it, ok, wrong := c.lookString(c.Args[1])
	switch {
	case ok:
		c.W.Int(int64(it.Len()))
	case !wrong:
		c.W.Int(0)
	}
}

// getExOptions are what may follow GETEX key.
type getExOptions struct {
	persist bool
	time    timeOption
}

func parseGetEx(args [][]byte) (o getExOptions, err string) {
	for i := 0; i < len(args); i++ {
		if is(args[i], "persist") && o.time.kind == timeNone {
			o.persist = true
			continue
		}
		kind := timeWord(args[i])
		if !o.time.takes(kind) || o.persist || i+1 == len(args) {
			return o, errSyntax
		}
		i++
		o.time = timeOption{kind: kind, arg: args[i]}
	}
	return o, noError
}

// getEx finds out whether there is a value before it looks at the time's number, as Redis does: without a value a wrong time is no error.
func getEx(c *Call) {
	o, err := parseGetEx(c.Args[2:])
	if err != noError {
		c.W.Error(err)
		return
	}
	key := c.Args[1]
	it, ok, wrong := c.lookString(key)
	c.countRead(key, ok || wrong)
	if !ok {
		if !wrong {
			c.W.Null()
		}
		return
	}
	expiryMS, err := o.time.at(c)
	if err != noError {
		c.W.Error(err)
		return
	}
	c.W.BulkBytes(c.text(it))
	switch {
	case o.persist:
		if c.persistItem(it) {
			c.Replace(2).Text("PERSIST").Bytes(key)
		}
	case o.time.kind != timeNone:
		c.expireItem(it, expiryMS)
	}
}

// persistItem takes the item's expiry away and reports whether it had one.
func (c *Call) persistItem(it store.Item) bool {
	if it.ExpiryMS() == store.NoExpiry {
		return false
	}
	it.Expire(store.NoExpiry, c.NowMS)
	c.Changed++
	c.Did(ClassGeneric, "persist", c.Args[1])
	return true
}
