package commands

import (
	"larder/engine/sets"
	"larder/engine/store"
	"larder/protocol/encoding/intset"
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
)

func loadSet(c *Call, in incoming) bool {
	form := packForm{store.KindSet, 1, c.Limits.Set.Packed, c.Limits.Set.Value}
	switch in.t {
	case rdb.TypeSet:
		texts, ok := c.texts(in.value, form.each)
		return ok && c.loadMembers(in, texts, form)
	case rdb.TypeSetIntset:
		return c.loadInts(in)
	}
	if l, ok := c.pack(in.value, form); ok {
		c.DB.SetBlob(in.key, form.kind, l, in.expiryMS, c.NowMS)
		return true
	}
	text, ok := c.wholeString(in.value)
	if !ok || listpack.Validate(text) != nil {
		return false
	}
	var texts [][]byte
	l := listpack.List(text)
	for at := l.First(); at != 0; at = l.Next(at) {
		texts = append(texts, l.Get(at).Append(nil))
	}
	return len(texts) > 0 && c.fillSet(in, texts)
}

// loadMembers chooses the form of a set as Redis does that reads it member by member (Redis 7.2 rdb.c).
func (c *Call) loadMembers(in incoming, texts [][]byte, f packForm) bool {
	if len(texts) > c.Limits.Set.Ints {
		return c.fillSet(in, texts)
	}
	for _, text := range texts {
		if _, ok := store.ParseInt(text); !ok {
			return c.loadTexts(in, texts, f) || c.fillSet(in, texts)
		}
	}
	ints := intset.New(nil)
	for _, text := range texts {
		n, _ := store.ParseInt(text)
		added := false
		if ints, added = ints.Add(n); !added {
			return false
		}
	}
	if len(ints) >= store.BlobMax {
		return c.fillSet(in, texts)
	}
	c.DB.SetBlob(in.key, store.KindSetInt, ints, in.expiryMS, c.NowMS)
	return true
}

func (c *Call) loadInts(in incoming) bool {
	text, ok := c.wholeString(in.value)
	if !ok || intset.Validate(text) != nil {
		return false
	}
	ints := intset.Set(text)
	n := ints.Len()
	if n <= c.Limits.Set.Ints && len(ints) < store.BlobMax {
		if n > 0 {
			c.DB.SetBlob(in.key, store.KindSetInt, ints, in.expiryMS, c.NowMS)
		}
		return n > 0
	}
	texts := make([][]byte, n)
	for i := range texts {
		texts[i] = store.FormatInt(nil, ints.At(i))
	}
	return c.fillSet(in, texts)
}

func (c *Call) fillSet(in incoming, texts [][]byte) bool {
	return sets.Fill(c.Store, c.DB, in.key, texts, &c.order, in.expiryMS, c.NowMS)
}
