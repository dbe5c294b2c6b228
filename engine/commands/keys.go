package commands

// del is UNLINK too: the store gives a value's memory back in the same short time however large it is.
func del(c *Call) {
	for _, key := range c.Args[1:] {
		if c.DB.Delete(key, c.NowMS) {
			c.Changed++
			c.Did(ClassGeneric, "del", key)
		}
	}
	c.W.Int(int64(c.Changed))
}

func exists(c *Call) {
	n := int64(0)
	for _, key := range c.Args[1:] {
		if _, ok := c.peek(key); ok {
			n++
		}
	}
	c.W.Int(n)
}

// touch means it, whatever CLIENT NO-TOUCH said.
func touch(c *Call) {
	n := int64(0)
	for _, key := range c.Args[1:] {
		_, ok := c.DB.Lookup(key, c.NowMS)
		if c.tally(key, ok); ok {
			n++
		}
	}
	c.W.Int(n)
}

func typeOf(c *Call) {
	if it, ok := c.peek(c.Args[1]); ok {
		c.W.Status(it.Kind().Type())
	} else {
		c.W.Status("none")
	}
}
