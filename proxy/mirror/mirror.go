// Package mirror copies a share of a gateway's traffic to a second cluster, the shadow, and compares what the two answer: whoever wants to move to a new cache
// sees beforehand what it does with his own commands, at no risk.
//
// What must hold: the gateway's loops never wait for the shadow. A loop's Feed copies a command and its reply when that has come, into memory that is bounded; where
// there is no room the command is dropped, counted, and what is known of its keys is forgotten. All the rest is done by the one goroutine of Run: it says the
// commands to the shadow in the order in which the loops handed them over, compares, and keeps the books. A difference is reported only if it is one for sure: of a key of which
// it is known that both sides had the same before, whose writes came in an order that is beyond doubt, and which both sides, asked again in a quiet moment, still
// answer differently.
package mirror

import (
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"larder/backends"
	"larder/protocol/command"
	"larder/router"
)

// Options are the mirror's settings.
type Options struct {
	Target     string // host:port of the shadow: a gateway's endpoint, or a node
	TargetAuth backends.Auth
	SourceAuth backends.Auth
	Share      float64 // of the slots whose keys are mirrored: more than 0, at most 1
	Filled     bool    // the shadow has the source's data already

	QueueBytes int64         // commands and replies that wait to be said to the shadow; beyond it commands are dropped
	QueueCount int64         // and how many of them
	KeysMax    int           // keys of which something is remembered
	DoubtsMax  int           // keys that wait to be asked for again
	Timeout    time.Duration // a shadow, or a source, that answers a question no sooner is given up
	Quiet      time.Duration // a key must not have been written for so long before both sides are asked for it
	Tolerance  time.Duration // by which expiries may differ
	GiveUp     time.Duration // a key in doubt that is never quiet is left undecided after so long
}

// DefaultOptions mirrors everything.
func DefaultOptions() Options {
	return Options{
		Share: 1, QueueBytes: 64 << 20, QueueCount: 100_000, KeysMax: 1_000_000, DoubtsMax: 10_000,
		Timeout: 2 * time.Second, Quiet: 300 * time.Millisecond, Tolerance: 1500 * time.Millisecond, GiveUp: time.Minute,
	}
}

// ParseShare reads a share as people write it: 10% or 0.1.
func ParseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	if err != nil || !(share > 0 && share <= 1) {
		return 0, fmt.Errorf("share %q: must be more than 0 and at most 100%%", text)
	}
	return share, nil
}

// Validate names the first field that cannot work.
func (o Options) Validate() error {
	if o.Target == "" {
		return errors.New("no shadow: say its address")
	}
	if !(o.Share > 0 && o.Share <= 1) {
		return fmt.Errorf("share is %v: must be more than 0 and at most 1", o.Share)
	}
	for _, f := range []struct {
		name       string
		value, min int64
	}{
		{"queue bytes", o.QueueBytes, 1 << 20},
		{"queue count", o.QueueCount, 100},
		{"keys max", int64(o.KeysMax), 1000},
		{"doubts max", int64(o.DoubtsMax), 10},
		{"timeout", int64(o.Timeout), int64(10 * time.Millisecond)},
		{"quiet", int64(o.Quiet), int64(time.Millisecond)},
		{"tolerance", int64(o.Tolerance), 0},
		{"give up", int64(o.GiveUp), int64(time.Second)},
	} {
		if f.value < f.min {
			return fmt.Errorf("%s is %d: must be at least %d", f.name, f.value, f.min)
		}
	}
	return nil
}

// Mirror is one shadow of one gateway. Feed, Report and Stop may be called from any goroutine.
type Mirror struct {
	o      Options
	source router.Source
	log    *slog.Logger
	base   time.Time // times are nanoseconds since then
	slots  int       // of so many slots' keys, see within
	seed   maphash.Seed
	kinds  []kind // by row

	ready  chan struct{}
	queue  chan *batch
	queued atomic.Int64 // commands that wait, in all batches
	bytes  atomic.Int64
	losing atomic.Int64 // keys that are to be forgotten, in all batches
	spare  chan *batch
	lanes  atomic.Uint32
	off    atomic.Bool  // nothing is mirrored
	anew   atomic.Int32 // what Begin has said and is not done yet
	amiss  atomic.Bool  // a side has lost its data, or may have

	count counters
	sides [2]atomic.Pointer[Side] // source, shadow

	mu      sync.Mutex // of what Report reads
	rows    map[command.ID]*rowStats
	found   differences
	noteNS  int64
	trouble string // what the shadow said when it could not do a command

	wholeFrom uint64       // what unsaid was when both sides had the same
	tickedNS  atomic.Int64 // when the counters were last set

	// of Run's goroutine
	link    link
	known   knowledge
	recent  accesses
	doubts  doubts
	deeds   []deed
	deedsN  int
	out     []byte
	last    map[uint64]int // of the deeds at hand, the last that writes a key
	scripts map[string]bool
	askers  map[string]*link
	seenNS  int64 // up to when commands have been done: the latest that was answered by the source
	idleNS  int64 // when there was none that waited
	lateNS  int64 // how long the source took at most, lately
	slowNS  int64 // and the shadow
}

// New makes a mirror of what a gateway sends to source's nodes.
func New(o Options, source router.Source, log *slog.Logger) (*Mirror, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("shadow: %w", err)
	}
	const queueBatches, spareBatches = 4096, 64
	m := &Mirror{
		o: o, source: source, log: log, base: time.Now(), seed: maphash.MakeSeed(), kinds: kindsOf(),
		slots: max(1, int(o.Share*router.Slots+0.5)),
		ready: make(chan struct{}), queue: make(chan *batch, queueBatches), spare: make(chan *batch, spareBatches),
		rows: map[command.ID]*rowStats{}, last: map[uint64]int{}, scripts: map[string]bool{}, askers: map[string]*link{},
	}
	m.known = knowledge{most: o.KeysMax, all: o.Filled, keys: map[uint64]keyState{}}
	m.recent = newAccesses()
	m.doubts = newDoubts(o.DoubtsMax)
	m.link = link{addr: o.Target, auth: o.TargetAuth, timeout: o.Timeout}
	return m, nil
}

// Lane numbers a connection to the source: what comes over one is in order.
func (m *Mirror) Lane() uint32 { return m.lanes.Add(1) }

// Ready is closed when the sides have been looked at: until then nothing may be mirrored.
func (m *Mirror) Ready() <-chan struct{} { return m.ready }

func (m *Mirror) nowNS() int64 { return int64(time.Since(m.base)) }

// within says whether a key is of the share. It goes by slot, so that keys with one hash tag are mirrored all or none, and spreads over all slots, so that the shadow's shards
// have as much each. It is the same for every process.
func (m *Mirror) within(key []byte) bool {
	const spread = 6121 // odd: it maps slots to slots one to one, far from each other
	return router.Slot(key)*spread%router.Slots < m.slots
}

// keyID is what stands for a key of a database in the books. Two keys that share one are taken for one, which only loses what is known of them.
func (m *Mirror) keyID(db int, key []byte) uint64 {
	const mix = 0x9e3779b97f4a7c15
	return maphash.Bytes(m.seed, key) ^ uint64(db+1)*mix
}
