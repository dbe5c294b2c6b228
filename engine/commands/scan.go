package commands

import (
	"strconv"

	"larder/engine/store"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// SCAN's cursor (docs/formats/upstream.md): 14 bits for the slot at which the present run begins, 12 bits that the gateway uses and a node leaves 0, and 38
// bits for the place in the slot's group, 0 = its beginning. A run is a stretch of slots up to the first that is not asked for; groups are walked in order.
const (
	scanSlotShift = 50
	scanPlaceMask = 1<<38 - 1
	scanSlots     = store.Groups * store.GroupSlots

	scanCountDefault = 10
	scanStepsACount  = 10 // buckets looked at for each key of COUNT before the call ends without it, as in Redis
)

const (
	errCursor   = "ERR invalid cursor"
	errScanSlot = "ERR slot is not an integer or out of range"
)

// scanOptions are what may follow the cursor.
type scanOptions struct {
	count int64
	match []byte // nil: every key
	kind  []byte // TYPE; nil: every type
}

func parseScan(args [][]byte) (o scanOptions, err string) {
	o.count = scanCountDefault
	for ; len(args) > 0; args = args[2:] {
		switch {
		case len(args) < 2:
			return o, errSyntax
		case is(args[0], "count"):
			n, ok := store.ParseInt(args[1])
			switch {
			case !ok:
				return o, errNotInt
			case n < 1:
				return o, errSyntax
			}
			o.count = n
		case is(args[0], "match"):
			if o.match = args[1]; string(o.match) == "*" {
				o.match = nil
			}
		case is(args[0], "type"):
			o.kind = args[1]
		default:
			return o, errSyntax
		}
	}
	return o, noError
}

// scan is SCAN over all slots.
func scan(c *Call) { c.scan(scanSlots, c.Args[1], c.Args[2:]) }

// larderScan is LARDER SCAN: only slots below the one that it names.
func larderScan(c *Call) {
	to, ok := store.ParseInt(c.Args[2])
	if !ok || to < 0 || to > scanSlots {
		c.W.Error(errScanSlot)
		return
	}
	c.scan(int(to), c.Args[3], c.Args[4:])
}

func (c *Call) scan(to int, cursor []byte, options [][]byte) {
	at, ok := client.ParseCursor(cursor)
	if !ok {
		c.W.Error(errCursor)
		return
	}
	o, wrong := parseScan(options)
	if wrong != noError {
		c.W.Error(wrong)
		return
	}
	walk := scanWalk{c: c, o: o, to: to, slot: int(at >> scanSlotShift), place: at & scanPlaceMask}
	head := len(c.W.Out)
	walk.run()
	c.insertScanHead(head, walk.cursor(), walk.shown)
}

// scanWalk goes over the groups of a run.
type scanWalk struct {
	c     *Call
	o     scanOptions
	to    int    // the first slot that is not asked for
	slot  int    // keys of slots from this one on are asked for
	place uint64 // in its group
	seen  int64  // keys met, shown or not
	shown int
}

func (w *scanWalk) run() {
	db := w.c.DB
	steps := min(w.o.count, 1<<50) * scanStepsACount
	for w.slot < w.to && w.seen < w.o.count && steps > 0 {
		group := w.slot / store.GroupSlots
		if w.place == 0 {
			if next := db.NextGroup(group); next > group {
				w.slot = next * store.GroupSlots
				continue
			}
		}
		visit := w.show
		if w.slot%store.GroupSlots != 0 || (group+1)*store.GroupSlots > w.to {
			visit = w.showAsked
		}
		if w.place = db.Scan(group, w.place, w.c.NowMS, visit); w.place == 0 {
			w.slot = (group + 1) * store.GroupSlots
		}
		steps--
	}
}

// cursor is where the next call goes on.
func (w *scanWalk) cursor() uint64 {
	switch {
	case w.slot < w.to:
		return uint64(w.slot)<<scanSlotShift | w.place
	case w.to == scanSlots:
		return 0
	default:
		return uint64(w.to) << scanSlotShift
	}
}

// showAsked is show for a group of which some slots are not asked for.
func (w *scanWalk) showAsked(it store.Item) {
	if slot := w.c.Store.Slot(it.Key()); slot >= w.slot && slot < w.to {
		w.show(it)
	}
}

func (w *scanWalk) show(it store.Item) {
	w.seen++
	key := it.Key()
	if w.o.kind != nil && !is(w.o.kind, it.Kind().Type()) || w.o.match != nil && !command.Match(w.o.match, key) {
		return
	}
	w.c.W.BulkBytes(key)
	w.shown++
}

// insertScanHead puts the cursor and the head of the array of keys before the keys, which were written from at on.
func (c *Call) insertScanHead(at int, cursor uint64, n int) {
	var room [64]byte
	var digits [digitsMax]byte
	head := resp.AppendArray(room[:0], 2)
	head = resp.AppendBulk(head, strconv.AppendUint(digits[:0], cursor, 10))
	insert(c.W, at, resp.AppendArray(head, n))
}
