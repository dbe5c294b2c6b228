package proxy

import (
	"fmt"
	"strconv"
	"strings"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// mode is what sets a session apart from a plain client: 0 on the usual way, so that one test a command tells.
type mode uint8

const (
	modeMulti mode = 1 << iota // between MULTI and EXEC: commands are queued
	modeHears                  // subscribed to a channel or pattern
)

// transaction is what stands between MULTI and EXEC, and after EXEC what the reply needs. It goes to one shard as one contiguous piece, so its keys must be
// that shard's. It is pooled.
type transaction struct {
	broken    bool             // a command was refused: so will EXEC be
	doubted   bool             // its user's rules have changed: EXEC judges all of it anew
	shard     int              // of its keys; anyShard = none has named a key
	lean      int              // which one if none has: 0, or where the messages of its channel go
	topo      *router.Topology // by which
	queue     []queuedCommand
	raw       []byte        // the commands for the shard, as they go out
	here      []byte        // the commands that the gateway runs itself, in the same form
	sent      int           // how many are for the shard
	flags     command.Flags // all of theirs
	writes    bool          // one for the shard may do more than read
	script    bool          // one runs a script
	waits     bool          // one asks how far replicas are
	publishes bool          // one may publish
	splice    bool          // the shard's reply is not the client's as it comes: see executed

	switched bool // HELLO changes the protocol
	hears    bool // it subscribes to something, or ends that

	refused  bool   // the node did not take MULTI
	unserved string // or one of its commands, since it serves nobody, or takes no writes, at the moment: what it said
	reply    []byte // the shard's, while commands of the gateway's own are not done
	first    uint32 // the number of the first of those
	running  bool   // they are being started
}

// queuedCommand is a command that waits for EXEC.
type queuedCommand struct {
	row   *command.Row
	here  int // its length in transaction.here; 0 = it is for the shard
	scan  scanState
	db    int16  // for SELECT: which
	mute  bool   // CLIENT REPLY OFF came before its reply
	wrong string // it may not run any more: its reply
	reply int32  // of one that the gateway ran: its number behind first, −1 = it has none
}

const (
	anyShard = -1
	// txKeepMax is how large a pooled transaction's buffers may stay, bytes.
	txKeepMax = 64 << 10
	// txsFreeMax is how many are pooled.
	txsFreeMax = 64
)

const textExecAbort = "EXECABORT Transaction discarded because of previous errors."

// transactions are a loop's free list, and what its sessions have queued.
type transactions struct {
	free  []*transaction
	bytes int // of commands that wait for EXEC
}

func (f *transactions) get() *transaction {
	if n := len(f.free); n > 0 {
		tx := f.free[n-1]
		f.free = f.free[:n-1]
		return tx
	}
	return &transaction{shard: anyShard}
}

func (f *transactions) put(tx *transaction) {
	if len(f.free) == txsFreeMax || cap(tx.raw)+cap(tx.here) > txKeepMax || cap(tx.queue) > txKeepMax/64 {
		return
	}
	clear(tx.queue)
	*tx = transaction{shard: anyShard, queue: tx.queue[:0], raw: tx.raw[:0], here: tx.here[:0]}
	f.free = append(f.free, tx)
}

func (s *session) multi(row *command.Row, _ [][]byte) {
	if s.tx != nil {
		s.refuse(row, "ERR MULTI calls can not be nested")
		return
	}
	s.tx = s.p.txs.get()
	s.tx.topo = s.p.topo
	s.mode |= modeMulti
	s.ok(row, nil)
}

func (s *session) discard(row *command.Row, _ [][]byte) {
	if s.tx == nil {
		s.refuse(row, "ERR DISCARD without MULTI")
		return
	}
	s.dropMulti()
	s.endWatch()
	s.ok(row, nil)
}

// leaveMulti ends the queueing. The caller has the transaction.
func (s *session) leaveMulti() {
	s.p.txs.bytes -= len(s.tx.raw) + len(s.tx.here)
	s.tx = nil
	s.mode &^= modeMulti
}

// dropMulti forgets the transaction, if there is one.
func (s *session) dropMulti() {
	if tx := s.tx; tx != nil {
		s.leaveMulti()
		s.p.txs.put(tx)
	}
}

// reject answers a command that may not run: nor may the transaction then that it was meant for. EXEC itself ends it.
func (s *session) reject(row *command.Row, args [][]byte, text string) {
	if s.tx != nil {
		if asked := command.Lookup(args[0]); asked != nil && asked.ID == command.CmdExec {
			s.dropMulti()
			s.endWatch()
			text = "EXECABORT Transaction discarded because of: " + strings.TrimPrefix(text, "ERR ")
		} else {
			s.breakMulti()
		}
	}
	s.refuse(row, text)
}

// breakMulti: EXEC will be refused. Of a transaction that cannot come to anything nothing is kept.
func (s *session) breakMulti() {
	tx := s.tx
	s.p.txs.bytes -= len(tx.raw) + len(tx.here)
	tx.broken = true
	tx.raw, tx.here, tx.queue = nil, nil, nil
}

// runsInMulti are the commands that are not queued.
func runsInMulti(id command.ID) bool {
	switch id {
	case command.CmdExec, command.CmdDiscard, command.CmdMulti, command.CmdWatch, command.CmdQuit, command.CmdReset:
		return true
	}
	return false
}

// enqueue keeps a command for EXEC (Redis 7.2 multi.c, queueMultiCommand), if the one shard of the transaction can run it.
func (s *session) enqueue(row *command.Row, req resp.Request) bool {
	if row.Flags.Has(command.NoMulti) {
		s.reject(row, req.Args, "ERR Command not allowed inside a transaction")
		return true
	}
	if !s.tx.broken {
		if text := s.keep(row, req.Args); text != "" {
			s.reject(row, req.Args, text)
			return true
		}
	}
	s.say(row, func(w *resp.Writer) { w.Status("QUEUED") })
	return true
}

// keep adds a command to the transaction, or says why it cannot be part of one.
func (s *session) keep(row *command.Row, args [][]byte) string {
	tx, p := s.tx, s.p
	bytes := 0
	for _, arg := range args {
		bytes += len(arg)
	}
	if most := p.opts.MultiMaxBytes; int64(len(tx.raw)+len(tx.here)+bytes) > most {
		return fmt.Sprintf("ERR the transaction is larger than the %d bytes that a gateway keeps for one", most)
	}
	q := queuedCommand{row: row}
	if runsHere(row) {
		s.switches(row, args)
		tx.hears = tx.hears || client.Subscribes(row.ID)
		at := len(tx.here)
		tx.here = resp.AppendCommand(tx.here, args...)
		q.here = len(tx.here) - at
		tx.splice = true
		p.txs.bytes += q.here
		tx.queue = append(tx.queue, q)
		return ""
	}
	if tx.hears && !row.Flags.Has(command.ReadOnly) && !forwarded(row.ID) {
		return "ERR a subscription changes before it in this transaction: through a gateway '" + row.Name + "', which may publish, cannot follow that"
	}
	if tx.switched {
		return "ERR HELLO has changed the protocol inside this transaction: through a gateway '" + row.Name + "' cannot follow it"
	}
	if tx.topo != p.topo {
		if text := p.placeAnew(tx, tx.raw); text != "" {
			return text
		}
	}
	shard, text := p.shardInMulti(row, args)
	p.lean(tx, row, args)
	switch {
	case text != "":
		return text
	case shard == anyShard:
	case tx.shard == anyShard && s.watchesElsewhere(shard):
		return router.Crosses.Error()
	case tx.shard == anyShard:
		tx.shard = shard
	case tx.shard != shard:
		return router.Crosses.Error()
	}
	at := len(tx.raw)
	switch row.ID {
	case command.CmdSelect:
		db, _ := client.ParseDB(args[1], databasesMax)
		q.db = int16(db)
		tx.splice = true
		tx.raw = resp.AppendCommand(tx.raw, args...)
	case command.CmdScan:
		if text := s.keepScan(&q, args); text != "" {
			return text
		}
		tx.splice = true
	default:
		tx.raw = resp.AppendCommand(tx.raw, args...)
	}
	p.txs.bytes += len(tx.raw) - at
	tx.flags |= row.Flags
	tx.writes = tx.writes || !row.Flags.Has(command.ReadOnly) && !forwarded(row.ID)
	tx.script = tx.script || scripted(row)
	tx.waits = tx.waits || waitsForReplicas(row)
	tx.publishes = tx.publishes || row.ID == command.CmdPublish || scripted(row) && s.mayPublish(p.shards[tx.home()], row, args)
	tx.sent++
	tx.queue = append(tx.queue, q)
	return ""
}

// lean notes where a transaction without keys goes: a message to where its channel's others go, so that it stays in order with them.
func (p *part) lean(tx *transaction, row *command.Row, args [][]byte) {
	if row.ID == command.CmdPublish {
		tx.lean = max(0, p.topo.ShardOf(args[1]))
	}
}

// home is the shard that it goes to.
func (tx *transaction) home() int {
	switch {
	case tx.shard != anyShard:
		return tx.shard
	case tx.script:
		return 0 // where scripts without keys always run
	default:
		return tx.lean
	}
}

// forwarded are commands that a gateway answers itself, but for those of a transaction: the shard's reply is as good, and need not be put together.
func forwarded(id command.ID) bool {
	switch id {
	case command.CmdPing, command.CmdEcho, command.CmdTime, command.CmdSelect, command.CmdUnwatch:
		return true
	}
	return false
}

// runsHere tells whether the gateway runs a command of a transaction itself, when the shard has run the others.
func runsHere(row *command.Row) bool {
	return row.Request == command.RequestLocal && !forwarded(row.ID)
}

// switches notes a HELLO that changes the protocol: EXEC's reply is of the new one from there on. The shard's is all of one protocol, so nothing for it may follow.
func (s *session) switches(row *command.Row, args [][]byte) {
	if row.ID != command.CmdHello || len(args) < 2 {
		return
	}
	if proto, ok := resp.ParseNumber(args[1]); ok && proto != int64(s.proto) {
		s.tx.switched = true
	}
}

// shardInMulti is the shard that can run a command of a transaction, or the reason why none can.
func (p *part) shardInMulti(row *command.Row, args [][]byte) (shard int, wrong string) {
	if row.Request == command.RequestMultiShard {
		if (len(args)-row.First)%row.Step != 0 {
			return anyShard, "" // any node says what is wrong with it
		}
		if cross := p.topo.Split(args, row.First, row.Step, &p.split); cross != router.Together {
			return anyShard, cross.Error()
		}
		if len(p.split.Parts) > 1 {
			return anyShard, router.Crosses.Error()
		}
		return p.split.Parts[0].Shard, ""
	}
	if row.ID == command.CmdPublish {
		return anyShard, "" // who hears the channel does so on every shard
	}
	if waitsForReplicas(row) {
		return anyShard, p.mayWaitInMulti()
	}
	if wrong := row.Unroutable(len(p.shards)); wrong != "" {
		return anyShard, wrong
	}
	if len(row.KeySpecs) == 0 && !aboutSlot(row.ID) {
		if len(p.shards) > 1 && row.Request != command.RequestKey && row.Request != command.RequestLocal {
			return anyShard, "CROSSSLOT '" + row.Name + "' is for all shards, and a transaction runs on one"
		}
		return anyShard, ""
	}
	if wrong := p.hiddenKeys(row, args); wrong != "" {
		return anyShard, wrong
	}
	p.keys = p.keys[:0]
	shard, cross := p.shardFor(row, args)
	if cross != router.Together {
		if shard = p.together(row, args, cross); shard < 0 {
			return anyShard, cross.Error()
		}
		return shard, ""
	}
	if len(p.keys) == 0 && !aboutSlot(row.ID) {
		return anyShard, ""
	}
	return shard, ""
}

// keepScan writes SCAN for the one shard there is, as runScan does for the shard that a cursor names.
func (s *session) keepScan(q *queuedCommand, args [][]byte) string {
	cursor, ok := client.ParseCursor(args[1])
	if !ok {
		s.tx.raw = resp.AppendCommand(s.tx.raw, args...) // the node refuses it when its turn comes
		return ""
	}
	stock := s.p.topo.Shards[0].Primary.External
	if u := s.p.shards[0]; u.known {
		stock = !u.larder
	}
	q.scan = scanState{active: true, stock: stock, to: router.Slots, given: cursor}
	var digits [20]byte
	if !stock {
		if cursor>>cursorEpochShift&cursorEpochMask != s.p.topoID&cursorEpochMask {
			cursor &^= cursorPlaceMask
		}
		cursor &^= cursorEpochMask << cursorEpochShift
	}
	s.tx.raw = resp.AppendArray(s.tx.raw, len(args))
	s.tx.raw = resp.AppendBulk(s.tx.raw, wordScan)
	s.tx.raw = resp.AppendBulk(s.tx.raw, strconv.AppendUint(digits[:0], cursor, 10))
	for _, arg := range args[2:] {
		s.tx.raw = resp.AppendBulk(s.tx.raw, arg)
	}
	return ""
}
