package engine

import (
	"context"
	"errors"
	"strconv"

	"larder/engine/store"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// Results are how a cluster is filled by a node that follows another's primary (Options.Results): what the primary's stream does here is told as commands that
// each name one key, so that they can be given to whichever shard has it. A command of one key is told as it came, if that key is at the receiver as it is
// here; everything else is told by its result: RESTORE with all the key has, or UNLINK. So a RENAME, a SUNIONSTORE, a script or a transaction over keys of
// several shards is neither skipped nor done to half of its keys.
//
// What must hold: at each moment every key is either at the receiver as the told commands say, once it has run them, or it is pending: then it will be told by
// its result, as it is at that later moment, and nothing else is told of it before. While the first copy is under way each key that changes is pending.
// A key whose time, or a field's, is near or over is told by its result too: the receiver lets keys go by its own clock, the primary by its own, and only
// a result says the same by both. So the receiver may lag behind what it is given by resultsNearMS less what the clocks are apart, and not by more.
//
// All of it is the loop's. The receiver asks by NextResults, one piece at a time; while it does not, the link is not read, so that nothing piles up here.
type results struct {
	p    *part
	want chan<- ResultPiece // the receiver waits for a piece

	out    []byte // told, and not yet given
	said   int    // the database that out is in, and one; 0: nothing says so yet
	madeMS int64  // when the first of it was made
	args   []byte // scratch of a payload

	live      bool // the node has the primary's data
	anew      bool // the next piece is the first of a new copy
	functions bool // the libraries are to be told
	pending   []pendingKeys
	waiting   int // keys pending, of all databases
	touched   []dbKey
	near      bool // the key of the present command was near its end before it

	copying       bool
	db            int // where the copy is
	at            store.Cursor
	copied, total int64

	swaps     uint64 // SWAPDBs told
	toldAt    int64  // the offset of the last piece
	filling   bool   // fill goes on later
	positions []int
}

// pendingKeys are those of a database that will be told by their result, in the order in which they came.
type pendingKeys struct {
	order []string
	has   map[string]struct{}
}

const (
	resultsPieceBytes = 1 << 20 // a piece is about so long
	resultsHoldBytes  = 4 << 20 // with so much told and not given the link waits
	resultsKeysMax    = 1 << 20 // with so many keys pending it waits too
	resultsNearMS     = 120_000 // a key that ends within this time is told by its result
	resultsSliceNS    = 1e6     // how long telling may keep the loop
)

// ResultKey names a key.
type ResultKey struct {
	DB  int
	Key string
}

// ResultPiece is some of what is told.
type ResultPiece struct {
	Anew     bool   // a new copy begins: what the receiver has is void, it empties itself first
	Commands []byte // whole commands, the first a SELECT: each names one key, but for FLUSHALL, FLUSHDB, SWAPDB and FUNCTION RESTORE
	Swaps    uint64 // how many SWAPDBs have been told, up to here
	MadeMS   int64  // when the first of Commands was made
	ID       string // of the primary's history
	Offset   int64  // the receiver is where the primary was there, once it has run them; -1: it lacks something still

	Copying       bool
	Copied, Total int64 // keys of the copy
	Pending       int64 // keys that will be told by their result
}

// LinkState tells how a node that follows another is doing.
type LinkState struct {
	Following  bool   // the primary's stream comes
	Offset     int64  // of the primary's stream, as far as it is applied; -1 while it does not come
	Reason     string // why the last attempt came to nothing, empty while the stream comes
	Read, Size int64  // bytes of the primary's data, while they come; Size 0: not known
	Faults     uint64 // commands of the stream that failed here
	LastFault  string
}

func newResults(p *part) *results {
	return &results{p: p, pending: make([]pendingKeys, p.store.Databases()), toldAt: -1}
}

// full tells whether the link should wait.
func (r *results) full() bool { return len(r.out) >= resultsHoldBytes || r.waiting >= resultsKeysMax }

// begin begins a copy of all there is.
func (r *results) begin() {
	r.void()
	r.live, r.anew, r.functions = true, true, true
	r.restart()
	r.fill()
}

// void forgets what was to be told: it is not so any more.
func (r *results) void() {
	r.live, r.copying, r.anew = false, false, false
	r.out, r.said, r.madeMS = nil, 0, 0
	r.waiting, r.touched, r.toldAt = 0, nil, -1
	clear(r.pending)
}

// restart has the copy begin in front.
func (r *results) restart() {
	r.copying, r.db, r.at, r.copied, r.total = true, 0, store.Cursor{}, 0, 0
	for db := range r.pending {
		r.total += int64(r.p.store.DB(db).Len())
	}
}

// mark has a key told by its result.
func (r *results) mark(db int, key []byte) {
	q := &r.pending[db]
	if _, already := q.has[string(key)]; already {
		return
	}
	if q.has == nil {
		q.has = map[string]struct{}{}
	}
	k := string(key)
	q.has[k] = struct{}{}
	q.order = append(q.order, k)
	r.waiting++
}

func (r *results) forget(db int) {
	r.waiting -= len(r.pending[db].order)
	r.pending[db] = pendingKeys{}
}

// command begins a command of n arguments in a database.
func (r *results) command(db, n int) {
	if len(r.out) == 0 {
		r.said, r.madeMS = 0, r.p.nowMS
	}
	if r.said != db+1 {
		r.said = db + 1
		r.out = resp.AppendCommandStrings(r.out, "SELECT", strconv.Itoa(db))
	}
	r.out = resp.AppendArray(r.out, n)
}

func (r *results) tell(db int, args ...string) {
	r.command(db, len(args))
	for _, arg := range args {
		r.out = resp.AppendBulkString(r.out, arg)
	}
}

// before is called before a command of the primary runs.
func (r *results) before(db int, row *command.Row, args [][]byte) {
	r.touched = r.touched[:0]
	r.positions = row.KeyPositions(args, r.positions[:0])
	r.near = len(r.positions) == 1 && r.ends(db, args[r.positions[0]])
}

// ends tells whether a key, or a field of it, is near its end.
func (r *results) ends(db int, key []byte) bool {
	it, found := r.p.store.DB(db).Peek(key, r.p.nowMS)
	if !found {
		return false
	}
	if at := it.ExpiryMS(); at != store.NoExpiry && at < r.p.nowMS+resultsNearMS {
		return true
	}
	return it.Kind() == store.KindHashBig && it.Object().Armed() != store.NoExpiry
}

// touch is told of the keys that change, while a command of the primary runs.
func (r *results) touch(db int, key []byte) {
	r.touched = append(r.touched, dbKey{db, string(key)})
}

// after is called when it has run.
func (r *results) after(db int, row *command.Row, args [][]byte) {
	if !r.live {
		return
	}
	switch row.ID {
	case command.CmdFlushAll:
		for i := range r.pending {
			r.forget(i)
		}
		r.tell(db, "FLUSHALL")
		return
	case command.CmdFlushDB:
		r.forget(db)
		r.tell(db, "FLUSHDB")
		return
	case command.CmdSwapDB:
		r.swapped(db, args)
		return
	case command.CmdFunctionLoad, command.CmdFunctionDelete, command.CmdFunctionFlush, command.CmdFunctionRestore:
		r.functions = true
		return
	}
	if row.Flags&command.Write == 0 && row.Flags&command.MayReplicate == 0 {
		return
	}
	if len(r.positions) == 1 && !byResult[row.ID] {
		r.single(db, row, args, args[r.positions[0]])
		return
	}
	for _, key := range r.touched {
		r.mark(key.db, []byte(key.key))
	}
	if len(r.positions) == 1 {
		r.mark(db, args[r.positions[0]])
	}
}

// single tells of a command that concerns one key.
func (r *results) single(db int, row *command.Row, args [][]byte, key []byte) {
	_, pends := r.pending[db].has[string(key)]
	switch {
	case pends:
	case r.copying, r.near, r.ends(db, key), relative(row, args):
		r.mark(db, key)
	case row.ID == command.CmdExpire, row.ID == command.CmdPExpire:
		r.lives(db, key)
	default:
		r.command(db, len(args))
		for _, arg := range args {
			r.out = resp.AppendBulk(r.out, arg)
		}
	}
}

// lives tells how long a key lives, which a command of an old primary has said from its own time on.
func (r *results) lives(db int, key []byte) {
	it, found := r.p.store.DB(db).Peek(key, r.p.nowMS)
	switch {
	case !found:
		r.tell(db, "UNLINK", string(key))
	case it.ExpiryMS() == store.NoExpiry:
		r.tell(db, "PERSIST", string(key))
	default:
		r.tell(db, "PEXPIREAT", string(key), strconv.FormatInt(it.ExpiryMS(), 10))
	}
}

// byResult are commands with one key among their arguments that concern others too, or that are not the same elsewhere.
var byResult = map[command.ID]bool{
	command.CmdMove: true, command.CmdRestore: true, command.CmdEval: true, command.CmdEvalSHA: true, command.CmdFCall: true,
	command.CmdSetEx: true, command.CmdPSetEx: true, command.CmdGetEx: true, command.CmdSort: true,
	command.CmdHExpire: true, command.CmdHPExpire: true, command.CmdHSetEx: true, command.CmdHGetEx: true,
}

// relative tells whether a command may say a time from now on.
func relative(row *command.Row, args [][]byte) bool { return row.ID == command.CmdSet && len(args) > 3 }

// swapped tells that two databases have changed places, with what is pending of them.
func (r *results) swapped(db int, args [][]byte) {
	a, okA := resp.ParseNumber(args[1])
	b, okB := resp.ParseNumber(args[2])
	last := int64(len(r.pending)) - 1
	if !okA || !okB || min(a, b) < 0 || max(a, b) > last || a == b {
		return
	}
	r.pending[a], r.pending[b] = r.pending[b], r.pending[a]
	r.swaps++
	r.tell(db, "SWAPDB", string(args[1]), string(args[2]))
	if r.copying {
		r.restart() // the copy might have passed one of them before it had the other's keys
	}
}

// Errors of those who take results.
var (
	errNoResults = errors.New("the node was not started to tell results")
	// ErrResultsMoved: databases have changed places since, so that the keys are others. Begin anew.
	ErrResultsMoved = errors.New("databases have changed places since")
)

// NextResults waits for the next piece. After an error nobody knows what was given: the receiver begins anew. One goroutine at a time calls it.
func (n *Node) NextResults(ctx context.Context) (ResultPiece, error) {
	got := make(chan ResultPiece, 1)
	err := n.asked(ctx, func(p *part) error {
		if p.results == nil {
			return errNoResults
		}
		p.enter()
		p.results.want = got
		p.results.fill()
		return nil
	})
	if err != nil {
		return ResultPiece{}, err
	}
	select {
	case piece := <-got:
		return piece, nil
	case <-n.ended:
		return ResultPiece{}, errEnded
	case <-ctx.Done():
		return ResultPiece{}, context.Cause(ctx)
	}
}

// ResultsAgain has keys told by their result that the receiver may not have got. swaps is that of the piece they were in. Errors: ErrResultsMoved.
func (n *Node) ResultsAgain(ctx context.Context, keys []ResultKey, swaps uint64) error {
	return n.asked(ctx, func(p *part) error {
		r := p.results
		switch {
		case r == nil:
			return errNoResults
		case !r.live:
			return nil // all will be told
		case r.swaps != swaps:
			return ErrResultsMoved
		}
		p.enter()
		for _, k := range keys {
			r.mark(k.DB, []byte(k.Key))
		}
		r.fill()
		return nil
	})
}

// ResultsAnew has everything told again.
func (n *Node) ResultsAnew(ctx context.Context) error {
	return n.asked(ctx, func(p *part) error {
		if p.results == nil {
			return errNoResults
		}
		p.enter()
		if p.results.live {
			p.results.begin()
		}
		return nil
	})
}

// Link tells how the node's following is doing.
func (n *Node) Link(ctx context.Context) (s LinkState, err error) {
	return s, n.asked(ctx, func(p *part) error {
		if k := p.link; k != nil {
			s = LinkState{
				Following: k.phase == linkFollowing, Offset: k.offset(), Reason: k.reason, Faults: p.count.faults, LastFault: k.lastFault,
				Read: k.transfer.read, Size: k.transfer.size,
			}
		}
		return nil
	})
}

// FollowPrimary has the node follow a primary, or another one, from where it is if that one knows its history. A host that begins with / is the path of a
// socket of this machine, and has no port.
func (n *Node) FollowPrimary(ctx context.Context, host string, port int, user, password string) error {
	return n.asked(ctx, func(p *part) error {
		p.enter()
		p.set.link.user, p.set.link.password = user, password
		p.replicate(host, port)
		return nil
	})
}
