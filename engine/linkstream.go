package engine

import (
	"fmt"
	"log/slog"
	"strings"

	"larder/loop"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// How a stream is followed. A command is applied when all of it is there, a transaction when its EXEC is: until then its bytes stay in the connection's buffer,
// are looked at once for that EXEC, and once more when they run. What was applied goes into the history as it came, so the history ends where the keyspace
// is, and whoever follows this node reads the primary's own bytes.
//
// A command that fails here, or that is not known here, is told in the log by its name and counted, and the stream goes on, as Redis's
// propagation-error-behavior of "ignore" has it: a newer primary may have commands that this node lacks, and closing the link would only meet them again.

// follow runs what has come of the stream, and reports whether there may be more to run.
func (k *link) follow(c *loop.Conn) bool {
	p := k.p
	if !p.mayObey() {
		k.held = true
		c.Pause()
		return false
	}
	buf := c.In()
	if k.searched > 0 {
		return k.search(c, buf)
	}
	requests, end := &k.requests, len(buf)
	own := k.passed == 0
	if !own {
		requests, end = &k.again, k.passed
	}
	read, state := p.batch.read(requests, buf[:end], 0, true)
	if own {
		k.passed = read
	}
	done, open := k.runBatch(read, false)
	if k.c != c {
		return false
	}
	k.applied(c, buf[:done])
	k.passed -= done
	if open {
		k.searched = read - done
	}
	return !own || k.goesOn(c, state)
}

// search looks for the end of the transaction at the front of the input, and runs it when it is there.
func (k *link) search(c *loop.Conn, buf []byte) bool {
	requests, end := &k.requests, len(buf)
	own := k.searched == k.passed
	if !own {
		requests, end = &k.again, k.passed
	}
	read, state := k.p.batch.read(requests, buf[:end], k.searched, true)
	k.searched, k.passed = read, max(k.passed, read)
	for _, q := range k.p.batch.commands {
		if q.row != rowExec {
			continue
		}
		k.runWhole(buf[:q.end])
		if k.c != c {
			return false
		}
		k.applied(c, buf[:q.end])
		k.searched = 0
		k.passed -= q.end
		return true
	}
	return !own || k.goesOn(c, state)
}

// goesOn says what follows from how far the parser came.
func (k *link) goesOn(c *loop.Conn, state resp.State) bool {
	switch {
	case state == resp.Done:
		return true
	case state == resp.Failed:
		k.p.joined = false // the same bytes would come again
		k.failed("the primary's stream cannot be read, and is asked for anew", k.requests.Err())
	case int64(len(c.In())) > k.p.n.opts.QueryMaxBytes:
		k.p.joined = false
		k.failed("a command or transaction of the primary is larger than this node takes", fmt.Sprintf("more than %d bytes; engine.query-max says how large it may be", k.p.n.opts.QueryMaxBytes))
	}
	return false
}

// applied notes that the keyspace has what these bytes say.
func (k *link) applied(c *loop.Conn, bytes []byte) {
	k.p.stream.past.Append(bytes)
	k.p.streamed()
	c.Took(len(bytes))
}

// runWhole runs a transaction, of which all is there.
func (k *link) runWhole(bytes []byte) {
	for pos := 0; pos < len(bytes) && k.c != nil; {
		pos, _ = k.p.batch.read(&k.again, bytes, pos, true)
		k.runBatch(pos, true)
	}
}

// runBatch runs the commands of the batch, which was read up to a position. It gives the position behind what ran, and whether it stopped before a transaction
// whose end is not in the batch; with whole it does not stop there.
func (k *link) runBatch(read int, whole bool) (done int, open bool) {
	p, b := k.p, &k.p.batch
	b.warm(p.store, k.s.db)
	last := len(b.commands) - 1
	ran, done := 0, 0
	p.obey(func() {
		for i := range b.commands {
			q := &b.commands[i]
			if open = q.row == rowMulti && !whole && b.commands[last].row != rowExec; open { // EXEC ends a batch
				break
			}
			ran++
			if !k.obey(q.row, b.args[q.first:q.last]) {
				break
			}
			done = q.end
		}
	})
	if ran == len(b.commands) {
		done = read // empty lines behind the last of them too
	}
	p.store.Forget()
	p.timed(k.s, b.commands[:ran], false)
	p.w.Out = nil
	if !k.inside {
		p.serve()
	}
	return done, open
}

// obey runs a command of the stream. False: this node cannot follow the stream any further.
func (k *link) obey(row *command.Row, args [][]byte) bool {
	p, s := k.p, k.s
	switch {
	case row == rowMulti && !k.inside:
		k.inside = true
		return true
	case row == rowExec && k.inside:
		k.inside = false
		return true
	case row == rowSelect && len(args) == 2:
		return k.choose(args[1])
	case row == rowPing:
		return true
	case row == rowPublish && isMark(args):
		if !p.obeyMark(args[2]) {
			k.fault(args, errNoMark)
		}
		return true
	case len(args[0]) == len("replconf") && lower(args[0]) == "replconf": // which is no command of clients
		k.asked = k.asked || len(args) > 1 && lower(args[1]) == "getack"
		return true
	}
	if text := k.unfit(row, args); text != "" {
		p.count.commands.Refuse(idOf(row))
		p.countError(text)
		k.fault(args, text)
		return true
	}
	s.last = row
	if p.results != nil {
		p.results.before(s.dbIndex, row, args)
	}
	reply := p.runObeyed(s, row, args, k.replies)
	if p.results != nil {
		p.results.after(s.dbIndex, row, args)
	}
	if len(reply) > 0 && reply[0] == '-' {
		k.fault(args, string(reply[1:]))
	}
	if k.replies = reply; cap(k.replies) > scratchKept {
		k.replies = nil
	}
	return true
}

// choose changes the database that the stream's commands are in. With another one than the primary's, all that follows would be wrong.
func (k *link) choose(arg []byte) bool {
	n, ok := resp.ParseNumber(arg)
	if !ok || n < 0 || n >= int64(k.p.store.Databases()) {
		k.p.joined = false
		k.misfit(fmt.Sprintf("it has a database %.20q and this node only %d: start this node with as many (engine.databases)", arg, k.p.store.Databases()))
		return false
	}
	k.s.useDB(int(n))
	return true
}

// unfit is why a command of the stream is not run: it is not known, or none that a primary tells its replicas.
func (k *link) unfit(row *command.Row, args [][]byte) string {
	switch {
	case row == nil:
		_, text := command.Resolve(args)
		return text
	case !row.ArityOK(len(args)):
		return command.ArityError(row)
	case !changesData(row):
		return "ERR not a command that a primary tells its replicas"
	}
	return ""
}

// fault tells of a command that has failed here and not at the primary, in at most one line a second.
func (k *link) fault(args [][]byte, text string) {
	p := k.p
	p.count.faults++
	k.faults++
	if k.faultNS != 0 && p.nowNS-k.faultNS < warnEveryNS {
		return
	}
	name := string(args[0][:min(len(args[0]), faultNameMax)])
	if row := command.Lookup(args[0]); len(args) > 1 && row != nil && len(row.Subs) > 0 {
		name += " " + string(args[1][:min(len(args[1]), faultNameMax)])
	}
	k.lastFault = name + ": " + strings.TrimRight(text, "\r\n")
	k.log(slog.LevelError, "replication: a command of the primary has failed here: what it changed there is not changed here",
		"command", name, "error", strings.TrimRight(text, "\r\n"), "commands", k.faults, "offset", p.stream.past.End())
	k.faults, k.faultNS = 0, max(1, p.nowNS)
}

// faultNameMax is how much of a command's name stands in the log, bytes.
const faultNameMax = 64
