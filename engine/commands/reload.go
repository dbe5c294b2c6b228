package commands

import (
	"larder/engine/store"
	"larder/protocol/encoding/rdb"
)

// Reload writes every key as DUMP does and loads what was written in its place: afterwards the keyspace is what a server is that has read its file. It
// gives the first key that could not be loaded, which is left as it was, as are those behind it; nil if all could.
//
// It takes no more memory than the largest value and the keys of a slot group, and it runs in one go.
func (c *Call) Reload() (failed []byte) {
	db, index := c.DB, c.DBIndex
	defer func() { c.DB, c.DBIndex = db, index }()
	for i := range c.Store.Databases() {
		c.DB, c.DBIndex = c.Store.DB(i), i
		for g := c.DB.NextGroup(0); g < store.Groups; g = c.DB.NextGroup(g + 1) {
			for _, key := range c.keysOf(g) {
				if !c.reload(key) {
					return key
				}
			}
		}
	}
	return nil
}

// keysOf copies a group's keys.
func (c *Call) keysOf(group int) (keys [][]byte) {
	for cursor := uint64(0); ; {
		cursor = c.DB.Scan(group, cursor, c.NowMS, func(it store.Item) { keys = append(keys, append([]byte(nil), it.Key()...)) })
		if cursor == 0 {
			return keys
		}
	}
}

// reload does one key. How long it was not looked at, and how often it was, stay with it, as they do in a file.
func (c *Call) reload(key []byte) bool {
	it, found := c.DB.Peek(key, c.NowMS)
	if !found || it.Words() != (store.Words{}) { // what memcached keeps beside a value is not in Redis's format
		return true
	}
	idleMS, freq := it.IdleMS(c.NowMS), it.Freq()
	payload := c.appendValue(nil, it)
	in := incoming{t: rdb.Type(payload[0]), value: payload[1:], key: key, expiryMS: it.ExpiryMS()}
	load := loaderOf(in.t)
	if load == nil || !load(c, in) {
		return false
	}
	c.trim()
	if it, found = c.DB.Peek(key, c.NowMS); found { // else its time has just come
		it.SetIdle(idleMS/1000, c.NowMS)
		it.SetFreq(int64(freq))
	}
	return true
}
