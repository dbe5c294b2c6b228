package lanes

import "bytes"

// Most is how many lanes a table is to have. A node that would get more forgets some; one that is told of more by its primary has them.
const Most = 16384

// Lane is what is known of one.
type Lane struct {
	ID     string
	Number uint64 // up to this one all of its requests have run; none behind it has changed anything
	LeftMS int64  // since when it is known to have no connection, milliseconds since 1970; 0: it may have one
	name   []byte
	at     int // its place in the table
}

// Mark is what is to be told of the lane.
func (l *Lane) Mark() Mark { return Mark{ID: l.name, Number: l.Number} }

// Table is the lanes that a node's data know of. The zero Table is empty. Tables that were told the same have the same order.
type Table struct {
	byID map[string]*Lane
	all  []*Lane
}

// Get is a lane, nil if nothing is known of it.
func (t *Table) Get(id []byte) *Lane { return t.byID[string(id)] }

// Len is how many there are.
func (t *Table) Len() int { return len(t.all) }

// All are the lanes; the slice is the table's.
func (t *Table) All() []*Lane { return t.all }

// Obey does what a mark says, and gives its lane, nil if it is over. What has run stays so: a lower number than the known one says nothing new.
func (t *Table) Obey(m Mark) *Lane {
	l := t.byID[string(m.ID)]
	switch {
	case m.Over && l != nil:
		t.forget(l)
		return nil
	case m.Over:
		return nil
	case l == nil:
		l = t.add(m.ID)
	}
	l.Number = max(l.Number, m.Number)
	return l
}

func (t *Table) add(id []byte) *Lane {
	if t.byID == nil {
		t.byID = map[string]*Lane{}
	}
	l := &Lane{ID: string(id), name: bytes.Clone(id), at: len(t.all)}
	t.byID[l.ID] = l
	t.all = append(t.all, l)
	return l
}

func (t *Table) forget(l *Lane) {
	last := t.all[len(t.all)-1]
	t.all[l.at], last.at = last, l.at
	t.all[len(t.all)-1] = nil
	t.all = t.all[:len(t.all)-1]
	delete(t.byID, l.ID)
}

// Oldest is the lane that has been without a connection for longest, nil if none is known to be.
func (t *Table) Oldest() (oldest *Lane) {
	for _, l := range t.all {
		if l.LeftMS != 0 && (oldest == nil || l.LeftMS < oldest.LeftMS) {
			oldest = l
		}
	}
	return oldest
}
