package engine

import (
	"fmt"
	"strconv"

	"larder/engine/lanes"
	"larder/engine/store"
	"larder/persistence/rdb"
)

// expectMax bounds the room that is made for keys because a file says that so many will come: it costs 8 bytes a key, and is given back where they do not.
const expectMax = 4 << 20

// loadBatch is how many keys are put into the store at once, so that the waits for memory overlap.
const loadBatch = 64

// loading takes in an RDB file, wherever its bytes come from, and puts its keys into the store: feed, then step until it wants more. It tells nobody of the
// keys: no events, no effects. It belongs to the node's loop.
type loading struct {
	p           *part
	scan        rdb.Scanner
	keep        func(db int, key []byte) bool // nil: all keys; else those for which it answers true are taken in
	noFunctions bool                          // libraries are left out
	keepDead    bool                          // keys whose time is over are taken in: of a primary's keys it says itself when they go

	queue []rdb.Entry // keys that were read and not yet put in
	big   *store.Big  // a large text on its way
	bigOf rdb.Entry   // its key, a copy of its own
	libs  map[string]*library
	lanes lanes.Table

	keys, dead int64             // that were put in, and that were left out because their time was over
	said       map[string]string // what the server that wrote the file says of itself
	lostBefore int               // the call's count of them when this began
	lost       int               // values of which something was left out that only other servers have
}

// newLoading begins. A file that is not loaded to its end must be given up with drop.
func (p *part) newLoading(keepDead bool) *loading {
	l := &loading{p: p, keepDead: keepDead, lostBefore: p.call.Lost, said: map[string]string{}, libs: p.scripts.copied()}
	l.scan.LargeMin = largeMin
	return l
}

// feed gives it the next bytes, when step has said that it wants them.
func (l *loading) feed(b []byte) { l.scan.Feed(b) }

// loadState is what a step comes to.
type loadState uint8

const (
	loadOn   loadState = iota // there is more to do: another step
	loadMore                  // all that was fed is in the store: feed it more
	loadDone                  // the file has ended; scan.Rest are the bytes behind it
)

// step puts in some keys, at most loadBatch. What an error leaves behind is a part of the file's keys.
func (l *loading) step() (loadState, error) {
	state := loadOn
	for state == loadOn && len(l.queue) < loadBatch {
		e, found, err := l.scan.Next()
		if err != nil {
			return loadOn, err
		}
		switch found {
		case rdb.Key:
			if l.wants(e) {
				l.queue = append(l.queue, *e)
			}
		case rdb.More:
			state = loadMore
		case rdb.End:
			state = loadDone
		default:
			if err = l.flush(); err == nil {
				err = l.take(e, found)
			}
			if err != nil {
				return loadOn, err
			}
		}
	}
	if err := l.flush(); err != nil {
		return loadOn, err
	}
	if state == loadDone {
		l.drop()
		l.lost = l.p.call.Lost - l.lostBefore
		if len(l.libs) > 0 {
			l.p.takeLibraries(l.libs)
		}
	}
	return state, nil
}

// flush puts the keys that were read into the store.
func (l *loading) flush() error {
	p, c := l.p, &l.p.call
	for i := range l.queue {
		e := &l.queue[i]
		if e.DB >= p.store.Databases() {
			return l.noDatabase(e)
		}
		p.store.DB(e.DB).Prepare(e.Key)
	}
	p.store.Fetch()
	db, index := c.DB, c.DBIndex
	defer func() {
		p.store.Forget()
		c.DB, c.DBIndex = db, index
		l.queue = l.queue[:0]
	}()
	for i := range l.queue {
		e := &l.queue[i]
		if l.leaves(e) {
			continue
		}
		c.DB, c.DBIndex = p.store.DB(e.DB), e.DB
		if err := c.Load(&e.Value); err != nil {
			return fmt.Errorf("RDB file, at offset %d: %w", e.Offset, err)
		}
		l.keys++
	}
	return nil
}

// wants tells whether a key is to be taken in.
func (l *loading) wants(e *rdb.Entry) bool { return l.keep == nil || l.keep(e.DB, e.Key) }

// leaves counts a key that is left out because its time is over.
func (l *loading) leaves(e *rdb.Entry) bool {
	dead := !l.keepDead && e.ExpiryMS != store.NoExpiry && e.ExpiryMS <= l.p.nowMS
	if dead {
		l.dead++
	}
	return dead
}

func (l *loading) noDatabase(e *rdb.Entry) error {
	return fmt.Errorf("RDB file, at offset %d: key %.64q is in database %d, and this node has %d: start it with databases set to more than %d",
		e.Offset, e.Key, e.DB, l.p.store.Databases(), e.DB)
}

// take takes in what is no key with its whole value.
func (l *loading) take(e *rdb.Entry, found rdb.State) error {
	switch found {
	case rdb.Aux:
		const names = 256 // that are kept
		if string(e.Key) == lanes.Aux {
			l.lane(e.Body)
			break
		}
		if len(l.said) < names {
			l.said[string(e.Key)] = string(e.Body)
		}
	case rdb.Function:
		if l.noFunctions {
			break
		}
		lib, wrong := l.p.makeLibrary(string(e.Body), l.libs)
		if wrong != "" {
			return fmt.Errorf("RDB file, at offset %d: a library of functions cannot be loaded: %s", e.Offset, wrong)
		}
		l.libs[lib.name] = lib
	case rdb.Sizes:
		if e.DB < l.p.store.Databases() {
			l.p.store.DB(e.DB).Expect(int(min(e.Keys, expectMax)))
		}
	case rdb.Begin:
		return l.begin(e)
	case rdb.Part:
		l.part(e)
	}
	return nil
}

// lane takes in what the file says of a numbered lane. What cannot be read is as if it were not there: then nobody is told that what ran has not.
func (l *loading) lane(text []byte) {
	m, ok := lanes.Parse(text)
	if !ok || m.Over {
		l.p.n.log.Warn("an RDB file says of a lane what is not to be understood here", "node", l.p.n.id)
		return
	}
	l.lanes.Obey(m)
}

// begin makes room for a large text.
func (l *loading) begin(e *rdb.Entry) error {
	if !l.wants(e) {
		return nil
	}
	if e.DB >= l.p.store.Databases() {
		return l.noDatabase(e)
	}
	const most = 4<<30 - 1<<20 // bytes that a value can have
	if e.Length > most {
		return fmt.Errorf("RDB file, at offset %d: key %.64q has a text of %s bytes, which is more than a value can have", e.Offset, e.Key, strconv.Itoa(e.Length))
	}
	l.bigOf = *e
	l.bigOf.Key = append([]byte(nil), e.Key...)
	if l.leaves(e) {
		return nil
	}
	l.big = l.p.store.NewBig(e.Length)
	return nil
}

// part puts a part of a large text where the store keeps it, and makes it the key's value when it is whole.
func (l *loading) part(e *rdb.Entry) {
	if l.big == nil {
		return
	}
	_, _ = l.big.Write(e.Body) // it has room for what was announced
	if e.Left > 0 {
		return
	}
	v := &l.bigOf
	db := l.p.store.DB(v.DB)
	db.SetBig(v.Key, l.big, store.FormAny, v.ExpiryMS, l.p.nowMS)
	l.big = nil
	l.keys++
}

// drop gives up what is on its way, and the room for what was to come.
func (l *loading) drop() {
	for i := range l.p.store.Databases() {
		l.p.store.DB(i).Expect(0)
	}
	if l.big != nil {
		l.big.Drop()
		l.big = nil
	}
}
