package proxy

import (
	"bytes"
	"fmt"
	"math"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// gatherGroup: XREADGROUP that does not wait. A group reads each stream by itself, up to COUNT entries of it, so each stream is asked for by itself, and the
// reply has them in the order in which they were named.
//
// What was read is pending for the consumer, so nothing is to be read where one server would have refused the command: groups are looked for first. If a
// shard is lost behind that, the client is told UNKNOWN, and finds what it has not seen among its pending entries, as when its connection is lost.
func (j *job) gatherGroup() {
	at := j.row.KeyPositions(j.args, nil)
	keys := j.args[at[0] : at[0]+len(at)]
	ids := j.args[at[0]+len(at):]
	group := groupOf(j.args)
	if len(ids) != len(keys) || group == nil || !groupIDs(ids) {
		j.askForError()
		return
	}
	once := distinct(keys)
	var questions []question
	for _, key := range once {
		questions = append(questions, j.question(command.CmdXPending, key, group, []byte("-"), []byte("+"), []byte("1")))
	}
	if max(len(keys), len(once)) > questionsMax {
		j.fail(textManyKeys)
		return
	}
	j.ask(func(j *job) {
		for i, reply := range j.replies {
			switch {
			case bytes.HasPrefix(reply, []byte("-NOGROUP ")):
				j.fail(fmt.Sprintf("NOGROUP No such key '%s' or consumer group '%s' in XREADGROUP with GROUP option", once[i], group))
				return
			case resp.IsError(reply):
				j.finish(append([]byte(nil), reply...))
				return
			}
		}
		j.readGroup(keys, ids, j.args[:at[0]])
	}, questions...)
}

func (j *job) readGroup(keys, ids, options [][]byte) {
	var questions []question
	for i, key := range keys {
		args := append([][]byte(nil), options...)
		questions = append(questions, question{row: j.row, args: append(args, key, ids[i]), db: j.s.db})
	}
	j.ask(func(j *job) {
		wrong, read := []byte(nil), false
		var found [][]byte
		for _, reply := range j.replies {
			streams, ok := streamsOf(reply)
			switch {
			case resp.IsError(reply) && wrong == nil:
				wrong = reply
			case !ok && wrong == nil:
				wrong = []byte(errorOutOfForm)
			}
			for _, stream := range streams {
				found = append(found, stream.raw)
				read = true
			}
		}
		switch {
		case wrong == nil:
			j.workOut(func() []byte { return j.writeStreams(found) })
		case read:
			j.halfWay("what was read of the others is pending for the consumer", errorOf(wrong))
		default:
			j.finish(append([]byte(nil), wrong...))
		}
	}, questions...)
	j.writes = false // what they answer may be long, and is not needed to say how it ended
}

// groupOf is the group that XREADGROUP names, nil if it names none.
func groupOf(args [][]byte) []byte {
	var group []byte
	for i := 1; i < len(args); i++ {
		switch {
		case command.EqualFold(args[i], "streams"):
			return group
		case command.EqualFold(args[i], "group") && i+2 < len(args):
			group = args[i+1]
			i += 2
		case command.EqualFold(args[i], "count"):
			i++
		}
	}
	return nil
}

// groupIDs says whether all are IDs that XREADGROUP takes.
func groupIDs(ids [][]byte) bool {
	for _, id := range ids {
		if string(id) == ">" {
			continue
		}
		ms, seq, two := bytes.Cut(id, []byte("-"))
		if !isUint64(ms) || two && !isUint64(seq) {
			return false
		}
	}
	return true
}

func isUint64(text []byte) bool {
	n := uint64(0)
	for _, c := range text {
		digit := uint64(c - '0')
		if c < '0' || c > '9' || n > (math.MaxUint64-digit)/10 {
			return false
		}
		n = 10*n + digit
	}
	return len(text) > 0
}
