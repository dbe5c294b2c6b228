package store_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"larder/engine/store"
	"larder/engine/store/tree"

	"pgregory.net/rapid"
)

// objectMark begins the model's text of an object; the elements follow, each behind a bar.
const objectMark = "object"

// byBytes is the order of entries by their bytes.
var byBytes = tree.Order{Word: func(entry []byte) uint64 {
	var b [8]byte
	copy(b[:], entry)
	return binary.BigEndian.Uint64(b[:])
}}

// textOf gives what the model keeps of an item: of an object's first tree, a list, the elements in order. The second tree must have the same ones sorted.
func textOf(it store.Item) string {
	if !it.Kind().Big() {
		return string(it.Text(make([]byte, 20)))
	}
	return objectText(it.Object())
}

func objectText(o *store.Object) string {
	text := objectMark
	var list []string
	for c := o.Trees[0].At(0); c.Valid(); c.Next() {
		list = append(list, string(c.Entry()))
		text += "|" + string(c.Entry())
	}
	slices.Sort(list)
	i := 0
	for c := o.Trees[1].At(0); c.Valid(); c.Next() {
		if i >= len(list) || list[i] != string(c.Entry()) {
			return "the two trees differ"
		}
		i++
	}
	if i != len(list) || i != o.Trees[1].Len() || i != o.Trees[0].Len() {
		return "the two trees have different lengths"
	}
	if o.Meta != nil {
		return fmt.Sprint(text, "|", *o.Meta.(*note))
	}
	return text
}

// note is a Meta: a number that must be copied where the object is.
type note int

func (n *note) Clone() store.Meta { m := *n; return &m }
func (n *note) Bytes() int64      { return int64(*n) }

func seekBytes(t *tree.Tree, entry []byte) (tree.Cursor, bool) {
	return t.Seek(byBytes.Word(entry), func(e []byte) int { return bytes.Compare(e, entry) })
}

// Object makes an object.
func (k *machine) Object(t *rapid.T) {
	db, key := k.draw(t)
	kind := rapid.SampledFrom([]store.Kind{store.KindHashBig, store.KindListBig, store.KindSetBig, store.KindZSetBig, store.KindStreamBig}).Draw(t, "kind")
	expiry := rapid.SampledFrom([]int64{store.NoExpiry, store.KeepExpiry, k.m.now + 1, k.m.now + 100000}).Draw(t, "expiry")
	old, _ := k.m.get(db, key)
	if expiry == store.KeepExpiry {
		defer func() { e := k.m.dbs[db][key]; e.expiry = old.expiry; k.m.dbs[db][key] = e }()
	}
	o := k.s.DB(db).NewObject([]byte(key), kind, [2]tree.Order{{}, byBytes}, expiry, k.m.now)
	if kind == store.KindStreamBig {
		o.Meta = new(note)
	}
	k.change(t, o)
	it, _ := k.s.DB(db).Peek([]byte(key), k.m.now)
	k.m.dbs[db][key] = entry{objectText(o), it.Encoding(), max(expiry, 0)}
}

// Edit changes an object, or reads it, or pins it.
func (k *machine) Edit(t *rapid.T) {
	db, key := k.draw(t)
	it, ok := k.s.DB(db).Lookup([]byte(key), k.m.now)
	if !ok || !it.Kind().Big() {
		return
	}
	if len(k.reads) > 3 {
		k.reads[0].pin.Unpin()
		k.reads = k.reads[1:]
	}
	if rapid.IntRange(0, 5).Draw(t, "pin") == 0 {
		k.reads = append(k.reads, pinnedObject{it.PinObject(), objectText(it.Object())})
	}
	for range rapid.IntRange(1, 2).Draw(t, "edits") {
		o := k.s.DB(db).EditObject(it)
		k.change(t, o)
		e := k.m.dbs[db][key]
		e.text = objectText(o)
		k.m.dbs[db][key] = e
	}
}

type pinnedObject struct {
	pin  store.ObjectPin
	text string
}

func (k *machine) checkPins(t *rapid.T) {
	for _, p := range k.pins {
		if string(p.pin.Bytes()) != p.text {
			t.Fatal("a pinned text changed")
		}
	}
	for _, p := range k.reads {
		if objectText(p.pin.Object()) != p.text {
			t.Fatal("a pinned object changed")
		}
	}
}

// change changes both trees of an object in the same way, against a slice.
func (k *machine) change(t *rapid.T, o *store.Object) {
	list := strings.Split(objectText(o), "|")[1:]
	if o.Meta != nil {
		list = list[:len(list)-1]
		*o.Meta.(*note)++
	}
	for range rapid.IntRange(1, 20).Draw(t, "changes") {
		at := rapid.IntRange(0, len(list)).Draw(t, "at")
		text := strings.Repeat(rapid.StringN(1, 3, 12).Draw(t, "element"), rapid.SampledFrom([]int{1, 5, 50, 1000}).Draw(t, "times"))
		text = strings.ReplaceAll(text, "|", "/")
		switch rapid.IntRange(0, 4).Draw(t, "change") {
		case 0:
			if at == len(list) {
				continue
			}
			o.Trees[0].Delete(o.Trees[0].At(at))
			c, _ := seekBytes(o.Trees[1], []byte(list[at]))
			o.Trees[1].Delete(c)
			list = slices.Delete(list, at, at+1)
		case 1:
			if at == len(list) {
				continue
			}
			o.Trees[0].Replace(o.Trees[0].At(at), []byte(text))
			c, _ := seekBytes(o.Trees[1], []byte(list[at]))
			o.Trees[1].Delete(c)
			c, _ = seekBytes(o.Trees[1], []byte(text))
			o.Trees[1].Insert(c, []byte(text))
			list[at] = text
		default:
			o.Trees[0].Insert(o.Trees[0].At(at), []byte(text))
			c, _ := seekBytes(o.Trees[1], []byte(text))
			o.Trees[1].Insert(c, []byte(text))
			list = slices.Insert(list, at, text)
		}
	}
	got := strings.Split(objectText(o), "|")[1:]
	if o.Meta != nil {
		got = got[:len(got)-1]
	}
	if !slices.Equal(got, list) {
		t.Fatalf("an object has %d elements, want %d", len(got), len(list))
	}
}

// TestObjects goes once through what can become of an object.
func TestObjects(t *testing.T) {
	s := open(t, 3)
	d := s.DB(0)
	key := []byte("k")
	o := d.NewObject(key, store.KindListBig, [2]tree.Order{}, 5000, 1)
	const n = 1000
	for i := range n {
		o.Trees[0].Append(fmt.Appendf(nil, "%d", i))
	}
	it, ok := d.Lookup(key, 1)
	if !ok || it.Kind() != store.KindListBig || it.ExpiryMS() != 5000 || it.Object().Trees[0].Len() != n || it.Size() < n {
		t.Fatalf("%v: %v until %d, %d bytes", ok, it.Kind(), it.ExpiryMS(), it.Size())
	}
	if !d.Transfer(key, s.DB(1), key, true, 1) {
		t.Fatal("not copied")
	}
	it, _ = d.Lookup(key, 1)
	d.EditObject(it).Trees[0].DeleteRange(0, n/2)
	copied, _ := s.DB(1).Lookup(key, 1)
	it, _ = d.Lookup(key, 1)
	if it.Object().Trees[0].Len() != n/2 || copied.Object().Trees[0].Len() != n {
		t.Errorf("%d and %d elements", it.Object().Trees[0].Len(), copied.Object().Trees[0].Len())
	}
	d.Set(key, []byte("text"), store.FormAny, store.KeepExpiry, 1)
	s.DB(1).Delete(key, 1)
	if n := s.DB(1).Memory(); n > 64<<10 {
		t.Errorf("%d bytes in an empty database", n)
	}
}
