package store

import (
	"math"

	"larder/engine/store/tree"
)

// A big collection is an object: one or two trees, and what its type keeps beside them. Its item has a handle as a long value has, and the handle refers
// to a run that stands for the object. While the object belongs to one item and no snapshot wants that item it is changed in place; else EditObject makes
// a copy, which shares what is not changed.

// Meta is what a type keeps beside its trees.
type Meta interface {
	// Clone makes a copy that changes independently.
	Clone() Meta
	// Bytes is about what it takes.
	Bytes() int64
}

// Object is a big collection.
type Object struct {
	Trees [2]*tree.Tree // as many as its type has orders for; the second may be empty for good
	Meta  Meta          // nil for most types; set after NewObject

	dueMS   int64 // when Options.Due is to be told of its key; 0: never
	account tree.Account
	beside  int64 // what of the account's bytes is the object itself and its Meta
	parted  bool  // it shares pages with one that was copied from it
}

// objectBytes is what an object takes besides its pages, about.
const objectBytes = 256

// objectOrder stands in a run that is an object; its place is then the object's number.
const objectOrder = -1

// Big tells whether the value is an object.
func (k Kind) Big() bool { return k.handled() && k != kindBig }

// handled tells whether the item has a handle.
func (k Kind) handled() bool {
	const mask = 1<<kindBig | 1<<KindHashBig | 1<<KindListBig | 1<<KindSetBig | 1<<KindZSetBig | 1<<KindStreamBig
	return mask>>k&1 != 0
}

// newObject makes an object's run, with one reference.
func (s *Store) newObject(o *Object) uint32 {
	b := &s.bigs
	var at uint32
	if k := len(b.spareObjects); k > 0 {
		at, b.spareObjects = b.spareObjects[k-1], b.spareObjects[:k-1]
	} else {
		at = uint32(len(b.objects))
		b.objects = append(b.objects, nil)
	}
	b.objects[at] = o
	number := s.spareRun()
	b.runs[number] = run{at: uint64(at), refs: 1, order: objectOrder}
	return number
}

func (s *Store) objectOf(number uint32) *Object { return s.bigs.objects[s.bigs.runs[number].at] }

// weigh counts what the object takes beside its trees.
func (s *Store) weigh(o *Object) {
	n := int64(objectBytes)
	if o.Meta != nil {
		n += o.Meta.Bytes()
	}
	if n != o.beside {
		o.account.Add(n - o.beside)
		s.bigs.beside += n - o.beside
		o.beside = n
	}
}

// NewObject gives key an empty object of a kind that is Big and an expiry as Set does; what was there is replaced. An object is for changing until the
// next call that may change the store.
func (d *DB) NewObject(key []byte, kind Kind, orders [2]tree.Order, expiryMS, now int64) *Object {
	o := d.store.NewDraft(orders)
	d.KeepDraft(key, kind, o, expiryMS, now)
	return o
}

// NewDraft makes an object that has no key yet. Filling it leaves all views alive, so that it can be made of other collections. It must end with KeepDraft
// or DropDraft, before any other call that may change the store.
func (s *Store) NewDraft(orders [2]tree.Order) *Object {
	o := &Object{}
	for i := range o.Trees {
		o.Trees[i] = tree.New(s.trees, orders[i], &o.account)
	}
	s.weigh(o)
	return o
}

// KeepDraft gives key an object as NewObject does.
func (d *DB) KeepDraft(key []byte, kind Kind, o *Object, expiryMS, now int64) {
	s := d.store
	s.debt += d.put(d.probe(key), key, content{kind: kind, run: s.newObject(o)}, expiryMS, now)
	d.charge(o, key)
}

// DropDraft gives an object up that got no key.
func (s *Store) DropDraft(o *Object) {
	s.bigs.beside -= o.beside
	for _, t := range o.Trees {
		t.Drop()
	}
}

// charge sees that what the object of a key grows and shrinks by is counted.
func (d *DB) charge(o *Object, key []byte) {
	o.account.Sums = [2]*int64{d.bigBytes, nil}
	if d.store.prefixes.on() {
		o.account.Sums[1] = d.tallyBytes(key)
	}
}

// Arm has Options.Due be told of a key at a time, in milliseconds since 1970, or soon after: when something inside its object comes to an end. o is the
// object of the key, for changing; the time replaces the one that was said before. 0: it is not told.
func (d *DB) Arm(key []byte, o *Object, atMS, now int64) {
	old := o.dueMS
	o.dueMS = atMS
	if atMS != 0 && (old == 0 || old <= now || atMS < old) {
		d.arm(d.probe(key), atMS, now)
	}
}

// Bytes is about what the object takes; what it shares counts in full.
func (o *Object) Bytes() int64 { return o.account.Bytes }

// Armed is the time that Arm said last, 0 if none.
func (o *Object) Armed() int64 { return o.dueMS }

// firesAt is when the wheel is to look at an item: when it dies or something inside it ends; math.MaxInt64 = never.
func (s *Store) firesAt(h *shape) int64 {
	at := int64(math.MaxInt64)
	if expiry := s.expiryOf(h); expiry != NoExpiry {
		at = expiry
	}
	if due := s.dueOf(h); due != 0 {
		at = min(at, due)
	}
	return at
}

// dueOf is when something inside an item ends, 0 = never.
func (s *Store) dueOf(h *shape) int64 {
	if !h.kind().Big() {
		return 0
	}
	return s.objectOf(s.runOf(h)).dueMS
}

// Object gives the object of an item whose kind is Big, to be read only: one that Snapshot.Next emits is as it was when the snapshot began.
func (it Item) Object() *Object {
	s := it.d.store
	return s.objectOf(s.runOf(&it.h))
}

// EditObject gives the object of an item to be changed, until the next call that may change the store. It is to be called before each command's changes:
// it makes a copy where a snapshot, a copy of the key or a reader needs the object as it is. Another EditObject ends nothing.
func (d *DB) EditObject(it Item) *Object {
	const editDebt = 128 // bytes of work in slices
	s := d.store
	h := it.h
	if first := s.mem.U32(h.at); first&flagHeld != 0 || Kind(first&kindMask) == kindDead { // it was moved by an EditObject before
		_, h = d.find(s.probeOf(it.Key()), it.Key())
	}
	if s.frozen(h.at) {
		d.rewrite(&h, s.probeOf(it.Key()), h.first&flagExpiry != 0, s.lifeOf(&h))
	}
	number := s.runOf(&h)
	o := s.objectOf(number)
	if s.bigs.runs[number].refs > 1 {
		o = s.part(o, number)
		s.rebind(s.handleOf(&h), s.newObject(o))
	}
	d.charge(o, s.keyBytes(&h))
	s.weigh(o)
	s.debt += editDebt
	s.limitKept()
	return o
}

// rebind makes a handle that of another run, whose reference it takes over.
func (s *Store) rebind(n, number uint32) {
	h := &s.bigs.handles[n]
	old := h.run
	h.run = number
	s.dropRun(old)
}

// part makes a copy of an object that others than the item to be changed have too. If those are snapshots alone, what the copy lets go of is kept for them.
func (s *Store) part(o *Object, number uint32) *Object {
	c := o.clone()
	s.bigs.beside += c.beside
	o.parted = true
	r := &s.bigs.runs[number]
	for i := range c.Trees {
		c.Trees[i].Lose(r.held == r.refs-1)
		o.Trees[i].Lose(false) // the copy may be one that clients see
	}
	return c
}

func (o *Object) clone() *Object {
	c := &Object{beside: o.beside, dueMS: o.dueMS}
	c.account.Bytes = o.beside
	for i, t := range o.Trees {
		c.Trees[i] = t.Clone(&c.account)
	}
	if o.Meta != nil {
		c.Meta = o.Meta.Clone()
	}
	return c
}

// dropObject gives up an object that nobody refers to.
func (s *Store) dropObject(number uint32) {
	b := &s.bigs
	at := uint32(b.runs[number].at)
	s.DropDraft(b.objects[at])
	b.objects[at] = nil
	b.spareObjects = append(b.spareObjects, at)
	b.spareRuns = append(b.spareRuns, number)
}

// ObjectPin keeps an object as it is, whatever becomes of its key, so that it can be read in pieces.
type ObjectPin struct {
	s   *Store
	run uint32
}

// PinObject pins the object of an item whose kind is Big.
func (it Item) PinObject() ObjectPin {
	s := it.d.store
	p := ObjectPin{s: s, run: s.runOf(&it.h)}
	s.addRef(p.run, 0)
	return p
}

// Object gives the object, to be read only until Unpin.
func (p ObjectPin) Object() *Object { return p.s.objectOf(p.run) }

// Unpin ends the pin; it is to be called once, on the store's goroutine.
func (p ObjectPin) Unpin() { p.s.dropRun(p.run) }

// forest is what the store's trees lie in.
type forest struct{ s *Store }

// treeClasses are the classes of blocks of tree.Sizes; those behind them are the slabs'.
var treeClasses = [blockClasses]uint8{0, 1, 5, 2, 6, 7, 3, 8, 9, 10, 4, 11, 12, 13}

func (f forest) Get(class int) uint64 {
	if class >= blockClasses {
		return f.s.slabs.get(class - blockClasses)
	}
	return f.s.blocks.get(int(treeClasses[class]))
}

func (f forest) Put(at uint64, class int) {
	if class >= blockClasses {
		f.s.slabs.put(at, class-blockClasses)
		return
	}
	f.s.blocks.put(at, int(treeClasses[class]))
}

func (f forest) NewRun(n int) uint32        { return f.s.newRun(n) }
func (f forest) RunBytes(run uint32) []byte { return f.s.runBytes(run) }
func (f forest) ShareRun(run uint32)        { f.s.addRef(run, 0) }

func (f forest) LoseRun(run uint32) { f.s.loseRun(run) }

func (f forest) DropRun(run uint32, lost bool) {
	if lost && f.s.bigs.runs[run].refs > 1 {
		f.s.loseRun(run)
	}
	f.s.dropRun(run)
}
