package commands

func hGet(c *Call) {
	h, wrong := c.hash()
	if wrong {
		return
	}
	value, found := h.Get(c.Args[2])
	c.hashValue(value, found)
}

func hMGet(c *Call) {
	h, wrong := c.hash()
	if wrong {
		return
	}
	names := c.Args[2:]
	c.W.Array(len(names))
	for _, name := range names {
		value, found := h.Get(name)
		if c.hashValue(value, found); c.full() {
			return
		}
	}
}

func hGetAll(c *Call) { c.hashAll(true, true) }
func hKeys(c *Call)   { c.hashAll(true, false) }
func hVals(c *Call)   { c.hashAll(false, true) }

// hashAll writes all fields, their values, or both as a map.
func (c *Call) hashAll(names, values bool) {
	h, wrong := c.hash()
	if wrong {
		return
	}
	if names && values {
		c.W.Map(h.Len())
	} else {
		c.W.Array(h.Len())
	}
	w := h.Walk()
	for w.Next() {
		if names {
			c.hashText(w.Field)
		}
		if values {
			c.hashText(w.Value)
		}
		if c.full() {
			return
		}
	}
}

func hLen(c *Call) {
	if h, wrong := c.hash(); !wrong {
		c.W.Int(int64(h.Len()))
	}
}

func hStrLen(c *Call) {
	h, wrong := c.hash()
	if wrong {
		return
	}
	n := 0
	if value, found := h.Get(c.Args[2]); found {
		n = value.Len()
	}
	c.W.Int(int64(n))
}

func hExists(c *Call) {
	h, wrong := c.hash()
	if wrong {
		return
	}
	n := int64(0)
	if _, found := h.Get(c.Args[2]); found {
		n = 1
	}
	c.W.Int(n)
}
