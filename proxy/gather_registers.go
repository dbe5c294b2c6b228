package proxy

import (
	"strconv"

	"larder/algebra/hll"
	"larder/protocol/command"
	"larder/protocol/resp"
)

const (
	textNotHLL     = "WRONGTYPE Key is not a valid HyperLogLog string value."
	textCorruptHLL = "INVALIDOBJ Corrupted HLL object detected"
)

// gatherRegisters: PFCOUNT of several keys, from what GET shows of them: at most 12 KiB each.
func (j *job) gatherRegisters() {
	j.askTexts(j.keys(), func(j *job) {
		var registers [hll.Registers]byte
		if _, ok := j.mergeRegisters(&registers); !ok {
			return
		}
		j.workOut(func() []byte { return resp.AppendInt(nil, int64(hll.Estimate(&registers))) })
	})
}

// askTexts asks for the strings that keys hold, for each key once.
func (j *job) askTexts(keys [][]byte, then func(*job)) {
	var questions []question
	for _, key := range distinct(keys) {
		questions = append(questions, j.question(command.CmdGet, key))
	}
	if len(questions) > questionsMax {
		j.fail(textManyKeys)
		return
	}
	j.ask(then, questions...)
}

// distinct is each key once.
func distinct(keys [][]byte) [][]byte {
	var once [][]byte
	seen := map[string]bool{}
	for _, key := range keys {
		if !seen[string(key)] {
			seen[string(key)] = true
			once = append(once, key)
		}
	}
	return once
}

// mergeRegisters raises registers to those of all replies, and tells whether one is dense. Not ok: the job has failed.
func (j *job) mergeRegisters(registers *[hll.Registers]byte) (dense, ok bool) {
	if j.failed() {
		return false, false
	}
	for _, reply := range j.replies {
		if resp.Value(reply).IsNull() {
			continue
		}
		block, isText := resp.BulkOf(reply)
		switch {
		case !isText || !hll.Is(block):
			j.fail(textNotHLL)
			return false, false
		case !hll.Merge(block, registers):
			j.fail(textCorruptHLL)
			return false, false
		}
		dense = dense || hll.Dense(block)
	}
	return dense, true
}

func decimalOf(n int) []byte { return strconv.AppendInt(nil, int64(n), 10) }
