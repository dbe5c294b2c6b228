package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
)

const (
	// interFew is how many members in all are fetched without asking further: fewer than what another round trip costs.
	interFew = 1000
	// interMost is how many members of the smallest the other shards are asked about.
	interMost = 100_000
)

// inter is SINTER, SINTERCARD or ZINTERCARD under way. Sizes are looked at first. An empty set ends it; of large sets only the smallest is fetched, and the
// other shards are asked which of its members they have.
type inter struct {
	keys   [][]byte // each once
	sizes  map[string]int64
	scored map[string]bool // which are sorted sets
	limit  int64           // of what is counted; 0 = none
	whole  func()          // fetches all that is needed in one round
}

func (j *job) intersect(in *inter) {
	in.sizes, in.scored = map[string]int64{}, map[string]bool{}
	var questions []question
	for _, key := range in.keys {
		if questions = append(questions, j.question(command.CmdSCard, key)); j.row.ID == command.CmdZInterCard {
			questions = append(questions, j.question(command.CmdZCard, key))
		}
	}
	if len(questions) > questionsMax {
		j.fail(textManyKeys)
		return
	}
	j.ask(func(j *job) {
		each := len(j.replies) / len(in.keys)
		for i, key := range in.keys {
			if wrong := in.sized(key, j.replies[i*each:(i+1)*each]); wrong != nil {
				j.finish(append([]byte(nil), wrong...))
				return
			}
		}
		j.intersectBySize(in)
	}, questions...)
}

// sized takes what a key's shard says of its size: as a set, and perhaps as a sorted set. It gives the error if it is neither.
func (in *inter) sized(key []byte, replies [][]byte) (wrong []byte) {
	for i, reply := range replies {
		size, ok := resp.ParseInt(reply)
		switch {
		case ok:
			in.sizes[string(key)], in.scored[string(key)] = size, i > 0
			return nil
		case !resp.IsError(reply):
			return []byte(errorOutOfForm)
		case wrong == nil || isWrongType(wrong): // a shard that is lost says so to both
			wrong = reply
		}
	}
	return wrong
}

func (j *job) intersectBySize(in *inter) {
	groups := j.p.groups(in.keys)
	total, smallest, least := int64(0), 0, int64(0)
	for i, group := range groups {
		size := in.sizes[string(group.keys[0])]
		for _, key := range group.keys {
			size = min(size, in.sizes[string(key)])
		}
		total += size
		if i == 0 || size < least {
			smallest, least = i, size
		}
	}
	switch {
	case least == 0:
		j.finish(j.membersReply(nil, in.limit))
	case in.limit > 0 && least > max(in.limit, interFew):
		j.countSome(in)
	case total <= interFew || least > interMost:
		in.whole()
	default:
		j.probe(in, groups, smallest)
	}
}

// probe fetches the members of one group of keys, and asks of each other key which of them it has.
func (j *job) probe(in *inter, groups []keyGroup, first int) {
	mine := groups[first].keys
	fetch := j.question(command.CmdSInter, mine...)
	switch {
	case j.row.ID == command.CmdZInterCard:
		fetch = j.scoredQuestion(command.CmdZInter, false, mine...)
	case len(mine) == 1:
		fetch = j.question(command.CmdSMembers, mine...)
	}
	j.ask(func(j *job) {
		o := j.members()
		switch {
		case o == nil:
			return
		case o.Len() == 0:
			j.finish(j.membersReply(nil, in.limit))
			return
		}
		var others [][]byte
		for i, group := range groups {
			if i != first {
				others = append(others, group.keys...)
			}
		}
		j.askWho(in, others, o.members, func(all [][]byte) {
			j.p.count.gathers++
			j.finish(j.membersReply(all, in.limit))
		})
	}, fetch)
}

// askWho asks which members all of the keys have.
func (j *job) askWho(in *inter, keys, members [][]byte, then func(all [][]byte)) {
	var questions []question
	for _, key := range keys {
		id := command.CmdSMIsMember
		if in.scored[string(key)] {
			id = command.CmdZMScore
		}
		questions = append(questions, j.question(id, append([][]byte{key}, members...)...))
	}
	j.ask(func(j *job) {
		if j.failed() {
			return
		}
		var has []resp.Iter
		for _, reply := range j.replies {
			has = append(has, resp.Elements(reply))
		}
		var all [][]byte
		for _, member := range members {
			everywhere := true
			for i := range has {
				elem, ok := has[i].Next()
				if !ok {
					j.finish([]byte(errorOutOfForm))
					return
				}
				n, isNumber := resp.ParseInt(elem)
				if in.scored[string(keys[i])] {
					everywhere = everywhere && !resp.Value(elem).IsNull()
				} else {
					everywhere = everywhere && isNumber && n == 1
				}
			}
			if everywhere {
				all = append(all, member)
			}
		}
		then(all)
	}, questions...)
}

// membersReply is SINTER's reply, or how many there are, up to the limit, for SINTERCARD and ZINTERCARD.
func (j *job) membersReply(all [][]byte, limit int64) []byte {
	if j.row.ID == command.CmdSInter {
		each := func(yield func([]byte) bool) {
			for _, member := range all {
				if !yield(member) {
					return
				}
			}
		}
		return j.setReply(each)
	}
	n := int64(len(all))
	if limit > 0 {
		n = min(n, limit)
	}
	return resp.AppendInt(nil, n)
}
