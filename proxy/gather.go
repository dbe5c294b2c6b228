package proxy

import (
	"fmt"

	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// job is a command whose keys lie on several shards and that is done here: questions go to the shards, and what they answer is put together, or says what to
// ask next. Its session has nothing else on the way, before it or beside it, so a job keeps the session's order whatever it asks and however often.
//
// A job goes to its end even if its client leaves: one that writes would else stop half way.
type job struct {
	p     *part
	s     *session
	row   *command.Row
	seq   uint32
	args  [][]byte // its own copy
	begin func(*job)
	then  func(*job) // when all questions of the round are answered

	replies [][]byte // of the round, by question
	left    int      // questions without an answer
	kept    int      // bytes that count for the limit
	writes  bool     // a question of the round may change something
	wrote   bool     // or one of a round before
	cluster string   // in which it has begun
	over    bool     // the limit was passed: what still comes is dropped
	moved   bool     // the keys of a question are no longer one shard's: the job begins anew
	long    bool     // it takes long to work out, however little was gathered
	startNS int64
}

// question is what a job asks the one shard that has its keys.
type question struct {
	row  *command.Row
	args [][]byte
	db   int
}

// memberCost is what a gathered member takes beside its bytes in the reply: a view of it, its score and its place in a table.
const memberCost = 48

// questionsMax is how many a round may have; a ticket numbers them with two bytes.
const questionsMax = 1 << 16

const textManyKeys = "ERR too many keys on several shards"

// across runs a command whose keys are in several slots, or refuses it. It says false when the command has to wait.
func (s *session) across(row *command.Row, args [][]byte, cross router.Cross) bool {
	p := s.p
	begin := p.jobOf(row, args)
	if cross != router.Crosses || begin == nil {
		s.refuse(row, cross.Error())
		return true
	}
	if s.q.len() > 0 {
		return s.stall(stallEmpty)
	}
	p.keys = row.KeyPositions(args, p.keys[:0])
	for _, at := range p.keys {
		shard := p.topo.ShardOf(args[at])
		if shard < 0 {
			s.refuse(row, router.Unserved.Error())
			return true
		}
		if ln, ok := s.laneTo(row, shard); ln == nil {
			return ok
		}
	}
	j := &job{p: p, s: s, row: row, begin: begin, startNS: p.nowNS, cluster: p.topo.Cluster}
	for _, arg := range args {
		j.args = append(j.args, append([]byte(nil), arg...))
	}
	if row.Flags.Has(command.InSteps) {
		p.count.crossSlots++
	}
	j.seq = s.push(row)
	m := p.merges.get(mergeFirst, p.topoID, 0)
	m.job = j
	s.q.at(j.seq).merge = m
	s.job = j
	begin(j)
	if s.job != nil {
		s.stall(stallEmpty)
	}
	return true
}

// together says whether one shard has all keys of a command that may go over shards, though they are in several slots; else it gives Nobody.
func (p *part) together(row *command.Row, args [][]byte, cross router.Cross) int {
	if cross != router.Crosses || !p.mayCross(row) {
		return router.Nobody
	}
	return p.ownerOf(row, args)
}

// mayCross says whether a command's keys may lie in several slots.
func (p *part) mayCross(row *command.Row) bool {
	return row.Flags.Has(command.OverShards) || row.Flags.Has(command.InSteps) && p.opts.CrossSlot == crossAllow
}

// crossAgain is the error of a command whose keys were one shard's when it first went.
func (p *part) crossAgain(row *command.Row, cross router.Cross) string {
	if cross == router.Crosses && p.mayCross(row) {
		return "TRYAGAIN Multiple keys request during rehashing of slot"
	}
	return cross.Error()
}

// jobOf is how a command over several shards begins, nil if it is refused.
func (p *part) jobOf(row *command.Row, args [][]byte) func(*job) {
	switch {
	case !p.mayCross(row):
		return nil
	case row.Flags.Has(command.InSteps):
		return stepsOf(row, args)
	default:
		return gatherOf(row, args)
	}
}

// ask sends a round of questions; then is called when all are answered. What a question fails with is its answer.
func (j *job) ask(then func(*job), questions ...question) {
	p := j.p
	if j.wrote = j.wrote || j.writes; j.movedAway() {
		return
	}
	j.then, j.left, j.writes = then, len(questions), false
	j.replies = make([][]byte, len(questions))
	if len(questions) == 0 { // all keys have moved to one shard meanwhile, and there are no others to be asked
		then(j)
		return
	}
	var failed []int
	for i, q := range questions {
		j.writes = j.writes || !q.row.Flags.Has(command.ReadOnly)
		shard := p.ownerOf(q.row, q.args)
		ln, why := (*lane)(nil), router.Unserved.Error()
		if shard >= 0 {
			u := p.shards[shard]
			ln, why = u.lane(j.s.line), u.err
		}
		if ln == nil && shard >= 0 && p.shards[shard].halts() {
			p.later(p.shards[shard], ticket{s: j.s, row: q.row, seq: j.seq, sub: uint16(i), db: uint16(q.db)}, resp.AppendCommand(nil, q.args...))
			continue
		}
		if ln == nil {
			j.replies[i] = appendError(nil, why)
			failed = append(failed, i)
			continue
		}
		ln.to(q.db)
		at := len(ln.log)
		ln.log = resp.AppendCommand(ln.log, q.args...)
		ln.commit(at, ticket{s: j.s, row: q.row, seq: j.seq, sub: uint16(i)})
	}
	for range failed {
		j.answered()
	}
}

// ownerOf is the shard that has all keys of a command; Nobody if there is none.
func (p *part) ownerOf(row *command.Row, args [][]byte) int {
	p.keys = row.KeyPositions(args, p.keys[:0])
	shard := router.Nobody
	for i, at := range p.keys {
		owner := p.topo.ShardOf(args[at])
		if i > 0 && owner != shard {
			return router.Nobody
		}
		shard = owner
	}
	return shard
}

// take is the answer to a question, or the last piece of it.
func (j *job) take(sub uint16, reply []byte) {
	j.piece(sub, reply)
	if !j.over {
		j.keep(memberCost * resp.Value(j.replies[sub]).Len())
	}
	j.answered()
}

func (j *job) piece(sub uint16, reply []byte) {
	if j.over {
		return
	}
	if j.keep(len(reply)); !j.over {
		j.replies[sub] = append(j.replies[sub], reply...)
	}
}

// pass takes what has come of a reply: nothing of it waits in the lane's buffer, where no limit of ours would hold it. It returns how many bytes of buf are
// done with.
func (j *job) pass(ln *lane, buf []byte) int {
	n := ln.replies.Seen()
	if n > 0 {
		ln.replies.Shift(n)
		ln.passing = true
		j.piece(ln.queue.front().sub, buf[:n])
	}
	return n
}

// forget drops the pieces of a reply whose lane was lost.
func (j *job) forget(sub uint16) {
	if j.over {
		return
	}
	j.keep(-len(j.replies[sub]))
	j.replies[sub] = nil
}

// keep counts bytes for the limits of one command and of the loop.
func (j *job) keep(bytes int) {
	j.kept += bytes
	j.p.gathered += bytes
	most := j.p.opts.GatherMaxBytes
	if j.writes { // what writes answer is short, and how they ended has to be known
		return
	}
	if int64(j.kept) > most || int64(j.p.gathered) > gatherLoopTimes*most {
		j.over = true
		j.drop()
	}
}

// gatherLoopTimes is how many times the limit of one command all commands of a loop may keep.
const gatherLoopTimes = 4

// drop forgets all replies.
func (j *job) drop() {
	j.p.gathered -= j.kept
	j.kept = 0
	clear(j.replies)
}

func (j *job) answered() {
	if j.left--; j.left > 0 {
		return
	}
	switch {
	case j.over:
		j.p.count.gatherRefused++
		code := "ERR"
		if j.row.ID == command.CmdXReadGroup { // it has read, and what it has read is pending
			code = "UNKNOWN"
		}
		j.fail(fmt.Sprintf("%s what %s needs of several shards is more than gateway.gather-max (%d bytes); keep its keys on one shard, with a {tag}, or raise the limit",
			code, j.row.Name, j.p.opts.GatherMaxBytes))
	case j.moved && j.p.nowNS-j.startNS > int64(j.p.opts.Upstream.ReplyTimeout):
		j.fail("CLUSTERDOWN the topology keeps changing")
	case j.moved:
		j.moved = false
		j.drop()
		j.begin(j)
	default:
		j.then(j)
	}
}

// again sends a question once more, to whoever has its keys now. It surely has not run, or may run twice.
func (j *job) again(t ticket, raw []byte) {
	req, _, st := j.p.again.Next(raw)
	if st != resp.Done {
		j.take(t.sub, appendError(nil, "ERR the gateway could not read a command again"))
		return
	}
	if j.cluster != j.p.topo.Cluster {
		j.take(t.sub, appendError(nil, textMovedAway))
		return
	}
	if shard := j.p.ownerOf(t.row, req.Args); shard >= 0 {
		j.p.resendTo(j.p.shards[shard], t, raw)
		return
	}
	j.moved = true // only a question that reads has several keys, and only in a first round; or one that pops, before which nothing was popped
	j.take(t.sub, nil)
}

// fail ends the job with an error line of ours.
func (j *job) fail(text string) { j.finish(appendError(nil, text)) }

// failed ends the job if a question failed, with the error of the first.
func (j *job) failed() bool {
	for _, reply := range j.replies {
		if resp.IsError(reply) {
			j.finish(append([]byte(nil), reply...))
			return true
		}
	}
	return false
}

// finish ends the job: reply is the client's.
func (j *job) finish(reply []byte) {
	s := j.s
	e := s.q.at(j.seq)
	m := e.merge
	e.merge, m.job = nil, nil
	j.drop()
	j.replies = nil
	j.p.merges.put(m, &j.p.bufs)
	s.job = nil
	if !s.gone {
		j.p.finishing = j
		s.complete(j.seq, reply)
		j.p.finishing = nil
	}
}

// asideMin is how much a job must have gathered to be worked out beside the loop: other clients would notice the time.
const asideMin = 256 << 10

// workOut ends the job with what work makes of the replies; work looks at nothing else that may change.
func (j *job) workOut(work func() []byte) {
	j.p.count.gathers++
	if j.kept < asideMin && !j.long || j.p.g.aside == nil {
		j.finish(work())
		return
	}
	j.p.g.aside(func() {
		reply := work()
		j.p.l.Post(func() {
			j.p.enter()
			j.finish(reply)
		})
	})
}

// writer makes a reply in the session's protocol.
func (j *job) writer() *resp.Writer { return &resp.Writer{Proto: j.s.proto} }

// abandoned says whether a session's replies go nowhere.
func (s *session) abandoned() bool { return s.gone && s.job == nil }
