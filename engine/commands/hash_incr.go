package commands

import (
	"larder/engine/hashes"
	"larder/engine/store"
)

// hashInt reads a field's value as a number.
func hashInt(t hashes.Text) (n int64, ok bool) {
	if t.IsInt() {
		return t.Int, true
	}
	return store.ParseInt(t.Text)
}

func hIncrBy(c *Call) {
	n, ok := store.ParseInt(c.Args[3])
	if !ok {
		c.W.Error(errNotInt)
		return
	}
	e, _, wrong := c.editHash()
	if wrong {
		return
	}
	h := e.Hash()
	old := int64(0)
	value, has := h.Get(c.Args[2])
	if has {
		if old, ok = hashInt(value); !ok {
			c.endHash(e, "")
			c.W.Error(errHashNotInt)
			return
		}
	}
	sum := old + n
	if (n > 0) != (sum > old) && n != 0 {
		c.endHash(e, "")
		c.W.Error(errOverflow)
		return
	}
	if !has && e.HasDead() { // which may be this one, and is there where this is told
		c.Replace(4).Text("HSET").Bytes(c.Args[1]).Bytes(c.Args[2]).Int(sum)
	}
	e.Set(c.Args[2], store.FormatInt(c.digits[:0], sum), store.KeepExpiry)
	c.Changed++
	c.endHash(e, "hincrby")
	c.W.Int(sum)
}

func hIncrByFloat(c *Call) {
	n, ok := parseFloat(c.Args[3])
	switch {
	case !ok:
		c.W.Error(errNotFloat)
		return
	case n.infinite:
		c.W.Error(errNotFinite)
		return
	}
	e, _, wrong := c.editHash()
	if wrong {
		return
	}
	h := e.Hash()
	old := longDouble{}
	value, expiryMS, has := h.Find(c.Args[2])
	if has {
		if value.IsInt() {
			old = fromInt(value.Int)
		} else if old, ok = parseFloat(value.Text); !ok {
			c.endHash(e, "")
			c.W.Error(errHashNotFloat)
			return
		}
	}
	sum := old.plus(n)
	if old.infinite || !sum.finite() {
		c.endHash(e, "")
		c.W.Error(errInfinite)
		return
	}
	c.bytes = sum.appendText(c.bytes[:0])
	e.Set(c.Args[2], c.bytes, store.KeepExpiry)
	c.Changed++
	if expiryMS == store.NoExpiry {
		c.Replace(4).Text("HSET").Bytes(c.Args[1]).Bytes(c.Args[2]).Bytes(c.bytes)
	} else {
		c.Replace(7).Text("HSETEX").Bytes(c.Args[1]).Text("KEEPTTL").Text("FIELDS").Int(1).Bytes(c.Args[2]).Bytes(c.bytes)
	}
	c.endHash(e, "hincrbyfloat")
	c.W.BulkBytes(c.bytes)
}
