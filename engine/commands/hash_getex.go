package commands

import (
	"larder/engine/hashes"
	"larder/engine/store"
)

// fieldOptions are what may stand before FIELDS in HGETEX and HSETEX.
type fieldOptions struct {
	persist bool // HGETEX
	keepTTL bool // HSETEX
	nx, xx  bool // HSETEX: of the key
	fnx     bool // HSETEX: of the fields
	fxx     bool
	time    timeOption
}

// timed tells whether there is a word about the time already.
func (o *fieldOptions) timed() bool { return o.persist || o.keepTTL || o.time.kind != timeNone }

// flag takes a word that stands alone. Not ok: it is none, or does not go together with another.
func (o *fieldOptions) flag(word []byte, sets bool) (ok bool) {
	switch {
	case !sets && is(word, "persist") && !o.timed():
		o.persist = true
	case sets && is(word, "keepttl") && !o.timed():
		o.keepTTL = true
	case sets && is(word, "nx") && !o.xx:
		o.nx = true
	case sets && is(word, "xx") && !o.nx:
		o.xx = true
	case sets && is(word, "fnx") && !o.fxx:
		o.fnx = true
	case sets && is(word, "fxx") && !o.fnx:
		o.fxx = true
	default:
		return false
	}
	return true
}

// parseFields takes apart what follows the key: options, FIELDS and, for HSETEX, pairs.
func parseFields(args [][]byte, sets bool) (o fieldOptions, data [][]byte, err string) {
	width := 1
	if sets {
		width = 2
	}
	for i := 0; i < len(args); i++ {
		switch kind := timeWord(args[i]); {
		case is(args[i], "fields") && i+1 < len(args):
			data, err = fieldNames(args[i:], width, errNumFields)
			return o, data, err
		case kind != timeNone && !o.timed() && i+1 < len(args):
			i++
			o.time = timeOption{kind: kind, arg: args[i]}
		case !o.flag(args[i], sets):
			return o, nil, errSyntax
		}
	}
	return o, nil, errNumFields
}

// fieldTime is the time that an option says; store.NoExpiry without one.
func (c *Call) fieldTime(o *timeOption) (ms int64, err string) {
	if o.kind == timeNone {
		return store.NoExpiry, noError
	}
	unitMS, baseMS := int64(1), int64(0)
	if o.kind.seconds() {
		unitMS = 1000
	}
	if o.kind.relative() {
		baseMS = c.NowMS
	}
	return c.parseFieldTime(o.arg, unitMS, baseMS)
}

func hGetEx(c *Call) {
	o, names, err := parseFields(c.Args[2:], false)
	if err != noError {
		c.W.Error(err)
		return
	}
	when, err := c.fieldTime(&o.time)
	if err != noError {
		c.W.Error(err)
		return
	}
	e, _, wrong := c.editHash()
	if wrong {
		return
	}
	c.W.Array(len(names))
	c.did = c.did[:0]
	for _, name := range names {
		h := e.Hash()
		value, expiryMS, found := h.Find(name)
		c.hashValue(value, found)
		switch {
		case !found:
		case o.persist && expiryMS != store.NoExpiry:
			e.Expire(name, store.NoExpiry)
			c.did = append(c.did, name)
		case o.time.kind != timeNone:
			c.expireField(e, expireOptions{}, name, when)
			c.did = append(c.did, name)
		}
	}
	if o.persist && len(c.did) > 0 {
		c.Changed += len(c.did)
		c.endHash(e, "hpersist")
		c.tellFields("HPERSIST")
		return
	}
	c.endExpire(e, when)
}

func hGetDel(c *Call) {
	e, names, ok := c.editFields()
	if !ok {
		return
	}
	event := ""
	c.did = c.did[:0]
	for _, name := range names {
		h := e.Hash()
		value, found := h.Get(name)
		if c.hashValue(value, found); found {
			e.Delete(name)
			c.Changed++
			c.did = append(c.did, name)
			event = "hdel"
		}
	}
	c.endHash(e, event)
	c.tellFields("HDEL")
}

func hSetEx(c *Call) {
	o, pairs, err := parseFields(c.Args[2:], true)
	if err != noError {
		c.W.Error(err)
		return
	}
	when, err := c.fieldTime(&o.time)
	if err != noError {
		c.W.Error(err)
		return
	}
	e, found, wrong := c.editHash()
	if wrong {
		return
	}
	if o.nx && found || o.xx && !found || !o.fieldsAgree(e.Hash(), pairs) {
		c.endHash(e, "")
		c.W.Int(0)
		return
	}
	c.Changed += len(pairs) / 2
	if o.time.kind != timeNone && c.past(when) {
		c.setDeadFields(e, pairs)
	} else {
		c.setTimedFields(e, pairs, &o, when)
	}
	c.W.Int(1)
}

// fieldsAgree checks FNX, no field may be there, and FXX, all must be.
func (o *fieldOptions) fieldsAgree(h hashes.Hash, pairs [][]byte) bool {
	if !o.fnx && !o.fxx {
		return true
	}
	for i := 0; i < len(pairs); i += 2 {
		if _, found := h.Get(pairs[i]); found == o.fnx {
			return false
		}
	}
	return true
}

func (c *Call) setTimedFields(e *hashes.Edit, pairs [][]byte, o *fieldOptions, when int64) {
	c.tellTimedFields(e, pairs, o, when)
	if o.keepTTL {
		when = store.KeepExpiry
	}
	e.Fit(pairs)
	for i := 0; i < len(pairs); i += 2 {
		e.Set(pairs[i], pairs[i+1], when)
	}
	c.endHash(e, "hset")
	if o.time.kind != timeNone {
		c.Notify(ClassHash, "hexpire", c.Args[1])
	}
}

// setDeadFields sets fields whose time is over already: they are gone, and those who listen hear of all that happened on the way.
func (c *Call) setDeadFields(e *hashes.Edit, pairs [][]byte) {
	c.did = c.did[:0]
	for i := 0; i < len(pairs); i += 2 {
		e.Delete(pairs[i])
		c.did = append(c.did, pairs[i])
	}
	c.tellFields("HDEL")
	c.Notify(ClassHash, "hset", c.Args[1])
	c.Notify(ClassHash, "hexpire", c.Args[1])
	c.endHash(e, "hexpired")
}
