package proxy

import (
	"bytes"

	"larder/algebra"
	"larder/protocol/command"
	"larder/protocol/encoding/decimal"
)

// keyGroup is keys of a command that one shard has.
type keyGroup struct {
	shard int
	keys  [][]byte
}

// groups sorts keys by shard, in the order in which the shards first appear: the first key is in the first group.
func (p *part) groups(keys [][]byte) []keyGroup {
	var all []keyGroup
	place := map[int]int{} // by shard: its group
	for _, key := range keys {
		shard := p.topo.ShardOf(key)
		at, known := place[shard]
		if !known {
			at = len(all)
			place[shard] = at
			all = append(all, keyGroup{shard: shard})
		}
		all[at].keys = append(all[at].keys, key)
	}
	return all
}

// gatherOf is how a command that reads begins where its keys lie on several shards.
func gatherOf(row *command.Row, args [][]byte) func(*job) {
	switch row.ID {
	case command.CmdSInter, command.CmdSInterCard, command.CmdSUnion, command.CmdSDiff:
		return (*job).gatherSets
	case command.CmdZUnion, command.CmdZInter, command.CmdZDiff, command.CmdZInterCard:
		return (*job).gatherScored
	case command.CmdPFCount:
		return (*job).gatherRegisters
	case command.CmdLCS:
		return (*job).gatherCommon
	case command.CmdXReadGroup:
		if !waitsForStreams(args) {
			return (*job).gatherGroup
		}
	case command.CmdXRead:
		if !waitsForStreams(args) {
			return (*job).gatherStreams
		}
	}
	return nil
}

// keys are the job's keys as its row finds them.
func (j *job) keys() [][]byte {
	var keys [][]byte
	for _, at := range j.row.KeyPositions(j.args, nil) {
		keys = append(keys, j.args[at])
	}
	return keys
}

// setOperation is what a command makes of sets.
type setOperation uint8

const (
	setsInter setOperation = iota
	setsUnion
	setsDiff
)

func setOperationOf(id command.ID) setOperation {
	switch id {
	case command.CmdSUnion, command.CmdSUnionStore:
		return setsUnion
	case command.CmdSDiff, command.CmdSDiffStore:
		return setsDiff
	}
	return setsInter
}

// askSets asks each shard for what its own sets make: their intersection, or their union; of a difference the first shard takes away what it has to take
// away, the others give all that is to be. So little comes, and each shard's sets are seen at one moment.
func (j *job) askSets(op setOperation, keys [][]byte, then func(*job)) {
	var questions []question
	for i, group := range j.p.groups(keys) {
		id := command.CmdSInter
		switch {
		case len(group.keys) == 1:
			id = command.CmdSMembers
		case op == setsDiff && i == 0:
			id = command.CmdSDiff
		case op != setsInter:
			id = command.CmdSUnion
		}
		questions = append(questions, j.question(id, group.keys...))
	}
	j.ask(then, questions...)
}

// question is one of a plain command over keys.
func (j *job) question(id command.ID, args ...[]byte) question {
	row := command.ByID(id)
	return question{row: row, args: append([][]byte{[]byte(row.Name)}, args...), db: j.s.db}
}

// gatherSets: SINTER, SUNION, SDIFF, SINTERCARD.
func (j *job) gatherSets() {
	keys := j.keys()
	op, limit := setOperationOf(j.row.ID), int64(0)
	if j.row.ID == command.CmdSInterCard {
		var ok bool
		if limit, ok = limitOf(j.args[2+len(keys):]); !ok {
			j.askForError()
			return
		}
	}
	if op == setsInter {
		once := distinct(keys)
		whole := func() { j.askSets(setsInter, once, func(j *job) { j.answerSets(setsInter, limit) }) }
		j.intersect(&inter{keys: once, limit: limit, whole: whole})
		return
	}
	j.askSets(op, keys, func(j *job) { j.answerSets(op, 0) })
}

// answerSets ends a job with what the shards' sets make together.
func (j *job) answerSets(op setOperation, limit int64) {
	if j.failed() {
		return
	}
	j.workOut(func() []byte {
		sets, ok := setsOf(j.replies)
		switch {
		case !ok:
			return []byte(errorOutOfForm)
		case j.row.ID == command.CmdSInterCard:
			return j.countReply(combine(op, sets), limit)
		}
		return j.setReply(combine(op, sets))
	})
}

func setsOf(replies [][]byte) ([]algebra.Set, bool) {
	var sets []algebra.Set
	for _, reply := range replies {
		o, ok := membersOf(reply)
		if !ok {
			return nil, false
		}
		sets = append(sets, o)
	}
	return sets, true
}

func combine(op setOperation, sets []algebra.Set) algebra.Members {
	switch op {
	case setsUnion:
		return algebra.Union(sets)
	case setsDiff:
		return algebra.Difference(sets[0], sets[1:])
	default:
		return algebra.Intersection(sets)
	}
}

func (j *job) setReply(members algebra.Members) []byte {
	var all [][]byte
	for member := range members {
		all = append(all, member)
	}
	w := j.writer()
	w.Set(len(all))
	for _, member := range all {
		w.BulkBytes(member)
	}
	return w.Out
}

// countReply counts up to a limit; 0 is none.
func (j *job) countReply(members func(func([]byte) bool), limit int64) []byte {
	n := int64(0)
	for range members {
		if n++; n == limit {
			break
		}
	}
	w := j.writer()
	w.Int(n)
	return w.Out
}

// limitOf reads what may stand behind the keys of SINTERCARD and ZINTERCARD. Not ok: a node says what is wrong.
func limitOf(args [][]byte) (limit int64, ok bool) {
	for ; len(args) > 0; args = args[2:] {
		if len(args) < 2 || !command.EqualFold(args[0], "limit") {
			return 0, false
		}
		if limit, ok = decimal.Parse(args[1]); !ok || limit < 0 {
			return 0, false
		}
	}
	return limit, true
}

// isWrongType says whether an error is about the type of a key, which goes before errors of what stands behind the keys.
func isWrongType(reply []byte) bool {
	return bytes.HasPrefix(reply, []byte("-WRONGTYPE ")) || bytes.HasPrefix(reply, []byte("-"+textNotTexts))
}

// askForError has nodes refuse a command in their own words: what stands behind the keys is wrong. Each shard is asked with its own keys in the place of all,
// since a key of another type may come first.
func (j *job) askForError() {
	at := j.row.KeyPositions(j.args, nil)
	var questions []question
	for _, group := range j.p.groups(j.keys()) {
		args := append([][]byte(nil), j.args...)
		for i, place := range at {
			args[place] = group.keys[i%len(group.keys)]
		}
		questions = append(questions, question{row: j.row, args: args, db: j.s.db})
	}
	j.ask(func(j *job) {
		for _, reply := range j.replies {
			if isWrongType(reply) {
				j.finish(append([]byte(nil), reply...))
				return
			}
		}
		if !j.failed() {
			j.fail("ERR syntax error")
		}
	}, questions...)
}
