package commands

import (
	"math"

	"larder/engine/store"
)

// expireOptions say when EXPIRE and its like leave a key as it is.
type expireOptions struct {
	nx, xx, gt, lt bool
}

func parseExpire(args [][]byte) (o expireOptions, err string) {
	for _, word := range args {
		switch {
		case is(word, "nx"):
			o.nx = true
		case is(word, "xx"):
			o.xx = true
		case is(word, "gt"):
			o.gt = true
		case is(word, "lt"):
			o.lt = true
		default:
			return o, errOption(word)
		}
	}
	switch {
	case o.nx && (o.xx || o.gt || o.lt):
		return o, errNXAndOthers
	case o.gt && o.lt:
		return o, errGTAndLT
	}
	return o, noError
}

// allows reports whether an expiry may be replaced by another. No expiry is later than any.
func (o *expireOptions) allows(oldMS, newMS int64) bool {
	switch {
	case oldMS == store.NoExpiry:
		return !o.xx && !o.gt
	case o.nx:
		return false
	case o.gt:
		return newMS > oldMS
	case o.lt:
		return newMS < oldMS
	}
	return true
}

// parseTime gives a time in milliseconds since 1970, perhaps below 0. unitMS is what a one of the argument stands for.
func (c *Call) parseTime(arg []byte, unitMS, baseMS int64) (ms int64, err string) {
	n, ok := store.ParseInt(arg)
	if !ok {
		return 0, errNotInt
	}
	if n > math.MaxInt64/unitMS || n < math.MinInt64/unitMS {
		return 0, errExpireTime(c.Row)
	}
	n *= unitMS
	if n > math.MaxInt64-baseMS {
		return 0, errExpireTime(c.Row)
	}
	return n + baseMS, noError
}

func expire(c *Call)    { c.expire(1000, c.NowMS) }
func pExpire(c *Call)   { c.expire(1, c.NowMS) }
func expireAt(c *Call)  { c.expire(1000, 0) }
func pExpireAt(c *Call) { c.expire(1, 0) }

// expire gives a key its time to die; one in the past is now.
func (c *Call) expire(unitMS, baseMS int64) {
	o, err := parseExpire(c.Args[3:])
	if err != noError {
		c.W.Error(err)
		return
	}
	when, err := c.parseTime(c.Args[2], unitMS, baseMS)
	if err != noError {
		c.W.Error(err)
		return
	}
	key := c.Args[1]
	it, ok := c.look(key)
	if !ok || !o.allows(it.ExpiryMS(), when) {
		c.W.Int(0)
		return
	}
	c.expireItem(it, when)
	c.W.Int(1)
}

// expireItem gives the item of the command's key its time to die, which may have come.
func (c *Call) expireItem(it store.Item, when int64) {
	key := c.Args[1]
	if c.past(when) {
		c.DB.Delete(key, c.NowMS)
		c.Did(ClassGeneric, "del", key)
		c.Replace(2).Text("UNLINK").Bytes(key)
	} else {
		it.Expire(when, c.NowMS)
		c.Did(ClassGeneric, "expire", key)
		c.Replace(3).Text("PEXPIREAT").Bytes(key).Int(when)
	}
	c.Changed++
}

// past tells whether a key that gets a time to die is dead already. A primary's clock may be another: it says itself what is dead.
func (c *Call) past(when int64) bool { return when <= c.NowMS && !c.Obeys }

func persist(c *Call) {
	it, ok := c.look(c.Args[1])
	if ok && c.persistItem(it) {
		c.W.Int(1)
	} else {
		c.W.Int(0)
	}
}

func ttl(c *Call) {
	if at, ok := c.expiry(); ok {
		c.W.Int(seconds(at - c.NowMS))
	}
}

func pTTL(c *Call) {
	if at, ok := c.expiry(); ok {
		c.W.Int(at - c.NowMS)
	}
}

func expireTime(c *Call) {
	if at, ok := c.expiry(); ok {
		c.W.Int(seconds(at))
	}
}

func pExpireTime(c *Call) {
	if at, ok := c.expiry(); ok {
		c.W.Int(at)
	}
}

// expiry gives the key's expiry; not ok: there is none, and the answer was written.
func (c *Call) expiry() (atMS int64, ok bool) {
	const noKey, noExpiry = -2, -1
	it, found := c.peek(c.Args[1])
	if !found {
		c.W.Int(noKey)
		return 0, false
	}
	if atMS = it.ExpiryMS(); atMS == store.NoExpiry {
		c.W.Int(noExpiry)
		return 0, false
	}
	return atMS, true
}

// seconds rounds to the nearest.
func seconds(ms int64) int64 {
	return int64((uint64(ms) + 500) / 1000) // ms is above 0; the last half second of time is not beyond 64 bits without sign
}
