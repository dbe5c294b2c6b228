package mirror

import (
	"bytes"
	"strconv"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// deed is a command that is said to the shadow.
type deed struct {
	it    *item
	raw   []byte
	row   *command.Row // as it was said to the source, or as it is said now: a pop that waited is said as one that does not
	args  [][]byte     // and so
	reply []byte       // the source's; nil: it was too large to keep
	how   kind
	known bool      // the keys were known: replies must be the same
	keys  []keyUse  // of a transaction those of all its commands
	inner []element // of a transaction
	skip  int       // replies that stand before its own
	none  bool      // it is not said at all
}

// element is a command of a transaction.
type element struct {
	row   *command.Row
	args  [][]byte
	how   kind
	known bool
}

// keyUse is what a command does with a key.
type keyUse struct {
	id     uint64
	db     int
	key    []byte
	writes bool
	timed  bool  // it expires, or did
	sure   bool  // its place among the writes of the key is beyond doubt
	dueNS  int64 // when it expires, as the source has said
}

// plan decides how a command is said to the shadow, and notes what it has done to its keys.
func (m *Mirror) plan(b *batch, it *item) {
	if len(m.deeds) == m.deedsN {
		m.deeds = append(m.deeds, deed{})
	}
	d := &m.deeds[m.deedsN]
	*d = deed{it: it, raw: b.bytes[it.raw.from:it.raw.to], row: it.row, args: d.args[:0], keys: d.keys[:0], inner: d.inner[:0]}
	if !it.cut {
		d.reply = b.bytes[it.reply.from:it.reply.to]
	}
	switch {
	case it.piece:
		m.planPiece(d)
	default:
		var n int
		if d.args, n = m.parse(d.args, d.raw); n == 0 {
			return
		}
		m.planOne(d)
	}
	if d.none {
		m.count.needless.Add(1)
		return
	}
	for _, k := range d.keys {
		if k.writes {
			m.last[k.id] = m.deedsN
		}
	}
	m.say(d)
	m.deedsN++
}

// parse cuts a command that is known to be whole and right.
func (m *Mirror) parse(args [][]byte, raw []byte) ([][]byte, int) {
	var p resp.Requests
	p.Reset(resp.Limits{})
	req, n, st := p.Next(raw)
	if st != resp.Done {
		return args, 0
	}
	return append(args, req.Args...), n
}

func (m *Mirror) planOne(d *deed) {
	d.how = m.kinds[d.row.ID]
	if d.how == kindAlways {
		m.planAlways(d)
		return
	}
	if d.row.Flags.Has(command.Blocking) {
		d.unblock()
		if d.none {
			return
		}
	}
	d.how = m.kinds[d.row.ID]
	d.keys, d.known = m.effect(d.it, int(d.it.db), d.row, d.args, d.reply, d.keys)
	if d.reply == nil {
		d.how = kindBlind
	}
	d.args, d.how = settle(d.row, d.args, d.reply, d.how)
}

// planAlways is a command that concerns all of the data, or scripts.
func (m *Mirror) planAlways(d *deed) {
	d.how = kindBlind
	m.always(d.it, int(d.it.db), d.row, d.args, d.reply)
}

func (m *Mirror) always(it *item, db int, row *command.Row, args [][]byte, reply []byte) {
	if resp.IsError(reply) {
		return
	}
	switch row.ID {
	case command.CmdFlushAll, command.CmdFlushDB:
		m.flushed(it, db, row.ID == command.CmdFlushAll)
	case command.CmdSwapDB:
		m.forgetAll()
	case command.CmdScriptLoad:
		if len(args) > 2 {
			m.learnScript(args[2])
		}
	}
}

// flushed: both sides are empty once the shadow has done it too, but for what others wrote at the same time.
func (m *Mirror) flushed(it *item, db int, all bool) {
	which := db
	if all {
		m.known.allKnown()
		which = everyDB
	}
	m.recent.flushed(which, it.lane, it.startNS, it.endNS, m.known.forget)
	for _, d := range m.doubts.list {
		if !d.gone && (all || d.db == db) {
			m.undecided(d)
		}
	}
}

// planPiece is a transaction: it is said as one.
func (m *Mirror) planPiece(d *deed) {
	d.how = kindBlind
	elements := resp.Elements(d.reply)
	if d.reply != nil && (resp.IsError(d.reply) || resp.Value(d.reply).IsNull()) {
		d.none = true // it did not run
		return
	}
	raw, db, whole := d.raw, int(d.it.db), d.reply != nil
	var commands []element
	for len(raw) > 0 {
		args, n := m.parse(nil, raw)
		if n == 0 {
			d.none = true
			m.forgetAll()
			return
		}
		raw = raw[n:]
		row, _ := command.Resolve(args)
		commands = append(commands, element{row: row, args: args})
	}
	commands = commands[1 : len(commands)-1] // MULTI and EXEC
	whole = whole && elements.Left() == len(commands)
	for _, e := range commands {
		var reply []byte
		if whole {
			reply, _ = elements.Next()
		}
		if e.row == nil {
			e.how = kindBlind
			d.inner = append(d.inner, e)
			continue
		}
		if e.row.ID == command.CmdSelect && len(e.args) == 2 {
			if n, err := strconv.Atoi(string(e.args[1])); err == nil && !resp.IsError(reply) {
				db = n
			}
		}
		if e.how = m.kinds[e.row.ID]; e.how == kindAlways {
			m.always(d.it, db, e.row, e.args, reply)
			e.how = kindBlind
		} else if e.how != kindNever {
			d.keys, e.known = m.effect(d.it, db, e.row, e.args, reply, d.keys)
			e.args, e.how = settle(e.row, e.args, reply, e.how)
		}
		if !whole {
			e.how = kindBlind
		}
		d.inner = append(d.inner, e)
	}
	d.known, d.how = whole, kindExact
	if !whole {
		d.how = kindBlind
	}
}

// say puts a deed's bytes behind the others'.
func (m *Mirror) say(d *deed) {
	l := &m.link
	if l.proto3 != d.it.resp3 {
		l.proto3 = d.it.resp3
		word := "2"
		if l.proto3 {
			word = "3"
		}
		m.out = resp.AppendCommandStrings(m.out, "HELLO", word)
		d.skip++
	}
	if l.db != int(d.it.db) {
		l.db = int(d.it.db)
		m.out = resp.AppendCommandStrings(m.out, "SELECT", strconv.Itoa(l.db))
		d.skip++
	}
	if !d.it.piece {
		m.out = resp.AppendCommand(m.out, d.args...)
		return
	}
	m.out = resp.AppendCommandStrings(m.out, "MULTI")
	for _, e := range d.inner {
		m.out = resp.AppendCommand(m.out, e.args...)
		if e.row != nil && e.row.ID == command.CmdSelect {
			l.db = -1
		}
	}
	m.out = resp.AppendCommandStrings(m.out, "EXEC")
	d.skip += len(d.inner) + 1
}

// unblock makes a command that waited one that does not: what it waited for is there by now.
func (d *deed) unblock() {
	args, null := d.args, d.reply != nil && resp.Value(d.reply).IsNull()
	if d.reply != nil && resp.IsError(d.reply) {
		d.none = true // a wrong type, or somebody ended it
		return
	}
	become := func(id command.ID, reply []byte, args ...[]byte) {
		d.row = command.ByID(id)
		d.args = append([][]byte{[]byte(d.row.Name)}, args...)
		d.reply = reply
	}
	popped := func(id command.ID) {
		it := resp.Elements(d.reply)
		key, ok := it.Next()
		element, _ := it.Next()
		text, is := resp.BulkOf(key)
		if d.none = !ok || !is; d.none {
			return
		}
		if it.Left() > 0 {
			element = nil // of a sorted set: element and score
		}
		become(id, element, text)
	}
	switch d.row.ID {
	case command.CmdXRead, command.CmdXReadGroup:
		d.args = withoutBlock(args)
		return
	}
	if d.none = null || d.reply == nil && len(args) < 2; d.none {
		return
	}
	switch d.row.ID {
	case command.CmdBLPop:
		popped(command.CmdLPop)
	case command.CmdBRPop:
		popped(command.CmdRPop)
	case command.CmdBZPopMin:
		popped(command.CmdZPopMin)
	case command.CmdBZPopMax:
		popped(command.CmdZPopMax)
	case command.CmdBLMove:
		become(command.CmdLMove, d.reply, args[1:len(args)-1]...)
	case command.CmdBRPopLPush:
		become(command.CmdRPopLPush, d.reply, args[1:len(args)-1]...)
	case command.CmdBLMPop:
		become(command.CmdLMPop, d.reply, args[2:]...)
	case command.CmdBZMPop:
		become(command.CmdZMPop, d.reply, args[2:]...)
	}
}

// withoutBlock takes BLOCK and its time out of XREAD or XREADGROUP.
func withoutBlock(args [][]byte) [][]byte {
	for i := 1; i+1 < len(args) && !command.EqualFold(args[i], "streams"); i++ {
		if command.EqualFold(args[i], "block") {
			return append(append([][]byte(nil), args[:i]...), args[i+2:]...)
		}
	}
	return args
}

// settle makes a command whose outcome was chance one that has the same outcome.
func settle(row *command.Row, args [][]byte, reply []byte, how kind) ([][]byte, kind) {
	switch row.ID {
	case command.CmdXAdd:
		id, ok := resp.BulkOf(reply)
		if at := idAt(args); ok && at > 0 && bytes.HasSuffix(args[at], []byte("*")) {
			said := append([][]byte(nil), args...)
			said[at] = bytes.Clone(id)
			return said, kindExact
		}
	case command.CmdSPop:
		if said, ok := removal(args[1], reply); ok {
			return said, kindBlind
		}
	case command.CmdXRead, command.CmdXReadGroup, command.CmdMove:
		return args, kindBlind
	case command.CmdCopy:
		if option(args, 3, "db") > 0 {
			return args, kindBlind // it depends on a key of another database
		}
	}
	return args, how
}

// removal is the SREM of what a SPOP took.
func removal(key, reply []byte) ([][]byte, bool) {
	said := [][]byte{[]byte("SREM"), key}
	if member, ok := resp.BulkOf(reply); ok {
		return append(said, member), true
	}
	for it := resp.Elements(reply); it.Left() > 0; {
		element, _ := it.Next()
		member, ok := resp.BulkOf(element)
		if !ok {
			return nil, false
		}
		said = append(said, member)
	}
	return said, len(said) > 2
}

// idAt is where XADD's id stands, 0: nowhere.
func idAt(args [][]byte) int {
	for i := 2; i < len(args); i++ {
		switch {
		case command.EqualFold(args[i], "nomkstream"):
		case command.EqualFold(args[i], "maxlen"), command.EqualFold(args[i], "minid"):
			if i++; i < len(args) && (bytes.Equal(args[i], []byte("~")) || bytes.Equal(args[i], []byte("="))) {
				i++
			}
		case command.EqualFold(args[i], "limit"):
			i++
		default:
			return i
		}
	}
	return 0
}
