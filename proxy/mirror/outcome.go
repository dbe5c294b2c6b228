package mirror

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// option says whether a word stands among the arguments from one on.
func option(args [][]byte, from int, word string) int {
	for i := from; i < len(args); i++ {
		if command.EqualFold(args[i], word) {
			return i
		}
	}
	return 0
}

// is tells whether the reply is a number.
func (w *outcome) is(n int64) bool {
	got, ok := resp.ParseInt(w.reply)
	return ok && got == n
}

// byChance says whether what the command did cannot be told from it and its reply.
func (w *outcome) byChance() bool {
	switch w.row.ID {
	case command.CmdEval:
		w.m.learnScript(w.args[1])
		return resp.IsError(w.reply) || !settled(w.args[1])
	case command.CmdEvalSHA:
		return resp.IsError(w.reply) || !w.m.scripts[strings.ToLower(string(w.args[1]))]
	case command.CmdFCall:
		return true
	case command.CmdXAdd:
		at := idAt(w.args)
		return at == 0 || bytes.HasSuffix(w.args[at], []byte("*")) && w.reply == nil || option(w.args[:at], 2, "~") > 0
	case command.CmdXTrim:
		return option(w.args, 2, "~") > 0
	case command.CmdSPop:
		return w.reply == nil
	case command.CmdSort:
		return option(w.args, 2, "by") > 0 || option(w.args, 2, "get") > 0
	}
	return w.timed()
}

// timed says whether it gives fields of a hash a time to live, which nobody here keeps.
func (w *outcome) timed() bool {
	switch w.row.ID {
	case command.CmdHExpire, command.CmdHPExpire, command.CmdHExpireAt, command.CmdHPExpireAt, command.CmdHGetEx, command.CmdHSetEx:
		return true
	}
	return false
}

// total says whether what the key has now follows from the command, and that it did something, alone.
func (w *outcome) total() bool {
	switch w.row.ID {
	case command.CmdSet:
		if option(w.args, 3, "get") > 0 {
			return !conditional(w.row, w.args)
		}
		return !resp.Value(w.reply).IsNull()
	case command.CmdSetEx, command.CmdPSetEx, command.CmdGetSet, command.CmdMSet, command.CmdDel, command.CmdUnlink, command.CmdGetDel, command.CmdRestore:
		return true
	case command.CmdSetNX, command.CmdMSetNX:
		return w.is(1)
	case command.CmdLPush, command.CmdRPush:
		return w.is(int64(len(w.args) - 2))
	case command.CmdAppend:
		return w.is(int64(len(w.args[2])))
	}
	return false
}

// conditional says whether a command does what it does only if the key is as it should be: then only its reply tells that a side has done it.
func conditional(row *command.Row, args [][]byte) bool {
	switch row.ID {
	case command.CmdSet:
		return option(args, 3, "nx")+option(args, 3, "xx") > 0
	case command.CmdSetNX, command.CmdMSetNX, command.CmdLPush, command.CmdRPush, command.CmdAppend:
		return true
	}
	return false
}

// elsewhere is what a command did to keys of another database.
func (w *outcome) elsewhere(db int) {
	at, arg := 0, 1
	switch w.row.ID {
	case command.CmdMove:
		at = 2
	case command.CmdCopy:
		arg = 2
		if at = option(w.args, 3, "db"); at > 0 {
			at++
		}
	}
	if at == 0 || at >= len(w.args) {
		return
	}
	other, err := strconv.Atoi(string(w.args[at]))
	if err != nil {
		return // an error, for the source too
	}
	for _, db := range []int{other, db} {
		id := w.m.keyID(db, w.args[arg])
		w.m.recent.wrote(id, db, w.it.lane, w.it.startNS, w.it.endNS)
		w.m.forget(id)
	}
}

// expires is a key's new state with its time to live.
func (w *outcome) expires(was, now keyState) keyState {
	args := w.args
	switch w.row.ID {
	case command.CmdSet:
		if option(args, 3, "keepttl") > 0 {
			now.known = was.known
			now.dueNS, now.withinNS = was.dueNS, was.withinNS
			return now
		}
		return w.byOptions(now, 3)
	case command.CmdGetEx:
		return w.byOptions(now, 2)
	case command.CmdSetEx:
		return w.due(now, args[2], time.Second, false)
	case command.CmdPSetEx:
		return w.due(now, args[2], time.Millisecond, false)
	case command.CmdRestore:
		if bytes.Equal(args[2], []byte("0")) {
			return now
		}
		return w.due(now, args[2], time.Millisecond, option(args, 4, "absttl") > 0)
	case command.CmdPersist:
		now.dueNS, now.withinNS = 0, 0
		return now
	}
	if !w.is(1) {
		return now
	}
	switch w.row.ID {
	case command.CmdExpire:
		return w.due(now, args[2], time.Second, false)
	case command.CmdPExpire:
		return w.due(now, args[2], time.Millisecond, false)
	case command.CmdExpireAt:
		return w.due(now, args[2], time.Second, true)
	case command.CmdPExpireAt:
		return w.due(now, args[2], time.Millisecond, true)
	}
	return now
}

// byOptions is the time to live of SET and GETEX.
func (w *outcome) byOptions(now keyState, from int) keyState {
	for _, o := range []struct {
		word     string
		unit     time.Duration
		absolute bool
	}{{"ex", time.Second, false}, {"px", time.Millisecond, false}, {"exat", time.Second, true}, {"pxat", time.Millisecond, true}} {
		if at := option(w.args, from, o.word); at > 0 && at+1 < len(w.args) {
			return w.due(now, w.args[at+1], o.unit, o.absolute)
		}
	}
	if option(w.args, from, "persist") > 0 {
		now.dueNS, now.withinNS = 0, 0
	}
	return now
}

const dueMost = int64(1) << 53 // further away nothing expires

// due notes when a key expires. What is told by how long counts from another moment at the shadow.
func (w *outcome) due(now keyState, arg []byte, unit time.Duration, absolute bool) keyState {
	n, ok := resp.ParseNumber(arg)
	if !ok || n > dueMost/int64(unit) || n < -dueMost/int64(unit) {
		return keyState{}
	}
	now.withinNS = slackNS + w.lagNS + w.it.endNS - w.it.startNS
	if absolute {
		now.dueNS = n*int64(unit) - w.m.base.UnixNano()
	} else {
		now.dueNS = w.it.endNS + n*int64(unit)
		if w.lagNS > int64(w.m.o.Tolerance)/2 {
			return keyState{}
		}
	}
	if now.dueNS == 0 {
		now.dueNS = 1
	}
	return now
}

const scriptsMost = 10_000

// learnScript notes whether a script does the same on equal data, for when it is named by its sum.
func (m *Mirror) learnScript(text []byte) {
	sum := sha1.Sum(text)
	name := hex.EncodeToString(sum[:])
	if _, have := m.scripts[name]; have {
		return
	}
	if len(m.scripts) >= scriptsMost {
		clear(m.scripts)
	}
	m.scripts[name] = settled(text)
}
