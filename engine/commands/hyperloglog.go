package commands

import (
	"larder/algebra/hll"
	"larder/engine/store"
	"larder/protocol/command"
)

const (
	errNotHLL      = "WRONGTYPE Key is not a valid HyperLogLog string value."
	errCorruptHLL  = "INVALIDOBJ Corrupted HLL object detected"
	errNoSuchHLL   = "ERR The specified key does not exist"
	errHLLDense    = "ERR HLL encoding is not sparse"
	errHLLDebug    = "ERR Unknown PFDEBUG subcommand '"
	errHLLSelfTest = "ERR TESTFAILED "
)

func hllHandlers(h []Handler) {
	h[command.CmdPFAdd] = pfAdd
	h[command.CmdPFCount] = pfCount
	h[command.CmdPFMerge] = pfMerge
	h[command.CmdPFDebug] = pfDebug
	h[command.CmdPFSelfTest] = pfSelfTest
}

// lookHLL finds a key's block; it is a view. wrong: the value is something else, and the error was written.
func (c *Call) lookHLL(key []byte) (b []byte, found, wrong bool) {
	it, found, wrong := c.lookString(key)
	if !found {
		return nil, false, wrong
	}
	if b = c.text(it); !hll.Is(b) {
		c.W.Error(errNotHLL)
		return nil, false, true
	}
	return b, true, false
}

// keepHLL makes a block the key's value; the expiry stays.
func (c *Call) keepHLL(key, b []byte, found bool) {
	expiryMS := store.NoExpiry
	if found {
		expiryMS = store.KeepExpiry
	}
	c.DB.Set(key, b, store.FormRaw, expiryMS, c.NowMS)
}

func pfAdd(c *Call) {
	key, elements := c.Args[1], c.Args[2:]
	b, found, wrong := c.lookHLL(key)
	if wrong {
		return
	}
	updated := 0
	if found && hll.Dense(b) {
		updated = c.addDense(key, b, elements)
	} else {
		if found {
			c.bytes = append(c.bytes[:0], b...)
		} else {
			c.bytes = hll.New(c.bytes[:0])
			updated++
		}
		for _, element := range elements {
			register, count := hll.Place(element)
			var changed, ok bool
			if c.bytes, changed, ok = hll.Raise(c.bytes, register, count, c.Limits.HLL.SparseMax); !ok {
				c.W.Error(errCorruptHLL)
				return
			}
			if changed {
				updated++
			}
		}
		if updated > 0 {
			hll.Forget(c.bytes)
			c.keepHLL(key, c.bytes, found)
		}
	}
	if updated > 0 {
		c.Changed += updated
		c.Did(ClassString, "pfadd", key)
	}
	c.W.Int(flag(updated > 0))
}

// addDense adds to a dense block where it lies: only what changes is written.
func (c *Call) addDense(key, b []byte, elements [][]byte) (updated int) {
	for _, element := range elements {
		register, count := hll.Place(element)
		if hll.Register(b, register) >= count {
			continue
		}
		if updated == 0 {
			b = c.DB.Grow(key, len(b), c.NowMS)
			hll.Forget(b)
		}
		hll.SetRegister(b, register, count)
		updated++
	}
	return updated
}

// pfCount keeps the estimate of a single key in its block, though it is a command that reads: Redis counts that as a change.
func pfCount(c *Call) {
	keys := c.Args[1:]
	var registers [hll.Registers]byte
	if len(keys) > 1 {
		if _, ok := c.mergeHLL(keys, &registers); ok {
			c.W.Int(int64(hll.Estimate(&registers)))
		}
		return
	}
	key := keys[0]
	b, found, wrong := c.lookHLL(key)
	if !found {
		if !wrong {
			c.W.Int(0)
		}
		return
	}
	n, ok := hll.Cached(b)
	if !ok {
		if !hll.Unpack(b, &registers) {
			c.W.Error(errCorruptHLL)
			return
		}
		n = hll.Estimate(&registers)
		hll.SetCached(c.DB.Grow(key, len(b), c.NowMS), n)
		c.Changed++
		c.Touch(key)
	}
	c.W.Int(int64(n))
}

// mergeHLL raises registers to those of all keys, and tells whether one is dense. Not ok: an error was written.
func (c *Call) mergeHLL(keys [][]byte, registers *[hll.Registers]byte) (dense, ok bool) {
	for _, key := range keys {
		b, found, wrong := c.lookHLL(key)
		if wrong {
			return false, false
		}
		if !found {
			continue
		}
		dense = dense || hll.Dense(b)
		if !hll.Merge(b, registers) {
			c.W.Error(errCorruptHLL)
			return false, false
		}
	}
	return dense, true
}

// pfMerge: the destination is one of the sources. It tells of "pfadd", as Redis.
func pfMerge(c *Call) {
	key := c.Args[1]
	var registers [hll.Registers]byte
	dense, ok := c.mergeHLL(c.Args[1:], &registers)
	if !ok {
		return
	}
	it, found := c.DB.Peek(key, c.NowMS)
	if found {
		c.bytes = append(c.bytes[:0], c.text(it)...)
	} else {
		c.bytes = hll.New(c.bytes[:0])
	}
	if dense {
		c.bytes, _ = hll.ToDense(c.bytes) // it is sound: it was unpacked
	}
	for register, count := range registers {
		if count > 0 {
			c.bytes, _, _ = hll.Raise(c.bytes, register, count, c.Limits.HLL.SparseMax)
		}
	}
	hll.Forget(c.bytes)
	c.keepHLL(key, c.bytes, found)
	c.Changed++
	c.Did(ClassString, "pfadd", key)
	c.W.OK()
}

func pfDebug(c *Call) {
	word, key := c.Args[1], c.Args[2]
	b, found, wrong := c.lookHLL(key)
	if wrong {
		return
	}
	if !found {
		c.W.Error(errNoSuchHLL)
		return
	}
	switch {
	case is(word, "getreg"):
		c.showRegisters(key, b)
	case is(word, "decode"):
		if hll.Dense(b) {
			c.W.Error(errHLLDense)
			return
		}
		c.bytes = hll.Describe(c.bytes[:0], b)
		c.W.BulkBytes(c.bytes)
	case is(word, "encoding"):
		if hll.Dense(b) {
			c.W.Status("dense")
		} else {
			c.W.Status("sparse")
		}
	case is(word, "todense"):
		dense := hll.Dense(b)
		if _, ok := c.makeDense(key, b); ok {
			c.W.Int(flag(!dense))
		}
	default:
		c.W.Error(errHLLDebug + cString(word) + "'")
	}
}

// makeDense makes a key's block dense. Not ok: it is corrupt, and the error was written.
func (c *Call) makeDense(key, b []byte) (out []byte, ok bool) {
	if hll.Dense(b) {
		return b, true
	}
	if c.bytes, ok = hll.AppendDense(c.bytes[:0], b); !ok {
		c.W.Error(errCorruptHLL)
		return nil, false
	}
	c.keepHLL(key, c.bytes, true)
	c.Changed++
	return c.bytes, true
}

// showRegisters makes the block dense, as Redis does.
func (c *Call) showRegisters(key, b []byte) {
	b, ok := c.makeDense(key, b)
	if !ok {
		return
	}
	c.W.Array(hll.Registers)
	for i := range hll.Registers {
		c.W.Int(int64(hll.Register(b, i)))
	}
}

func pfSelfTest(c *Call) {
	if wrong := hll.SelfTest(); wrong != "" {
		c.W.Error(errHLLSelfTest + wrong)
		return
	}
	c.W.OK()
}
