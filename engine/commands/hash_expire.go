package commands

import (
	"math"

	"larder/engine/hashes"
	"larder/engine/store"
)

// What HEXPIRE, HTTL and their like answer for a field (Valkey 9).
const (
	noField       = -2 // there is no such field
	noFieldExpiry = -1
	fieldRefused  = 0 // by NX, XX, GT or LT
	fieldDone     = 1
	fieldDeleted  = 2 // the time is over already
)

// fieldNames cuts off what FIELDS, which stands first, announces: width arguments a field. err is what is wrong with their number.
func fieldNames(args [][]byte, width int, mismatch string) (names [][]byte, err string) {
	n, ok := store.ParseInt(args[1])
	names = args[2:]
	switch {
	case !ok:
		return nil, errNotInt
	case n <= 0 || n > int64(len(names)) || int(n)*width != len(names):
		return nil, mismatch
	}
	return names, noError
}

// fieldsAlone are the fields of a command that has nothing before FIELDS.
func fieldsAlone(args [][]byte, mismatch string) (names [][]byte, err string) {
	if !is(args[0], "fields") {
		return nil, errSyntax
	}
	return fieldNames(args, 1, mismatch)
}

// parseFieldExpire takes HEXPIRE's conditions and fields apart: what stands behind the time.
func parseFieldExpire(args [][]byte) (o expireOptions, names [][]byte, err string) {
	for i := 0; i+1 < len(args); i++ {
		if !is(args[i], "fields") {
			continue
		}
		if o, err = parseExpire(args[:i]); err == noError {
			names, err = fieldNames(args[i:], 1, errNumFields)
		}
		return o, names, err
	}
	return o, nil, errNumFields
}

// parseFieldTime is parseTime for a field: no time is below 0.
func (c *Call) parseFieldTime(arg []byte, unitMS, baseMS int64) (ms int64, err string) {
	n, ok := store.ParseInt(arg)
	switch {
	case !ok:
		return 0, errNotInt
	case n < 0 || n > math.MaxInt64/unitMS || n*unitMS > math.MaxInt64-baseMS:
		return 0, errExpireTime(c.Row)
	}
	return n*unitMS + baseMS, noError
}

func hExpire(c *Call)    { c.expireFields(1000, c.NowMS) }
func hPExpire(c *Call)   { c.expireFields(1, c.NowMS) }
func hExpireAt(c *Call)  { c.expireFields(1000, 0) }
func hPExpireAt(c *Call) { c.expireFields(1, 0) }

func (c *Call) expireFields(unitMS, baseMS int64) {
	o, names, err := parseFieldExpire(c.Args[3:])
	if err != noError {
		c.W.Error(err)
		return
	}
	when, err := c.parseFieldTime(c.Args[2], unitMS, baseMS)
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
		code := c.expireField(e, o, name, when)
		if code > fieldRefused {
			c.did = append(c.did, name)
		}
		c.W.Int(code)
	}
	c.endExpire(e, when)
}

// endExpire is endHash of a command that has given a time to the fields in c.did.
func (c *Call) endExpire(e *hashes.Edit, when int64) {
	c.Changed += len(c.did)
	switch {
	case len(c.did) == 0:
		c.endHash(e, "")
	case c.past(when):
		c.endHash(e, "hexpired")
		c.tellFields("HDEL")
	default:
		c.endHash(e, "hexpire")
		c.tellFieldsUntil(when)
	}
}

// expireField gives a field its time to die; one in the past is now.
func (c *Call) expireField(e *hashes.Edit, o expireOptions, name []byte, when int64) int64 {
	h := e.Hash()
	_, old, found := h.Find(name)
	switch {
	case !found:
		return noField
	case !o.allows(old, when):
		return fieldRefused
	case c.past(when):
		e.Delete(name)
		return fieldDeleted
	}
	e.Expire(name, when)
	return fieldDone
}

// editFields opens the hash for a command on FIELDS n field ..., whose reply is an array of as many. Not ok: the answer is an error, and is written.
func (c *Call) editFields() (e *hashes.Edit, names [][]byte, ok bool) {
	names, err := fieldsAlone(c.Args[2:], errNumFields)
	if err != noError {
		c.W.Error(err)
		return nil, nil, false
	}
	e, _, wrong := c.editHash()
	if wrong {
		return nil, nil, false
	}
	c.W.Array(len(names))
	return e, names, true
}

func hPersist(c *Call) {
	e, names, ok := c.editFields()
	if !ok {
		return
	}
	event := ""
	c.did = c.did[:0]
	for _, name := range names {
		h := e.Hash()
		_, expiryMS, found := h.Find(name)
		switch {
		case !found:
			c.W.Int(noField)
		case expiryMS == store.NoExpiry:
			c.W.Int(noFieldExpiry)
		default:
			e.Expire(name, store.NoExpiry)
			c.Changed++
			c.did = append(c.did, name)
			event = "hpersist"
			c.W.Int(fieldDone)
		}
	}
	c.endHash(e, event)
	c.tellFields("HPERSIST")
}

func hTTL(c *Call)         { c.fieldTimes(true, c.NowMS) }
func hPTTL(c *Call)        { c.fieldTimes(false, c.NowMS) }
func hExpireTime(c *Call)  { c.fieldTimes(true, 0) }
func hPExpireTime(c *Call) { c.fieldTimes(false, 0) }

// fieldTimes answers when fields die, counted from baseMS.
func (c *Call) fieldTimes(inSeconds bool, baseMS int64) {
	names, err := fieldsAlone(c.Args[2:], errSyntax)
	if err != noError {
		c.W.Error(err)
		return
	}
	h, wrong := c.hash()
	if wrong {
		return
	}
	c.W.Array(len(names))
	for _, name := range names {
		_, expiryMS, found := h.Find(name)
		switch {
		case !found:
			c.W.Int(noField)
		case expiryMS == store.NoExpiry:
			c.W.Int(noFieldExpiry)
		case inSeconds:
			c.W.Int(seconds(expiryMS - baseMS))
		default:
			c.W.Int(expiryMS - baseMS)
		}
	}
}
