package commands

import (
	"larder/engine/store"
	"larder/protocol/command"
)

// setOptions are what may follow SET key value.
type setOptions struct {
	nx, xx  bool
	get     bool
	keepTTL bool
	time    timeOption
}

func parseSet(args [][]byte) (o setOptions, err string) {
	for i := 0; i < len(args); i++ {
		word := args[i]
		switch {
		case is(word, "nx") && !o.xx:
			o.nx = true
		case is(word, "xx") && !o.nx:
			o.xx = true
		case is(word, "get"):
			o.get = true
		case is(word, "keepttl") && o.time.kind == timeNone:
			o.keepTTL = true
		default:
			kind := timeWord(word)
			if !o.time.takes(kind) || o.keepTTL || i+1 == len(args) {
				return o, errSyntax
			}
			i++
			o.time = timeOption{kind: kind, arg: args[i]}
		}
	}
	return o, noError
}

func set(c *Call) {
	o, err := parseSet(c.Args[3:])
	if err != noError {
		c.W.Error(err)
		return
	}
	expiryMS, err := o.time.at(c)
	if err != noError {
		c.W.Error(err)
		return
	}
	if o.keepTTL {
		expiryMS = store.KeepExpiry
	}
	key := c.Args[1]
	if o.get {
		if _, wrong := c.value(key); wrong {
			return
		}
	}
	if o.nx || o.xx {
		if _, found := c.look(key); found == o.nx {
			if !o.get {
				c.W.Null()
			}
			return
		}
	}
	c.keep("set", 1, 2, expiryMS)
	if o.time.kind != timeNone {
		c.Notify(ClassGeneric, "expire", key)
		c.tellSet(2, expiryMS)
	}
	if !o.get {
		c.W.OK()
		return
	}
	if o.time.kind == timeNone {
		c.tellWithoutGet()
	}
}

// keep sets the key at one argument to the value at another, and tells of the event.
func (c *Call) keep(event string, key, value int, expiryMS int64) {
	if value == c.Owned {
		c.DB.SetBig(c.Args[key], c.Big, store.FormAny, expiryMS, c.NowMS)
		c.Big = nil
	} else {
		c.DB.Set(c.Args[key], c.Args[value], store.FormAny, expiryMS, c.NowMS)
	}
	c.Changed++
	c.Did(ClassString, event, c.Args[key])
}

func setNX(c *Call) {
	if _, found := c.look(c.Args[1]); found {
		c.W.Int(0)
		return
	}
	c.keep("set", 1, 2, store.NoExpiry)
	c.W.Int(1)
}

func setEx(c *Call)  { c.setWithTime(timeEX) }
func pSetEx(c *Call) { c.setWithTime(timePX) }

func (c *Call) setWithTime(kind timeKind) {
	o := timeOption{kind: kind, arg: c.Args[2]}
	expiryMS, err := o.at(c)
	if err != noError {
		c.W.Error(err)
		return
	}
	c.keep("set", 1, 3, expiryMS)
	c.tellSet(3, expiryMS)
	c.Notify(ClassGeneric, "expire", c.Args[1])
	c.W.OK()
}

func getSet(c *Call) {
	if _, wrong := c.value(c.Args[1]); wrong {
		return
	}
	c.keep("set", 1, 2, store.NoExpiry)
	c.Replace(3).Text("SET").Bytes(c.Args[1]).Bytes(c.Args[2])
}

// mSet is told apart from a request for keys without values here: the row's arity can't say that pairs are wanted.
func mSet(c *Call) {
	if len(c.Args)%2 == 0 {
		c.W.Error(command.ArityError(c.Row))
		return
	}
	for i := 1; i < len(c.Args); i += 2 {
		c.keep("set", i, i+1, store.NoExpiry)
	}
	c.W.OK()
}

func mSetNX(c *Call) {
	if len(c.Args)%2 == 0 {
		c.W.Error(command.ArityError(c.Row))
		return
	}
	for i := 1; i < len(c.Args); i += 2 {
		if _, found := c.look(c.Args[i]); found {
			c.W.Int(0)
			return
		}
	}
	for i := 1; i < len(c.Args); i += 2 {
		c.keep("set", i, i+1, store.NoExpiry)
	}
	c.W.Int(1)
}
