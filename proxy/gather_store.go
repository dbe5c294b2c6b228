package proxy

import (
	"bytes"
	"strconv"

	"larder/algebra"
	"larder/algebra/hll"
	"larder/protocol/command"
	"larder/protocol/encoding/rdb"
	"larder/protocol/resp"
	"larder/router"
)

// storeSets: SINTERSTORE, SUNIONSTORE, SDIFFSTORE.
func (j *job) storeSets() {
	op := setOperationOf(j.row.ID)
	j.askSets(op, j.args[2:], func(j *job) {
		if j.failed() {
			return
		}
		sets, ok := setsOf(j.replies)
		if !ok {
			j.finish([]byte(errorOutOfForm))
			return
		}
		var all [][]byte
		for member := range combine(op, sets) {
			all = append(all, member)
		}
		j.store(j.args[1], len(all), func() []byte { return textsPayload(rdb.TypeSet, all) })
	})
}

// storeScored: ZUNIONSTORE, ZINTERSTORE, ZDIFFSTORE.
func (j *job) storeScored() {
	c, ok := scoredCommandOf(j.row, j.args, 2)
	if !ok {
		j.refuseScored(&c)
		return
	}
	j.askScored(&c, func(j *job) {
		if j.failed() {
			return
		}
		in, ok := c.operands(j.replies)
		if !ok {
			j.finish([]byte(errorOutOfForm))
			return
		}
		j.storeEntries(j.args[1], sorted(c.result(in)))
	})
}

// refuseScored: what stands behind the keys is wrong, but a key of another type comes first.
func (j *job) refuseScored(c *scoredCommand) {
	text := "ERR syntax error"
	if c.badWeight {
		text = "ERR weight value is not a float"
	}
	var questions []question
	for _, key := range c.keys {
		questions = append(questions, j.scoredQuestion(command.CmdZInterCard, false, key))
	}
	j.ask(func(j *job) {
		if !j.failed() {
			j.fail(text)
		}
	}, questions...)
}

func (j *job) storeEntries(to []byte, all []entry) {
	j.store(to, len(all), func() []byte { return scoredPayload(all) })
}

// storeRange: ZRANGESTORE asks ZRANGE, which knows the same options. A range by names tells no scores: they are asked for.
func (j *job) storeRange() {
	args := append([][]byte(nil), j.args[2:]...)
	byLex := false
	for _, arg := range j.args[5:] {
		if command.EqualFold(arg, "withscores") {
			j.fail("ERR syntax error")
			return
		}
		byLex = byLex || command.EqualFold(arg, "bylex")
	}
	if byLex {
		j.ask((*job).storeNamed, j.question(command.CmdZRange, args...))
		return
	}
	j.ask(func(j *job) { j.storeGiven(j.args[1]) }, j.question(command.CmdZRange, append(args, []byte("WITHSCORES"))...))
}

// storeGiven keeps members that a node has given with their scores.
func (j *job) storeGiven(key []byte) {
	if j.failed() {
		return
	}
	o, ok := scoredOf(j.replies[0])
	if !ok {
		j.finish([]byte(errorOutOfForm))
		return
	}
	j.storeEntries(key, o.entries())
}

func (o *operand) entries() []entry {
	all := make([]entry, len(o.members))
	for i, member := range o.members {
		all[i] = entry{member, o.scores[i]}
	}
	return all
}

// storePlaces: GEOSEARCHSTORE keeps the scores that the members have.
func (j *job) storePlaces() {
	for _, arg := range j.args[3:] {
		for _, word := range []string{"withcoord", "withdist", "withhash"} {
			if command.EqualFold(arg, word) {
				j.fail("ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
				return
			}
		}
	}
	j.ask((*job).storeNamed, j.question(command.CmdGeoSearch, j.args[2:]...))
}

// storeNamed keeps the members that were answered, with the scores that they have in the source now; who has left it meanwhile is left out.
func (j *job) storeNamed() {
	o := j.members()
	switch {
	case o == nil:
		return
	case o.Len() == 0:
		j.storeEntries(j.args[1], nil)
		return
	}
	j.ask(func(j *job) {
		if j.failed() {
			return
		}
		var all []entry
		it := resp.Elements(j.replies[0])
		for _, member := range o.members {
			elem, _ := it.Next()
			if resp.Value(elem).IsNull() {
				continue
			}
			digits, _ := resp.Value(elem).Bytes()
			score, err := strconv.ParseFloat(string(digits), 64)
			if err != nil {
				j.finish([]byte(errorOutOfForm))
				return
			}
			all = append(all, entry{member, score})
		}
		j.storeEntries(j.args[1], all)
	}, j.question(command.CmdZMScore, append([][]byte{j.args[2]}, o.members...)...))
}

// storeBits: BITOP.
func (j *job) storeBits() {
	apply, isNot := bitOperation(j.args[1])
	sources := j.args[3:]
	switch {
	case apply == nil:
		j.fail("ERR syntax error")
		return
	case isNot && len(sources) != 1:
		j.fail("ERR BITOP NOT must be called with a single source key.")
		return
	}
	j.askTexts(sources, func(j *job) {
		if j.failed() {
			return
		}
		texts, longest := map[string][]byte{}, 0
		for i, key := range distinct(sources) {
			texts[string(key)], _ = resp.BulkOf(j.replies[i])
			longest = max(longest, len(texts[string(key)]))
		}
		answer := func(j *job) {
			if !j.failed() {
				j.answerInt(int64(longest))
			}
		}
		if longest == 0 {
			j.ask(answer, j.question(command.CmdDel, j.args[2]))
			return
		}
		out := make([]byte, longest)
		copy(out, texts[string(sources[0])])
		if isNot {
			algebra.Not(out)
		}
		for _, key := range sources[1:] {
			apply(out, texts[string(key)])
		}
		j.ask(answer, j.question(command.CmdSet, j.args[2], out))
	})
}

func bitOperation(word []byte) (apply func(dst, src []byte), isNot bool) {
	switch {
	case command.EqualFold(word, "and"):
		return algebra.And, false
	case command.EqualFold(word, "or"):
		return algebra.Or, false
	case command.EqualFold(word, "xor"):
		return algebra.Xor, false
	case command.EqualFold(word, "not"):
		return algebra.Xor, true // of a single source there is nothing to apply
	}
	return nil, false
}

// storeSorted: SORT with STORE asks SORT_RO and keeps the list; what there is nothing for is an empty element.
func (j *job) storeSorted() {
	args := [][]byte{j.args[1]}
	ordered := [][]byte{j.args[1]} // the same without BY
	var to []byte
	asItIs := false
	for i := 2; i < len(j.args); i++ {
		last := i+1 == len(j.args)
		switch word := j.args[i]; {
		case !last && command.EqualFold(word, "store"):
			i++
			to = j.args[i]
		case !last && command.EqualFold(word, "by"):
			asItIs = asItIs || bytes.IndexByte(j.args[i+1], '*') < 0
			args = append(args, j.args[i:i+2]...)
			i++
		default:
			args, ordered = append(args, word), append(ordered, word)
		}
	}
	if !asItIs {
		j.keepSorted(to, args)
		return
	}
	// What has no order of its own is sorted where it is kept, whatever was asked (Redis 7.2 sort.c).
	j.ask(func(j *job) {
		switch {
		case j.failed():
		case bytes.HasPrefix(j.replies[0], []byte("+set")):
			j.keepSorted(to, append(ordered, []byte("ALPHA")))
		default:
			j.keepSorted(to, args)
		}
	}, j.question(command.CmdType, j.args[1]))
}

func (j *job) keepSorted(to []byte, args [][]byte) {
	j.ask(func(j *job) {
		if j.failed() {
			return
		}
		var all [][]byte
		it := resp.Elements(j.replies[0])
		for it.Left() > 0 {
			elem, _ := it.Next()
			text, _ := resp.BulkOf(elem)
			all = append(all, text)
		}
		j.store(to, len(all), func() []byte { return textsPayload(rdb.TypeList, all) })
	}, j.question(command.CmdSortRO, args...))
}

// mergeInto: PFMERGE. What the sources make together goes to the destination's shard, which merges it with what the destination is then.
func (j *job) mergeInto() {
	to := j.args[1]
	sources := j.args[2:]
	j.askTexts(sources, func(j *job) {
		var registers [hll.Registers]byte
		dense, ok := j.mergeRegisters(&registers)
		if !ok {
			return
		}
		block := hll.New(nil)
		if dense {
			block, _ = hll.ToDense(block)
		}
		for register, count := range registers {
			if count > 0 {
				block, _, _ = hll.Raise(block, register, count, hll.DefaultLimits().SparseMax)
			}
		}
		hll.Forget(block)
		beside := keyInSlot(router.Slot(to), j.p.chance.Uint64())
		j.ask(func(j *job) { j.finish(append([]byte(nil), j.replies[0]...)) }, j.script(command.CmdEval, scriptMerge, [][]byte{to, beside}, block))
	})
}

// keyInSlot makes a key of a slot that nobody else uses: one in 16,384 names falls into it.
func keyInSlot(slot int, chance uint64) []byte {
	for n := chance; ; n++ {
		if key := strconv.AppendUint([]byte("larder:step:"), n, 36); router.Slot(key) == slot {
			return key
		}
	}
}
