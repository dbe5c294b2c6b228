package proxy

import (
	"larder/algebra"
	"larder/protocol/command"
	"larder/protocol/encoding/decimal"
	"larder/protocol/resp"
)

const (
	textNotTexts  = "ERR The specified keys must contain string values"
	textLCSMemory = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
	// lcsAsideMin is how many pairs of places are looked at beside the loop.
	lcsAsideMin = 1 << 16
)

// commonOptions are what may stand behind the keys of LCS.
type commonOptions struct {
	length, index, withLen bool
	minLen                 int64
}

func commonOptionsOf(args [][]byte) (o commonOptions, ok bool) {
	for ; len(args) > 0; args = args[1:] {
		switch {
		case command.EqualFold(args[0], "idx"):
			o.index = true
		case command.EqualFold(args[0], "len"):
			o.length = true
		case command.EqualFold(args[0], "withmatchlen"):
			o.withLen = true
		case command.EqualFold(args[0], "minmatchlen") && len(args) > 1:
			if o.minLen, ok = decimal.Parse(args[1]); !ok {
				return o, false
			}
			args = args[1:]
		default:
			return o, false
		}
	}
	return o, !o.length || !o.index
}

// gatherCommon: LCS of two keys, whose texts are fetched. What is wrong with what stands behind them a node says.
func (j *job) gatherCommon() {
	o, ok := commonOptionsOf(j.args[3:])
	if !ok {
		j.askForError()
		return
	}
	get := func(key []byte) question { return j.question(command.CmdGet, key) }
	j.ask(func(j *job) {
		for _, reply := range j.replies {
			if isWrongType(reply) {
				j.fail(textNotTexts)
				return
			}
		}
		if j.failed() {
			return
		}
		a, _ := resp.BulkOf(j.replies[0]) // a key that is not there has no text
		b, _ := resp.BulkOf(j.replies[1])
		if algebra.LCSMemory(len(a), len(b)) > j.p.g.settings.Load().bulkMax {
			j.fail(textLCSMemory)
			return
		}
		j.long = len(a)*len(b) >= lcsAsideMin
		j.workOut(func() []byte { return j.commonReply(a, b, &o) })
	}, get(j.args[1]), get(j.args[2]))
}

func (j *job) commonReply(a, b []byte, o *commonOptions) []byte {
	w := j.writer()
	switch {
	case o.length:
		w.Int(int64(algebra.LCSLength(a, b)))
		return w.Out
	case !o.index:
		w.BulkBytes(algebra.LCS(a, b))
		return w.Out
	}
	runs, matches := 0, j.writer()
	n := algebra.LCSRuns(a, b, func(inA, inB, size int) {
		if int64(size) < o.minLen {
			return
		}
		runs++
		if o.withLen {
			matches.Array(3)
		} else {
			matches.Array(2)
		}
		for _, from := range [...]int{inA, inB} {
			matches.Array(2)
			matches.Int(int64(from))
			matches.Int(int64(from + size - 1))
		}
		if o.withLen {
			matches.Int(int64(size))
		}
	})
	w.Map(2)
	w.Bulk("matches")
	w.Array(runs)
	w.Out = append(w.Out, matches.Out...)
	w.Bulk("len")
	w.Int(int64(n))
	return w.Out
}
