package commands

import (
	"larder/engine/store"
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
)

// bulk is the scratch of loaders that make a collection as a whole.
type bulk struct {
	order []store.Hashed
	parts [][]byte
	small listpack.List
}

// packForm says when a listpack is the small form of a collection.
type packForm struct {
	kind    store.Kind
	each    int // entries of an element, of which the first is its name
	most    int // elements
	longest int // bytes of an entry
}

// pack gives the listpack that a string is, if a collection of those limits can be it as it is: names that all differ, entries in the form that they are
// looked for in. It is a view of value or of the call's scratch.
func (c *Call) pack(value []byte, f packForm) (l listpack.List, ok bool) {
	text, ok := c.wholeString(value)
	if !ok || len(text) >= store.BlobMax || listpack.Validate(text) != nil {
		return nil, false
	}
	l = text
	n := l.Len()
	if n == 0 || n%f.each != 0 || n/f.each > f.most {
		return nil, false
	}
	longest, ok := l.Distinct(f.each)
	return l, ok && longest <= f.longest
}

// texts reads a count and, for each, so many strings, and nothing else. They are views of value or of the call's scratch.
func (c *Call) texts(value []byte, each int) (texts [][]byte, ok bool) {
	const keep = 1 << 15 // elements whose scratch is kept
	n, at, err := rdb.Length(value)
	if err != nil || n == 0 || n > uint64(len(value)/each) {
		return nil, false
	}
	value = value[at:]
	c.bytes, c.parts = c.bytes[:0], c.parts[:0]
	for range int(n) * each {
		f, head, err := rdb.StringForm(value)
		if err != nil || f.Bytes > len(value)-head {
			return nil, false
		}
		end := head + f.Bytes
		text := value[head:end:end]
		if f.IsInt || f.Compressed {
			from := len(c.bytes)
			if c.bytes, err = f.AppendText(c.bytes, text); err != nil {
				return nil, false
			}
			text = c.bytes[from:len(c.bytes):len(c.bytes)]
		}
		c.parts = append(c.parts, text)
		value = value[end:]
	}
	texts = c.parts
	if cap(c.parts) > keep {
		c.parts = nil
	}
	if cap(c.order) > keep {
		c.order = nil
	}
	return texts, len(value) == 0
}

// loadTexts gives the key a small collection of texts. False: it must be a big one, or two names are the same; then nothing has happened.
func (c *Call) loadTexts(in incoming, texts [][]byte, f packForm) bool {
	if len(texts)/f.each > f.most {
		return false
	}
	l := listpack.New(c.small)
	for _, text := range texts {
		if len(text) > f.longest {
			return false
		}
		l = l.Append(text)
	}
	if c.small = l[:0]; cap(l) > store.BlobMax {
		c.small = nil
	}
	if _, ok := l.Distinct(f.each); !ok || len(l) >= store.BlobMax {
		return false
	}
	c.DB.SetBlob(in.key, f.kind, l, in.expiryMS, c.NowMS)
	return true
}
