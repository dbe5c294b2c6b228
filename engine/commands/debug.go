package commands

import (
	"strconv"

	"larder/engine/lists"
	"larder/engine/store"
)

// debugKey finds the key of a DEBUG subcommand without touching it; not ok: there is none, and the error was written.
func (c *Call) debugKey() (store.Item, bool) {
	it, ok := c.DB.Peek(c.Args[2], c.NowMS)
	if !ok {
		c.W.Error(errNoKey)
	}
	return it, ok
}

// lruMax is where Redis's clock of seconds begins anew.
const lruMax = 1 << 24

// DebugObject tells of a value what DEBUG OBJECT tells (Redis 7.2 debug.c).
func (c *Call) DebugObject() {
	it, ok := c.debugKey()
	if !ok {
		return
	}
	c.bytes = c.appendValue(c.bytes[:0], it)
	idleS := it.IdleMS(c.NowMS) / 1000
	b := strconv.AppendUint([]byte("Value at:0x"), it.Place(), 16)
	b = strconv.AppendInt(append(b, " refcount:"...), refCount(it), 10)
	b = append(append(b, " encoding:"...), it.Encoding().String()...)
	b = strconv.AppendInt(append(b, " serializedlength:"...), int64(len(c.bytes)-1), 10) // without the type
	b = strconv.AppendInt(append(b, " lru:"...), (c.NowMS/1000-idleS)&(lruMax-1), 10)
	b = strconv.AppendInt(append(b, " lru_seconds_idle:"...), idleS, 10)
	if it.Kind() == store.KindListBig {
		b = c.appendNodes(b, lists.Open(it))
	}
	c.trim()
	c.W.Status(string(b))
}

func (c *Call) appendNodes(b []byte, l lists.List) []byte {
	nodes, bytes := l.Nodes(c.Limits.List)
	b = strconv.AppendInt(append(b, " ql_nodes:"...), int64(nodes), 10)
	b = strconv.AppendFloat(append(b, " ql_avg_node:"...), float64(l.Len())/float64(nodes), 'f', 2, 64)
	b = strconv.AppendInt(append(b, " ql_listpack_max:"...), int64(c.Limits.List.Size), 10)
	b = append(b, " ql_compressed:0"...)
	return strconv.AppendInt(append(b, " ql_uncompressed_size:"...), int64(bytes), 10)
}

// DebugSDSLen tells the lengths of a key and of a value that is text. Nothing is kept free behind either; what each takes is its share of the item.
func (c *Call) DebugSDSLen() {
	it, ok := c.debugKey()
	if !ok {
		return
	}
	if _, isInt := it.Int(); isInt || !it.Kind().IsString() {
		c.W.Error("ERR Not an sds encoded string.")
		return
	}
	key, value := int64(len(it.Key())), int64(it.Len())
	b := strconv.AppendInt([]byte("key_sds_len:"), key, 10)
	b = strconv.AppendInt(append(b, ", key_sds_avail:0, key_zmalloc: "...), key, 10)
	b = strconv.AppendInt(append(b, ", val_sds_len:"...), value, 10)
	b = strconv.AppendInt(append(b, ", val_sds_avail:0, val_zmalloc: "...), int64(it.Size())-key, 10)
	c.W.Status(string(b))
}

// DebugEncoding finds a key whose value must have an encoding, to look at it; else the error was written.
func (c *Call) DebugEncoding(wanted store.Encoding) bool {
	it, ok := c.debugKey()
	if ok && it.Encoding() != wanted {
		c.W.Error("ERR Not a " + wanted.String() + " encoded object.")
		return false
	}
	return ok
}

// DebugTable gives how many elements a value has that lies in a hash table, or the error was written.
func (c *Call) DebugTable() (elements int, ok bool) {
	it, ok := c.debugKey()
	if !ok {
		return 0, false
	}
	if e := it.Encoding(); e != store.HashTable && e != store.SkipList {
		c.W.Error("ERR The value stored at the specified key is not represented using an hash table")
		return 0, false
	}
	return it.Object().Trees[0].Len(), true
}

// population is what DEBUG POPULATE makes.
type population struct {
	count, size int64
	prefix      []byte
}

func (c *Call) parsePopulate(args [][]byte) (p population, err string) {
	const errNegative = "ERR value is out of range, must be positive"
	p.prefix = []byte("key")
	ok := false
	if p.count, ok = store.ParseInt(args[0]); !ok || p.count < 0 {
		return p, errNegative
	}
	if len(args) > 1 {
		p.prefix = args[1]
	}
	if len(args) > 2 {
		if p.size, ok = store.ParseInt(args[2]); !ok || p.size < 0 {
			return p, errNegative
		}
	}
	if p.size > c.bulkMax() {
		return p, errTooLong
	}
	return p, noError
}

// DebugPopulate makes keys prefix:0, prefix:1 and so on with the values value:0, value:1 …, cut or filled with zero bytes to a size if one is given. A key
// that is there stays as it is. It ends early when there is no room, or when ended says so; made is told of each key.
func (c *Call) DebugPopulate(ended func() bool, made func(key []byte)) {
	p, err := c.parsePopulate(c.Args[2:])
	if err != noError {
		c.W.Error(err)
		return
	}
	key := append(append(c.bytes[:0], p.prefix...), ':')
	head := len(key)
	value := make([]byte, 0, max(p.size, digitsMax+8))
	for i := int64(0); i < p.count && !ended(); i++ {
		key = strconv.AppendInt(key[:head], i, 10)
		if _, there := c.DB.Peek(key, c.NowMS); there {
			continue
		}
		value = strconv.AppendInt(append(value[:0], "value:"...), i, 10)
		if p.size > 0 {
			n := int64(len(value))
			value = value[:p.size]
			if n < p.size {
				clear(value[n:])
			}
		}
		if !c.Store.MakeRoom(len(key)+len(value), c.NowMS) {
			c.W.Error("OOM command not allowed when used memory > 'maxmemory'.")
			return
		}
		c.DB.Set(key, value, store.FormAny, store.NoExpiry, c.NowMS)
		c.Changed++
		made(key)
	}
	c.W.OK()
}
