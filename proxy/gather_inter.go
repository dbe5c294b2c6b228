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

// gatherIntersection: SINTER and SINTERCARD look at sizes first. An empty set ends it; of large sets only the smallest is fetched, and the other shards are
// asked which of its members they have.
func (j *job) gatherIntersection(keys [][]byte, limit int64) {
	once := distinct(keys)
	if len(once) > questionsMax {
		j.fail(textManyKeys)
		return
	}
	var questions []question
	for _, key := range once {
		questions = append(questions, j.question(command.CmdSCard, key))
	}
	j.ask(func(j *job) {
		if j.failed() {
			return
		}
		sizes := map[string]int64{}
		for i, key := range once {
			size, ok := resp.ParseInt(j.replies[i])
			if !ok {
				j.finish([]byte(errorOutOfForm))
				return
			}
			sizes[string(key)] = size
		}
		j.intersectBySize(once, sizes, limit)
	}, questions...)
}

func (j *job) intersectBySize(keys [][]byte, sizes map[string]int64, limit int64) {
	groups := j.p.groups(keys)
	total, smallest, least := int64(0), 0, int64(0)
	for i, group := range groups {
		size := sizes[string(group.keys[0])]
		for _, key := range group.keys {
			size = min(size, sizes[string(key)])
		}
		total += size
		if i == 0 || size < least {
			smallest, least = i, size
		}
	}
	switch {
	case least == 0:
		j.finish(j.membersReply(nil, limit))
	case total <= interFew || least > interMost:
		j.askSets(setsInter, keys, func(j *job) { j.answerSets(setsInter, limit) })
	default:
		j.probe(groups, smallest, limit)
	}
}

// probe fetches the members of one group of keys, and asks of each other key which of them it has.
func (j *job) probe(groups []keyGroup, first int, limit int64) {
	id := command.CmdSInter
	if len(groups[first].keys) == 1 {
		id = command.CmdSMembers
	}
	j.ask(func(j *job) {
		o := j.members()
		switch {
		case o == nil:
			return
		case o.Len() == 0:
			j.finish(j.membersReply(nil, limit))
			return
		}
		var questions []question
		for i, group := range groups {
			if i == first {
				continue
			}
			for _, key := range group.keys {
				questions = append(questions, j.question(command.CmdSMIsMember, append([][]byte{key}, o.members...)...))
			}
		}
		j.ask(func(j *job) { j.probed(o, limit) }, questions...)
	}, j.question(id, groups[first].keys...))
}

func (j *job) probed(o *operand, limit int64) {
	if j.failed() {
		return
	}
	var has []resp.Iter
	for _, reply := range j.replies {
		has = append(has, resp.Elements(reply))
	}
	var all [][]byte
	for _, member := range o.members {
		in := true
		for i := range has {
			elem, ok := has[i].Next()
			n, isNumber := resp.ParseInt(elem)
			if !ok || !isNumber {
				j.finish([]byte(errorOutOfForm))
				return
			}
			in = in && n == 1
		}
		if in {
			all = append(all, member)
		}
	}
	j.p.count.gathers++
	j.finish(j.membersReply(all, limit))
}

// membersReply is SINTER's reply, or how many there are, up to the limit, for SINTERCARD.
func (j *job) membersReply(all [][]byte, limit int64) []byte {
	each := func(yield func([]byte) bool) {
		for _, member := range all {
			if !yield(member) {
				return
			}
		}
	}
	if j.row.ID == command.CmdSInterCard {
		return j.countReply(each, limit)
	}
	return j.setReply(each)
}
