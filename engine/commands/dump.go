package commands

import (
	"larder/engine/store"
	"larder/protocol/command"
	"larder/protocol/encoding/lzf"
	"larder/protocol/encoding/rdb"
)

// newestPayload is the version of the newest payload that RESTORE reads: Redis 7.2's.
const newestPayload = 11

// loader gives in.key the value that in.value stands for, in place of any other, and in.expiryMS. The bytes are a stranger's: they must be one whole value of
// the type and nothing else, and not an empty collection; if they are not it answers false and has changed nothing.
type loader func(c *Call, in incoming) bool

// incoming is a value on its way in.
type incoming struct {
	t        rdb.Type
	value    []byte // a view
	key      []byte
	expiryMS int64 // store.NoExpiry or a time
}

// loaderOf is the one table of what RESTORE reads.
func loaderOf(t rdb.Type) loader {
	switch t {
	case rdb.TypeString:
		return loadString
	case rdb.TypeHash, rdb.TypeHashZipmap, rdb.TypeHashZiplist, rdb.TypeHashListpack, rdb.TypeHashTimed,
		rdb.TypeHashExpiriesEarly, rdb.TypeHashPackExpiriesEarly, rdb.TypeHashExpiries, rdb.TypeHashPackExpiries:
		return loadHash
	case rdb.TypeSet, rdb.TypeSetIntset, rdb.TypeSetListpack:
		return loadSet
	case rdb.TypeStream, rdb.TypeStream2, rdb.TypeStream3, rdb.TypeStream4:
		return loadStream
	case rdb.TypeZSet, rdb.TypeZSetText, rdb.TypeZSetZiplist, rdb.TypeZSetListpack:
		return loadZSet
	case rdb.TypeList, rdb.TypeListZiplist, rdb.TypeListQuicklist, rdb.TypeListQuicklist2:
		return loadList
	}
	return nil
}

func dumpHandlers(h []Handler) {
	h[command.CmdDump] = dump
	h[command.CmdRestore] = restore
}

func dump(c *Call) {
	it, ok := c.look(c.Args[1])
	if !ok {
		c.W.Null()
		return
	}
	c.bytes = rdb.AppendFooter(c.appendValue(c.bytes[:0], it), 0)
	c.W.BulkBytes(c.bytes)
	c.trim()
}

// appendValue appends the type byte and the value.
func (c *Call) appendValue(dst []byte, it store.Item) []byte {
	p := rdb.Pen{Out: dst, Compressor: c.compressor()}
	WriteValue(&p, c.Store, it, c.Limits, c.NowMS)
	return p.Out
}

// AppendDump appends what DUMP gives of an item.
func (c *Call) AppendDump(dst []byte, it store.Item) []byte {
	return rdb.AppendFooter(c.appendValue(dst, it), len(dst))
}

// trim lets go of a scratch buffer that a rare large value has made large.
func (c *Call) trim() {
	const keep = 1 << 20
	if cap(c.bytes) > keep {
		c.bytes = nil
	}
}

// compressor is made when first a text is compressed: it is large.
func (c *Call) compressor() *lzf.Compressor {
	if c.lzf == nil {
		c.lzf = new(lzf.Compressor)
	}
	return c.lzf
}

func loadString(c *Call, in incoming) bool {
	text, ok := c.wholeString(in.value)
	if ok = ok && int64(len(text)) <= c.bulkMax(); ok {
		c.DB.Set(in.key, text, store.FormAny, in.expiryMS, c.NowMS)
	}
	return ok
}

// wholeString reads bytes that are one string and nothing else. The text is a view of them or of the call's scratch.
func (c *Call) wholeString(value []byte) (text []byte, ok bool) {
	f, head, err := rdb.StringForm(value)
	if err != nil || f.Bytes != len(value)-head || int64(f.Len) > max(c.bulkMax(), bulkMaxDefault) {
		return nil, false
	}
	if text = value[head:]; f.IsInt || f.Compressed {
		c.bytes, err = f.AppendText(c.bytes[:0], text)
		text = c.bytes
	}
	return text, err == nil
}
