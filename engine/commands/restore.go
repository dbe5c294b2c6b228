package commands

import (
	"math"

	"larder/engine/store"
	"larder/protocol/encoding/rdb"
)

// restoreOptions are what may follow RESTORE key ttl payload. idle and freq exclude each other; -1 = not given.
type restoreOptions struct {
	replace, absolute bool
	idleS, freq       int64
}

func parseRestore(args [][]byte) (o restoreOptions, err string) {
	o.idleS, o.freq = -1, -1
	for i := 0; i < len(args) && err == noError; i++ {
		more := i+1 < len(args)
		switch {
		case is(args[i], "replace"):
			o.replace = true
		case is(args[i], "absttl"):
			o.absolute = true
		case is(args[i], "idletime") && more && o.freq == -1:
			i++
			o.idleS, err = restoreNumber(args[i], errIdleTime, 1<<63-1)
		case is(args[i], "freq") && more && o.idleS == -1:
			i++
			o.freq, err = restoreNumber(args[i], errFrequency, 255)
		default:
			err = errSyntax
		}
	}
	return o, err
}

func restoreNumber(arg []byte, out string, most int64) (n int64, err string) {
	n, ok := store.ParseInt(arg)
	switch {
	case !ok:
		return 0, errNotInt
	case n < 0 || n > most:
		return 0, out
	}
	return n, noError
}

func restore(c *Call) {
	o, err := parseRestore(c.Args[4:])
	if err != noError {
		c.W.Error(err)
		return
	}
	key := c.Args[1]
	_, taken := c.look(key)
	if taken && !o.replace {
		c.W.Error(errBusyKey)
		return
	}
	ttl, err := restoreNumber(c.Args[2], errTTL, 1<<63-1)
	if err != noError {
		c.W.Error(err)
		return
	}
	open := rdb.OpenPayload
	if c.AnySum {
		open = rdb.CutPayload
	}
	t, value, version, wrong := open(c.Args[3], c.newestPayload())
	if wrong != nil {
		c.W.Error(errPayload)
		return
	}
	if ttl > 0 && !o.absolute {
		ttl += c.NowMS // an overflow is long ago, as in Redis
	}
	in := incoming{t: t, value: value, key: key, expiryMS: ttl}
	dead := ttl != store.NoExpiry && c.past(ttl)
	if dead { // what comes now goes again: not by expiry, which is told of
		in.expiryMS = store.NoExpiry
	}
	load := loaderOf(t)
	if load == nil || !load(c, in) {
		c.W.Error(errBadFormat)
		return
	}
	c.trim()
	c.W.OK()
	c.restored(key, taken, dead, o)
	c.tellRestore(ttl, dead, version, o)
}

// newestPayload is the version of the newest payload that is read. A primary may be newer: it gives what it has, and the value decides.
func (c *Call) newestPayload() int {
	if c.Obeys {
		return math.MaxUint16
	}
	return newestPayload
}

// restored ends a RESTORE whose value is there; dead: its time is over already, so that nothing may be left.
func (c *Call) restored(key []byte, taken, dead bool, o restoreOptions) {
	if dead {
		c.DB.Delete(key, c.NowMS)
		if taken {
			c.Notify(ClassGeneric, "del", key)
			c.Touch(key)
			c.Changed++
		}
		return
	}
	if it, ok := c.DB.Peek(key, c.NowMS); ok {
		switch lfu := c.Store.Policy().LFU(); {
		case o.idleS >= 0 && !lfu:
			it.SetIdle(o.idleS, c.NowMS)
		case o.freq >= 0 && lfu:
			it.SetFreq(o.freq)
		}
		if !it.Kind().IsString() {
			c.Push(key)
		}
	}
	if taken {
		c.Notify(ClassNew, "new", key) // of a key that was not there the node tells by itself
	}
	c.Touch(key)
	c.Notify(ClassGeneric, "restore", key)
	c.Changed++
}
