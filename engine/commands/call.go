// Package commands are the commands on data: each a function of a Call, no connections, no clock.
//
// What must hold: a handler writes exactly one reply and counts in Call.Changed what it did to the keyspace; replies, errors and which error comes first
// are those of Redis 7.0.15 (a test compares them with a running redis-server). The caller has checked the command's arity and the client's rights. Each
// command first makes options of its arguments, then acts. Handlers run on the node's loop and keep nothing of a Call's views; GET, SET, DEL, EXISTS,
// MGET, EXPIRE and INCR allocate nothing.
package commands

import (
	"larder/engine/hashes"
	"larder/engine/lists"
	"larder/engine/store"
	"larder/engine/streams"
	"larder/engine/zsets"
	"larder/protocol/command"
	"larder/protocol/encoding/lzf"
	"larder/protocol/resp"
)

// bulkMaxDefault is proto-max-bulk-len's default, in bytes.
const bulkMaxDefault = 512 << 20

// Call is one command on its way. The caller keeps one, fills it in for each command and reads what the handler has set.
type Call struct {
	Row  *command.Row
	Args [][]byte     // views, dead after the call; Args[0] is the name, of a subcommand Args[1] too
	W    *resp.Writer // the reply goes here, exactly one

	DB      *store.DB // the client's database
	Store   *store.Store
	DBIndex int // of DB in Store

	NowMS     int64 // milliseconds since 1970
	AnyKey    bool  // the client may read any key, not only those among the arguments
	NoTouch   bool  // CLIENT NO-TOUCH: looking at a key leaves its access time alone
	Owned     int   // index of an argument whose bytes are Big's, which the handler may take (and set nil); 0 = none
	Big       *store.Big
	Limits    Limits
	AnySum    bool // RESTORE does not look at checksums
	BulkMax   int  // proto-max-bulk-len: bytes a value may grow to; 0 = 512 MiB
	OutputMax int  // bytes in W at which a reply of many values ends, cut off, with TooLong set; 0 = never
	ShareMin  int  // GET hands a big value of at least as many bytes over in Shared instead of copying it; 0 = never

	TooLong bool      // set by the handler: the reply would not fit into OutputMax, and what is in W of it is no reply
	Changed int       // set by the handler: how many changes it made to the keyspace (Redis's dirty)
	Shared  store.Pin // set by GET: the bulk whose header is in W; its bytes and CR LF are to follow, and the caller is to unpin it
	Pinned  bool      // Shared is set

	Lost         int    // counted by Load: values of which something was left out that only other servers have; never reset
	Hits, Misses uint64 // counted by handlers: keys that commands which only read found, or did not; never reset

	// What the handler asks of the node, see events.go. The node reads and empties them after each command.
	Listening Class // of keyspace events that anybody listens to; Notify keeps no others
	Unwatched bool  // nobody wants to know which keys change: Touch keeps nothing
	Unawaited bool  // nobody waits for keys: Push keeps nothing
	Events    []Event
	Touched   []Touch // keys whose values changed
	Ready     []Touch // keys on which somebody who is blocked may go on
	Wait      Wait    // set by Block
	Blockable bool    // Block may be used: the client can wait (not in a transaction, not in a script)
	Woken     bool    // the command runs again: a key it waited for has a value of the wanted type (Blockable is still true)
	Note      []byte  // Woken: what the command left in Wait.Note when it blocked; nil if nothing

	BeforeFlush func(db int) // told of each database before it is emptied; nil: nobody is

	Effects  Effects // what commands did, for replicas and the journal
	deadSeen bool    // SORT has met fields whose time has come, which are there where it is told
	told     bool    // the command has said what is told of it
	Obeys    bool    // the command is a primary's, or of a journal: it is done as it says, whatever the time is

	// Scratch, reused from call to call.
	digits [digitsMax]byte
	ops    []fieldOp
	bytes  []byte
	ids    []streams.ID
	lzf    *lzf.Compressor // see compressor

	hashEdit hashes.Edit
	did      [][]byte // fields with which a command of many has done something; views of its arguments
	setScratch
	bulk
	list   lists.Edit
	places []int // in a list

	scores []float64
	zset   zsets.Edit
	zbuild zsets.Builder
	around spots
}

// digitsMax is the room that the text of a number needs, in bytes.
const digitsMax = 20

// Handler runs one command.
type Handler func(*Call)

// Reset makes the call ready for another command; what the caller filled in for the connection stays.
func (c *Call) Reset(row *command.Row, args [][]byte) {
	c.Row, c.Args = row, args
	c.Owned, c.Big, c.Changed, c.Pinned, c.TooLong, c.told = 0, nil, 0, false, false, false
	c.Events, c.Touched, c.Ready = c.Events[:0], c.Touched[:0], c.Ready[:0]
	if c.Wait.Keys != nil {
		c.Wait = Wait{}
	}
}

// full tells a handler that its reply has become too long, and notes that.
func (c *Call) full() bool {
	c.TooLong = c.OutputMax > 0 && len(c.W.Out) > c.OutputMax
	return c.TooLong
}

// look finds a key, as a command that reads or changes it.
func (c *Call) look(key []byte) (store.Item, bool) { return c.lookIn(c.DB, key) }

func (c *Call) lookIn(db *store.DB, key []byte) (it store.Item, found bool) {
	if c.NoTouch {
		it, found = db.Peek(key, c.NowMS)
	} else {
		it, found = db.Lookup(key, c.NowMS)
	}
	c.tally(key, found)
	return it, found
}

// peek is look without noting that the key was looked at.
func (c *Call) peek(key []byte) (store.Item, bool) {
	it, found := c.DB.Peek(key, c.NowMS)
	c.tally(key, found)
	return it, found
}

// tally counts what commands that only read have found, and those that write but look only at keys that they read. A key of another database is looked at
// only by commands that write.
func (c *Call) tally(key []byte, found bool) {
	if c.Row.Flags.Has(command.ReadOnly) || readsKeys[c.Row.ID] {
		c.countRead(key, found)
	}
}

// readsKeys are the commands that write, and for which Redis counts each key that they look up as one that was read (lookupKeyRead).
var readsKeys = [command.NumIDs + 1]bool{
	command.CmdBitOp: true, command.CmdPFMerge: true, command.CmdXAck: true, command.CmdXAutoClaim: true, command.CmdXClaim: true, command.CmdXReadGroup: true,
	command.CmdSDiffStore: true, command.CmdSInterStore: true, command.CmdSUnionStore: true,
	command.CmdZDiffStore: true, command.CmdZInterStore: true, command.CmdZUnionStore: true, command.CmdZRangeStore: true,
}

// countRead counts that a key was read. Commands that write say it themselves where they read first.
func (c *Call) countRead(key []byte, found bool) {
	if found {
		c.Hits++
		return
	}
	c.Misses++
	c.Notify(ClassMiss, "keymiss", key)
}

// lookKind finds a key that a command of one type reads or changes: the value's kind must be one from first to last, which are the type's. wrong: it is of
// another type, and the error was written.
func (c *Call) lookKind(key []byte, first, last store.Kind) (it store.Item, found, wrong bool) {
	if it, found = c.look(key); found {
		if kind := it.Kind(); kind < first || kind > last {
			c.W.Error(errWrongType)
			return it, false, true
		}
	}
	return it, found, false
}

// lookString is lookKind for strings.
func (c *Call) lookString(key []byte) (it store.Item, found, wrong bool) {
	if it, found = c.look(key); found && !it.Kind().IsString() {
		c.W.Error(errWrongType)
		return it, false, true
	}
	return it, found, false
}

// text gives an item's bytes; those of a number are dead with the next call of text.
func (c *Call) text(it store.Item) []byte { return it.Text(c.digits[:]) }

func (c *Call) bulkMax() int64 {
	if c.BulkMax == 0 {
		return bulkMaxDefault
	}
	return int64(c.BulkMax)
}

// is compares an argument with a word of lower-case letters, in any case.
func is(arg []byte, word string) bool {
	if len(arg) != len(word) {
		return false
	}
	for i := range arg {
		if arg[i]|0x20 != word[i] { // only letters become letters by this bit
			return false
		}
	}
	return true
}
