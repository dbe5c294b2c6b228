package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"larder/engine/store"
	"larder/persistence/rdb"
	"larder/protocol/command"
	"larder/protocol/encoding/crc64"
	form "larder/protocol/encoding/rdb"
)

// A node that serves takes in keys of an RDB file as RESTOREs, and large texts as SETs: in its own stream, so that its replicas and its journal need no copy of
// everything anew, and nobody is answered LOADING.

// Intake is what a serving node is to take in.
type Intake struct {
	In        io.Reader // an RDB file. It is read on the caller's goroutine, and must end when ctx does
	Functions bool      // its libraries too; those of other names stay
	Taken     int64     // keys; this and what follows is to be read when it has ended
	Expired   int64     // keys that were left out because their time was over
}

// intake is one under way. It is the loop's, but for the pieces.
type intake struct {
	*errand
	of     *Intake
	scan   rdb.Scanner
	pieces chan []byte // closed at the end
	spare  chan []byte

	big     *store.Big // a large text on its way
	bigOf   rdb.Entry  // its key, a copy of its own
	args    [][]byte
	numbers []byte
	payload []byte
}

var (
	rowSet      = command.Lookup([]byte("SET"))
	wordRestore = []byte("RESTORE")
	wordSet     = []byte("SET")
	wordPXAT    = []byte("PXAT")
	wordAbsTTL  = []byte("ABSTTL")
	wordReplace = []byte("REPLACE")
	wordIdle    = []byte("IDLETIME")
	wordFreq    = []byte("FREQ")
)

// Intake takes in a file's keys, in place of what they have there, while commands go on, and returns when all are there. What an error leaves is a part of them.
// In may fail at its end: then some of what it gave is there.
func (n *Node) Intake(ctx context.Context, of *Intake) error {
	t := &intake{errand: &errand{}, of: of, pieces: make(chan []byte, piecesMax), spare: make(chan []byte, piecesMax)}
	t.step, t.close = t.next, t.drop
	t.scan.LargeMin = largeMin
	return n.errand(ctx, t.errand, func(*part) error { return nil }, func(*errand) error { return t.read(ctx, n) })
}

// read gives the loop what comes.
func (t *intake) read(ctx context.Context, n *Node) error {
	l := n.loop.Load()
	err := readPieces(t.of.In, t.spare, func(piece []byte) bool {
		select {
		case t.pieces <- piece:
			l.Post(t.arm)
			return true
		case <-t.done:
		case <-n.ended:
		case <-ctx.Done():
		}
		return false
	})
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	close(t.pieces) // nobody looks where the errand is over
	l.Post(t.arm)
	return nil
}

// next takes in a key, or what else comes next.
func (t *intake) next() (errandState, error) {
	e, found, err := t.scan.Next()
	if err != nil {
		return errandOn, err
	}
	switch found {
	case rdb.More, rdb.End:
		return t.feed(found == rdb.End)
	case rdb.Key:
		return errandOn, t.restore(e)
	case rdb.Begin:
		return errandOn, t.begin(e)
	case rdb.Part:
		return errandOn, t.part(e)
	case rdb.Function:
		return errandOn, t.function(string(e.Body))
	}
	return errandOn, nil
}

// feed gives the scanner what has come. What comes behind the file's end is read to its own end, where the source says whether all was right.
func (t *intake) feed(ended bool) (errandState, error) {
	select {
	case piece, more := <-t.pieces:
		switch {
		case !more && ended:
			return errandDone, nil
		case !more:
			return errandOn, t.scan.Ended()
		case !ended:
			t.scan.Feed(piece)
		}
		select {
		case t.spare <- piece[:cap(piece)]:
		default:
		}
		return errandOn, nil
	default:
		return errandWaits, nil
	}
}

// leaves tells whether a key is left out, and goes to its database.
func (t *intake) leaves(e *rdb.Entry, bytes int) (bool, error) {
	p := t.p
	if e.DB >= p.store.Databases() {
		return true, fmt.Errorf("key %.64q is in database %d, and this node has %d", e.Key, e.DB, p.store.Databases())
	}
	if e.ExpiryMS != store.NoExpiry && e.ExpiryMS <= p.nowMS {
		t.of.Expired++
		return true, nil
	}
	t.s.useDB(e.DB)
	if p.set.maxMemory > 0 && !p.makeRoom(len(e.Key)+bytes) {
		return true, fmt.Errorf("key %.64q has no room: maxmemory is %d bytes, and its policy lets nothing go", e.Key, p.set.maxMemory)
	}
	return false, nil
}

// restore gives a key its value.
func (t *intake) restore(e *rdb.Entry) error {
	if leaves, err := t.leaves(e, len(e.Body)); leaves {
		return err
	}
	t.numbers = strconv.AppendInt(t.numbers[:0], e.ExpiryMS, 10)
	at := len(t.numbers)
	t.args = append(t.args[:0], wordRestore, e.Key, nil, t.asPayload(e), wordReplace, wordAbsTTL)
	switch {
	case e.IdleS >= 0:
		t.numbers = strconv.AppendInt(t.numbers, e.IdleS, 10)
		t.args = append(t.args, wordIdle, t.numbers[at:])
	case e.Freq >= 0:
		t.numbers = strconv.AppendInt(t.numbers, int64(e.Freq), 10)
		t.args = append(t.args, wordFreq, t.numbers[at:])
	}
	t.args[2] = t.numbers[:at]
	c := &t.p.call
	sum, bulkMax := c.AnySum, c.BulkMax
	c.AnySum, c.Obeys, c.BulkMax = true, true, math.MaxInt32 // forms of other servers are read too, of any length
	wrong := t.run(rowRestore, t.args)
	c.AnySum, c.Obeys, c.BulkMax = sum, false, bulkMax
	if wrong != "" {
		return fmt.Errorf("key %.64q of type %d in database %d: %s", e.Key, e.Type, e.DB, wrong)
	}
	t.of.Taken++
	return nil
}

// asPayload is a value as DUMP gives it. Its sum is only made where replicas or the journal read it.
func (t *intake) asPayload(e *rdb.Entry) []byte {
	const first72, first7 = 11, form.Version // the versions that the newer types came with, and the older ones
	version, _ := t.scan.Version()
	switch {
	case e.Type <= form.TypeStream2:
		version = first7
	default:
		version = max(version, first72)
	}
	b := append(append(t.payload[:0], e.Type.Byte()), e.Body...)
	b = binary.LittleEndian.AppendUint16(b, uint16(version))
	sum := uint64(0)
	if t.p.streaming() {
		sum = crc64.Update(0, b)
	}
	b = binary.LittleEndian.AppendUint64(b, sum)
	const keep = 1 << 20
	if t.payload = b; cap(b) > keep {
		t.payload = nil
	}
	return b
}

// begin makes room for a large text.
func (t *intake) begin(e *rdb.Entry) error {
	if e.Length > math.MaxInt32 {
		return fmt.Errorf("key %.64q has a text of %d bytes, which is more than a value can have", e.Key, e.Length)
	}
	leaves, err := t.leaves(e, e.Length)
	if err != nil || leaves {
		return err
	}
	t.bigOf = *e
	t.bigOf.Key = append([]byte(nil), e.Key...)
	t.big = t.p.store.NewBig(e.Length)
	return nil
}

// part takes in a part of it, and sets the key when it is whole.
func (t *intake) part(e *rdb.Entry) error {
	if t.big == nil {
		return nil
	}
	_, _ = t.big.Write(e.Body) // it has room for what was announced
	if e.Left > 0 {
		return nil
	}
	p, v := t.p, &t.bigOf
	t.s.useDB(v.DB)
	t.args = append(t.args[:0], wordSet, v.Key, t.big.Bytes())
	if v.ExpiryMS != store.NoExpiry {
		t.numbers = strconv.AppendInt(t.numbers[:0], v.ExpiryMS, 10)
		t.args = append(t.args, wordPXAT, t.numbers)
	}
	p.batch.owned, p.batch.big = 2, t.big
	p.call.Obeys = true // its time may be over by now: it goes by age
	wrong := t.run(rowSet, t.args)
	p.call.Obeys = false
	t.big = p.batch.big
	p.batch.owned, p.batch.big = 0, nil
	t.drop()
	if wrong != "" {
		return fmt.Errorf("key %.64q in database %d: %s", v.Key, v.DB, wrong)
	}
	t.of.Taken++
	return nil
}

func (t *intake) drop() {
	if t.big != nil {
		t.big.Drop()
		t.big = nil
	}
}

// function takes in a library, unless it is there.
func (t *intake) function(code string) error {
	if !t.of.Functions {
		return nil
	}
	name, _, _ := header(code)
	if have := t.p.scripts.libraries[name]; have != nil && have.code == code {
		return nil
	}
	args := [][]byte{[]byte("FUNCTION"), []byte("LOAD"), wordReplace, []byte(code)}
	if wrong := t.run(find(args), args); wrong != "" {
		return errors.New("a library of functions cannot be loaded: " + wrong)
	}
	return nil
}
