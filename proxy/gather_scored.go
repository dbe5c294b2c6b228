package proxy

import (
	"bytes"
	"slices"

	"larder/algebra"
	"larder/protocol/command"
	"larder/protocol/encoding/decimal"
)

// scoredCommand is a command of the family of ZUNION as it was asked.
type scoredCommand struct {
	op         setOperation
	card       bool // ZINTERCARD
	keys       [][]byte
	weights    []float64 // one a key
	aggregate  algebra.Aggregate
	withScores bool
	limit      int64
	badWeight  bool // what is wrong is a weight
}

// scoredCommandOf reads one whose number of keys stands at args[at]. Not ok: a node says what is wrong.
func scoredCommandOf(row *command.Row, args [][]byte, at int) (c scoredCommand, ok bool) {
	store := at > 1
	switch row.ID {
	case command.CmdZUnion, command.CmdZUnionStore:
		c.op = setsUnion
	case command.CmdZDiff, command.CmdZDiffStore:
		c.op = setsDiff
	case command.CmdZInterCard:
		c.card = true
	}
	n, ok := decimal.Parse(args[at])
	if !ok || n < 1 || n > int64(len(args)-at-1) {
		return c, false
	}
	c.keys = args[at+1 : at+1+int(n)]
	c.weights = make([]float64, n)
	for i := range c.weights {
		c.weights[i] = 1
	}
	rest := args[at+1+int(n):]
	if c.card {
		c.limit, ok = limitOf(rest)
		return c, ok
	}
	for len(rest) > 0 {
		took, ok := c.option(rest, store)
		if !ok {
			return c, false
		}
		rest = rest[took:]
	}
	return c, true
}

func (c *scoredCommand) option(args [][]byte, store bool) (took int, ok bool) {
	combines := c.op != setsDiff
	switch {
	case combines && command.EqualFold(args[0], "weights") && len(args) > len(c.keys):
		for i := range c.weights {
			if c.weights[i], ok = decimal.ParseDouble(args[1+i]); !ok {
				c.badWeight = true
				return 0, false
			}
		}
		return 1 + len(c.keys), true
	case combines && command.EqualFold(args[0], "aggregate") && len(args) > 1:
		for i, word := range []string{"sum", "min", "max"} {
			if command.EqualFold(args[1], word) {
				c.aggregate = algebra.Aggregate(i)
				return 2, true
			}
		}
	case !store && command.EqualFold(args[0], "withscores"):
		c.withScores = true
		return 1, true
	}
	return 0, false
}

// gatherScored: ZUNION, ZINTER, ZDIFF, ZINTERCARD.
func (j *job) gatherScored() {
	c, ok := scoredCommandOf(j.row, j.args, 1)
	switch {
	case !ok:
		j.askForError()
		return
	case len(c.keys) > questionsMax:
		j.fail(textManyKeys)
		return
	}
	if c.card {
		j.intersect(&inter{keys: distinct(c.keys), limit: c.limit, whole: func() { j.answerScored(&c) }})
		return
	}
	j.answerScored(&c)
}

func (j *job) answerScored(c *scoredCommand) {
	j.askScored(c, func(j *job) {
		if j.failed() {
			return
		}
		j.workOut(func() []byte {
			in, ok := c.operands(j.replies)
			switch {
			case !ok:
				return []byte(errorOutOfForm)
			case c.card:
				return j.countReply(membersOnly(algebra.ScoresIntersection(in, algebra.Sum)), c.limit)
			}
			return j.scoredReply(sorted(c.result(in)), c.withScores)
		})
	})
}

// askScored asks for each key's members and scores: in which order scores are added shows in the last digits, so no shard adds some of them beforehand. Where
// none are added each shard gives what its own make together. ZUNION of one key is asked, since it takes sets too and gives both at one moment.
func (j *job) askScored(c *scoredCommand, then func(*job)) {
	var questions []question
	if !c.card && c.op != setsDiff {
		for _, key := range c.keys {
			questions = append(questions, j.scoredQuestion(command.CmdZUnion, true, key))
		}
		j.ask(then, questions...)
		return
	}
	for i, group := range j.p.groups(c.keys) {
		switch {
		case c.card:
			questions = append(questions, j.scoredQuestion(command.CmdZInter, false, group.keys...))
		case i == 0:
			questions = append(questions, j.scoredQuestion(command.CmdZDiff, true, group.keys...))
		default:
			questions = append(questions, j.scoredQuestion(command.CmdZUnion, false, group.keys...))
		}
	}
	j.ask(then, questions...)
}

func (j *job) scoredQuestion(id command.ID, withScores bool, keys ...[]byte) question {
	args := append([][]byte{decimalOf(len(keys))}, keys...)
	if withScores {
		args = append(args, []byte("WITHSCORES"))
	}
	return j.question(id, args...)
}

// operands reads what askScored was answered.
func (c *scoredCommand) operands(replies [][]byte) ([]algebra.Weighted, bool) {
	var in []algebra.Weighted
	for i, reply := range replies {
		read := membersOf
		if !c.card && (c.op != setsDiff || i == 0) {
			read = scoredOf
		}
		o, ok := read(reply)
		if !ok {
			return nil, false
		}
		weight := float64(1)
		if !c.card && c.op != setsDiff {
			weight = c.weights[i]
		}
		in = append(in, algebra.Weighted{Scored: scored{o}, Weight: weight})
	}
	return in, true
}

func (c *scoredCommand) result(in []algebra.Weighted) algebra.Scores {
	switch c.op {
	case setsUnion:
		return algebra.ScoresUnion(in, c.aggregate)
	case setsDiff:
		return algebra.ScoresDifference(in)
	default:
		return algebra.ScoresIntersection(in, c.aggregate)
	}
}

func membersOnly(scores algebra.Scores) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		scores(func(member []byte, _ float64) bool { return yield(member) })
	}
}

// entry is a member of a result.
type entry struct {
	member []byte
	score  float64
}

// sorted puts a result in the order of a sorted set.
func sorted(scores algebra.Scores) []entry {
	var all []entry
	for member, score := range scores {
		all = append(all, entry{member, score})
	}
	slices.SortFunc(all, func(a, b entry) int {
		switch {
		case a.score < b.score:
			return -1
		case a.score > b.score:
			return 1
		}
		return bytes.Compare(a.member, b.member)
	})
	return all
}

func (j *job) scoredReply(all []entry, withScores bool) []byte {
	w := j.writer()
	if withScores && w.Proto == 2 {
		w.Array(2 * len(all))
	} else {
		w.Array(len(all))
	}
	for _, e := range all {
		if withScores && w.Proto == 3 {
			w.Array(2)
		}
		w.BulkBytes(e.member)
		if withScores {
			w.Double(e.score)
		}
	}
	return w.Out
}
