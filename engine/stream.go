package engine

import (
	"larder/engine/commands"
	"larder/engine/history"
)

var (
	streamMulti = []byte("*1\r\n$5\r\nMULTI\r\n")
	streamExec  = []byte("*1\r\n$4\r\nEXEC\r\n")
)

// stream is what the node tells replicas and its journal: what its commands did, one after the other (commands.Effects), in the history that they read.
//
// A unit is what happens as a whole: a command, with the keys that it found dead; a transaction; a script. It is appended when it has ended, so the history
// ends at the end of a unit whenever no command runs. A unit of several commands stands between MULTI and EXEC, as Redis 7.0 does it. While the node follows
// another the stream is that one's, byte for byte: the node itself adds nothing to it.
type stream struct {
	past   *history.History
	told   *commands.Effects
	held   int    // transactions and scripts that are under way, and inBatch: the unit goes on
	wanted bool   // somebody has listened since the start
	theirs bool   // the node follows another
	grown  func() // called when something was appended

	lane *session // whose batch is being told (batches.go); nil: nobody's
	mark []byte   // room for its mark
}

func newStream(id string, backlogBytes int64, told *commands.Effects) *stream {
	return &stream{past: history.New(id, 0, backlogBytes), told: told}
}

// listen has everything told from here on. Whoever reads from here on is told the database first.
func (t *stream) listen() {
	t.wanted = true
	t.told.Restate()
	t.decide()
}

// hush ends the telling: nobody listens any more.
func (t *stream) hush() {
	t.wanted = false
	t.decide()
}

// follow says whether the stream is another node's.
func (t *stream) follow(theirs bool) {
	t.theirs = theirs
	t.told.Restate()
	t.decide()
}

func (t *stream) decide() {
	t.told.On = 0
	if t.wanted && !t.theirs {
		t.told.On = -1
	}
}

// begin opens a transaction or a script: what follows is one unit, up to the end that belongs to it.
func (t *stream) begin() {
	t.held++
	t.told.Held = true
}

// end closes it.
func (t *stream) end() {
	t.held--
	t.told.Held = t.held&^inBatch > 0
	t.flush()
}

// flush appends the unit, unless a transaction, a script or a lane's batch is under way.
func (t *stream) flush() {
	if t.held > 0 || t.told.Ops == 0 {
		return
	}
	t.put(nil)
}

// put appends the unit, with a mark if there is one.
func (t *stream) put(mark []byte) {
	if head := t.told.Head(); len(head) > 0 {
		t.past.Append(head)
	}
	several := t.told.Ops > 1 || len(mark) > 0
	if several {
		t.past.Append(streamMulti)
		t.past.Append(mark)
	}
	t.told.Each(t.past.Append)
	if several {
		t.past.Append(streamExec)
	}
	t.told.Clear()
	t.grown()
}

// flushEach appends what was told, each command for itself: keys that die by themselves have nothing to do with each other.
func (t *stream) flushEach() {
	if t.held > 0 || t.told.Ops == 0 {
		return
	}
	t.past.Append(t.told.Head())
	t.told.Each(t.past.Append)
	t.told.Clear()
	t.grown()
}

// tell adds a command to the unit that the node answered itself.
func (s *session) tell(args [][]byte) {
	if e := &s.p.call.Effects; e.On != 0 && !e.Mute {
		e.Put(s.dbIndex, args)
	}
}
