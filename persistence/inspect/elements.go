package inspect

import (
	"errors"
	"fmt"

	"larder/persistence/rdb"
	"larder/protocol/encoding/intset"
	"larder/protocol/encoding/listpack"
	encoding "larder/protocol/encoding/rdb"
	"larder/protocol/encoding/ziplist"
	"larder/protocol/encoding/zipmap"
)

// errPacked is what gives a value whose packed form is not right.
var errPacked = errors.New("corrupt value")

// typeOf is the type of a value as TYPE names it, and the name of a module's.
func typeOf(e *rdb.Entry) string {
	switch e.Type {
	case encoding.TypeString:
		return "string"
	case encoding.TypeList, encoding.TypeListZiplist, encoding.TypeListQuicklist, encoding.TypeListQuicklist2:
		return "list"
	case encoding.TypeSet, encoding.TypeSetIntset, encoding.TypeSetListpack:
		return "set"
	case encoding.TypeZSet, encoding.TypeZSetText, encoding.TypeZSetZiplist, encoding.TypeZSetListpack:
		return "zset"
	case encoding.TypeStream, encoding.TypeStream2, encoding.TypeStream3, encoding.TypeStream4:
		return "stream"
	case encoding.TypeModule:
		return e.Module
	}
	return "hash"
}

// counting counts elements; its scratch is used again and again.
type counting struct {
	text []byte
}

// elements is how many elements a value has: of a string 1, of a hash its fields, of a stream its entries. It is an error if the form they are packed in is not
// right.
func (c *counting) elements(e *rdb.Entry) (n int, err error) {
	switch e.Type {
	case encoding.TypeString, encoding.TypeModule:
		return 1, nil
	case encoding.TypeListQuicklist, encoding.TypeListQuicklist2:
		n, err = c.nodes(e)
	case encoding.TypeStream, encoding.TypeStream2, encoding.TypeStream3, encoding.TypeStream4:
		n, err = c.entries(e.Body)
	case encoding.TypeHashPackExpiries:
		const time = 8
		n, err = c.packed(e.Type, e.Body[time:])
	case encoding.TypeListZiplist, encoding.TypeSetIntset, encoding.TypeZSetZiplist, encoding.TypeHashZiplist, encoding.TypeHashZipmap,
		encoding.TypeHashListpack, encoding.TypeZSetListpack, encoding.TypeSetListpack, encoding.TypeHashPackExpiriesEarly:
		n, err = c.packed(e.Type, e.Body)
	default:
		return int(e.Count), nil
	}
	if err != nil {
		return 0, fmt.Errorf("%w at offset %d: key %s, a %s of type %d: %w", errPacked, e.Offset, quote(e.Key), typeOf(e), e.Type, err)
	}
	return n, nil
}

// string reads a string and gives what follows it.
func (c *counting) string(b []byte) (text, rest []byte, err error) {
	f, head, err := encoding.StringForm(b)
	if err != nil || f.Bytes > len(b)-head {
		return nil, nil, encoding.ErrCorrupt
	}
	body, rest := b[head:head+f.Bytes], b[head+f.Bytes:]
	if !f.IsInt && !f.Compressed {
		return body, rest, nil
	}
	c.text, err = f.AppendText(c.text[:0], body)
	return c.text, rest, err
}

func (c *counting) packed(t encoding.Type, b []byte) (n int, err error) {
	text, _, err := c.string(b)
	if err != nil {
		return 0, err
	}
	each := 1
	switch t {
	case encoding.TypeSetIntset:
		if err = intset.Validate(text); err == nil {
			n = intset.Set(text).Len()
		}
	case encoding.TypeHashZipmap:
		if err = zipmap.Validate(text); err == nil {
			n = zipmap.Map(text).Len()
		}
	case encoding.TypeListZiplist, encoding.TypeZSetZiplist, encoding.TypeHashZiplist:
		if n, err = zipped(text); t != encoding.TypeListZiplist {
			each = 2
		}
	default:
		if err = listpack.Validate(text); err == nil {
			n = listpack.List(text).Len()
		}
		switch t {
		case encoding.TypeHashListpack, encoding.TypeZSetListpack:
			each = 2
		case encoding.TypeHashPackExpiries, encoding.TypeHashPackExpiriesEarly:
			each = 3
		}
	}
	return n / each, err
}

func zipped(text []byte) (n int, err error) {
	if err = ziplist.Validate(text); err != nil {
		return 0, err
	}
	return ziplist.List(text).Len(), nil
}

// nodes counts the elements of a quicklist's nodes.
func (c *counting) nodes(e *rdb.Entry) (n int, err error) {
	_, at, _ := encoding.Length(e.Body)
	rest := e.Body[at:]
	for range e.Count {
		form := uint64(encoding.NodePacked)
		if e.Type == encoding.TypeListQuicklist2 {
			form, at, err = encoding.Length(rest)
			if err != nil {
				return 0, err
			}
			rest = rest[at:]
		}
		var text []byte
		if text, rest, err = c.string(rest); err != nil {
			return 0, err
		}
		more := 1
		switch {
		case form == encoding.NodePlain:
		case e.Type == encoding.TypeListQuicklist:
			more, err = zipped(text)
		default:
			if err = listpack.Validate(text); err == nil {
				more = listpack.List(text).Len()
			}
		}
		if err != nil {
			return 0, err
		}
		n += more
	}
	return n, nil
}

// entries reads how many entries a stream has: it stands behind the blocks.
func (c *counting) entries(b []byte) (n int, err error) {
	blocks, at, err := encoding.Length(b)
	rest := b[min(at, len(b)):]
	for ; blocks > 0 && err == nil; blocks-- {
		for range 2 {
			f, head, wrong := encoding.StringForm(rest)
			if wrong != nil || f.Bytes > len(rest)-head {
				return 0, encoding.ErrCorrupt
			}
			rest = rest[head+f.Bytes:]
		}
	}
	if err != nil {
		return 0, err
	}
	count, _, err := encoding.Length(rest)
	return int(min(count, 1<<62)), err
}
