package hashes

import (
	"bytes"
	"encoding/binary"

	"larder/engine/store"
	"larder/engine/store/tree"
)

// The trees of a big hash.
const (
	fields = 0 // every field: an entry is
	//	head    uvarint  the name's length, and in the lowest bit whether there is an expiry
	//	expiry  u64 LE   milliseconds since 1970, if there is one
	//	name, value
	dues = 1 // fields that expire: an entry is
	//	expiry  u64 LE
	//	name
)

const expiryBytes = 8

// field is an entry of the first tree, taken apart; the texts are views.
type field struct {
	name, value []byte
	expiryMS    int64
}

// dead tells whether the field's time has come.
func (f *field) dead(now int64) bool { return f.expiryMS != store.NoExpiry && f.expiryMS <= now }

func fieldOf(entry []byte) (f field) {
	head, n := headOf(entry)
	at := n
	if head&1 != 0 {
		f.expiryMS = int64(binary.LittleEndian.Uint64(entry[at:]))
		at += expiryBytes
	}
	end := at + int(head>>1)
	f.name, f.value = entry[at:end:end], entry[end:]
	return f
}

// headOf is binary.Uvarint with a short way for names under 64 bytes.
func headOf(entry []byte) (head uint64, n int) {
	if entry[0] < 0x80 {
		return uint64(entry[0]), 1
	}
	return binary.Uvarint(entry)
}

func nameOf(entry []byte) []byte {
	head, at := headOf(entry)
	if head&1 != 0 {
		at += expiryBytes
	}
	return entry[at : at+int(head>>1)]
}

// appendField makes an entry of the first tree.
func appendField(dst []byte, f field) []byte {
	head := uint64(len(f.name)) << 1
	if f.expiryMS == store.NoExpiry {
		dst = binary.AppendUvarint(dst, head)
	} else {
		dst = binary.AppendUvarint(dst, head|1)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(f.expiryMS))
	}
	dst = append(dst, f.name...)
	return append(dst, f.value...)
}

// appendDue makes an entry of the second tree.
func appendDue(dst, name []byte, expiryMS int64) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(expiryMS))
	return append(dst, name...)
}

func dueOf(entry []byte) (name []byte, expiryMS int64) {
	return entry[expiryBytes:], int64(binary.LittleEndian.Uint64(entry))
}

// orders are those of a big hash's trees.
func orders(s *store.Store) [2]tree.Order {
	return [2]tree.Order{
		fields: {Word: func(entry []byte) uint64 { return s.Hash(nameOf(entry)) }, Even: true},
		dues:   {Word: binary.LittleEndian.Uint64},
	}
}

// seek finds a name in the first tree.
func seek(s *store.Store, t *tree.Tree, name []byte) (tree.Cursor, bool) {
	return s.SeekHash(t, name, func(entry []byte) int { return bytes.Compare(nameOf(entry), name) })
}

// seekDue finds a field in the second tree.
func seekDue(t *tree.Tree, name []byte, expiryMS int64) (tree.Cursor, bool) {
	return t.Seek(uint64(expiryMS), func(entry []byte) int { return bytes.Compare(entry[expiryBytes:], name) })
}

// before finds the first of all entries with a word.
func before([]byte) int { return 1 }
