package proxy

import (
	"crypto/sha1"
	"encoding/hex"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// rename: the value is restored under its new name, and then deleted under the old one if it is still the same. If others have changed it, their change is
// moved too.
func (j *job) rename() { j.renameTry(stepTriesMax) }

func (j *job) renameTry(tries int) {
	from, to := j.args[1], j.args[2]
	onlyNew := j.row.ID == command.CmdRenameNX
	j.dump(from, func() { j.fail("ERR no such key") }, func(value, ttl []byte) {
		sum := sumOf(value)
		j.ask(func(j *job) {
			switch {
			case onlyNew && isBusyKey(j.replies[0]):
				j.answerInt(0)
			case !j.failed():
				j.ask(func(j *job) { j.renamed(sum, tries) }, j.script(command.CmdEval, scriptDrop, [][]byte{from}, sum))
			}
		}, j.restore(to, ttl, value, !onlyNew))
	})
}

// renamed: the value is at both keys, or was moved.
func (j *job) renamed(sum []byte, tries int) {
	const both = "the value may be at both keys"
	onlyNew := j.row.ID == command.CmdRenameNX
	n, ok := resp.ParseInt(j.replies[0])
	switch {
	case !ok:
		j.halfWay(both, errorOf(j.replies[0]))
	case n == 1 && onlyNew:
		j.answerInt(1)
	case n == 1:
		j.finish([]byte("+OK\r\n"))
	case tries > 1 && !onlyNew:
		j.renameTry(tries - 1)
	case !onlyNew:
		j.halfWay("an older value of the key is at the new one", "others kept changing it")
	default: // others changed the value: what was made of the old one is taken back
		j.ask(func(j *job) {
			switch n, ok := resp.ParseInt(j.replies[0]); {
			case !ok:
				j.halfWay(both, errorOf(j.replies[0]))
			case n == 0:
				j.halfWay(both, "both were changed meanwhile")
			case tries > 1:
				j.renameTry(tries - 1)
			default:
				j.fail(textKeepsChanging)
			}
		}, j.script(command.CmdEval, scriptDrop, [][]byte{j.args[2]}, sum))
	}
}

// sumOf is the payload's digest as redis.sha1hex writes it.
func sumOf(payload []byte) []byte {
	sum := sha1.Sum(payload)
	return hex.AppendEncode(nil, sum[:])
}

// copyKey: COPY.
func (j *job) copyKey() {
	db, replace, wrong := j.copyOptions()
	if wrong != "" {
		j.fail(wrong)
		return
	}
	j.dump(j.args[1], func() { j.answerInt(0) }, func(value, ttl []byte) {
		put := j.restore(j.args[2], ttl, value, replace)
		put.db = db
		j.ask(func(j *job) {
			switch {
			case isBusyKey(j.replies[0]):
				j.answerInt(0)
			case !j.failed():
				j.answerInt(1)
			}
		}, put)
	})
}

func (j *job) copyOptions() (db int, replace bool, wrong string) {
	db = j.s.db
	for args := j.args[3:]; len(args) > 0; args = args[1:] {
		switch {
		case command.EqualFold(args[0], "replace"):
			replace = true
		case command.EqualFold(args[0], "db") && len(args) > 1:
			if db, wrong = client.ParseDB(args[1], j.s.databases()); wrong != "" {
				return 0, false, wrong
			}
			args = args[1:]
		default:
			return 0, false, "ERR syntax error"
		}
	}
	return db, replace, ""
}

// moveMember: SMOVE adds the member where it goes and then takes it away where it was. If another has taken it away meanwhile, it is moved all the same: it
// was there when this command looked.
func (j *job) moveMember() {
	from, to, member := j.args[1], j.args[2], j.args[3]
	j.ask(func(j *job) {
		is, ok := resp.ParseInt(j.replies[0])
		exists, isNumber := resp.ParseInt(j.replies[1])
		switch {
		case !ok || !isNumber:
			if !j.failed() {
				j.finish([]byte(errorOutOfForm))
			}
			return
		case exists == 0:
			j.answerInt(0)
			return
		case j.failed():
			return
		case is == 0:
			j.answerInt(0)
			return
		}
		j.ask(func(j *job) {
			if j.failed() {
				return
			}
			j.ask(func(j *job) {
				if why := errorOf(j.replies[0]); why != "" {
					j.halfWay("the member may be in both sets", why)
					return
				}
				j.answerInt(1)
			}, j.question(command.CmdSRem, from, member))
		}, j.question(command.CmdSAdd, to, member))
	}, j.question(command.CmdSIsMember, from, member), j.question(command.CmdExists, from), j.question(command.CmdSIsMember, to, member))
}

// moveElement: LMOVE and RPOPLPUSH add the element where it goes and then take it away where it was. If another has taken it away meanwhile, it is taken back
// and the next is tried.
func (j *job) moveElement() {
	source, target := byte('r'), byte('l')
	if j.row.ID == command.CmdLMove {
		var ok, ok2 bool
		source, ok = endOf(j.args[3])
		target, ok2 = endOf(j.args[4])
		if !ok || !ok2 {
			j.fail("ERR syntax error")
			return
		}
	}
	j.moveElementTry(source, target, stepTriesMax)
}

// endOf reads an end of a list.
func endOf(word []byte) (end byte, ok bool) {
	switch {
	case command.EqualFold(word, "left"):
		return 'l', true
	case command.EqualFold(word, "right"):
		return 'r', true
	}
	return 0, false
}

func (j *job) moveElementTry(source, target byte, tries int) {
	from, to := j.args[1], j.args[2]
	push := command.CmdLPush
	if target == 'r' {
		push = command.CmdRPush
	}
	j.ask(func(j *job) {
		if j.failed() {
			return
		}
		element, ok := resp.BulkOf(j.replies[0])
		if !ok {
			w := j.writer()
			w.Null()
			j.finish(w.Out)
			return
		}
		j.ask(func(j *job) {
			if j.failed() {
				return
			}
			j.ask(func(j *job) { j.movedElement(source, target, element, tries) }, j.question(command.CmdLRem, from, fromEnd(source), element))
		}, j.question(push, to, element))
	}, j.question(command.CmdLIndex, from, indexOf(source)))
}

// movedElement: the element is in both lists, or was moved.
func (j *job) movedElement(source, target byte, element []byte, tries int) {
	const both = "the element may be in both lists"
	n, ok := resp.ParseInt(j.replies[0])
	switch {
	case !ok:
		j.halfWay(both, errorOf(j.replies[0]))
		return
	case n == 1:
		j.finish(resp.AppendBulk(nil, element))
		return
	}
	j.ask(func(j *job) {
		switch why := errorOf(j.replies[0]); {
		case why != "":
			j.halfWay(both, why)
		case tries > 1:
			j.moveElementTry(source, target, tries-1)
		default:
			j.fail(textKeepsChanging)
		}
	}, j.question(command.CmdLRem, j.args[2], fromEnd(target), element))
}

// indexOf is the place of the element at an end.
func indexOf(end byte) []byte {
	if end == 'l' {
		return []byte("0")
	}
	return []byte("-1")
}

// fromEnd is LREM's count for the one element nearest to an end.
func fromEnd(end byte) []byte {
	if end == 'l' {
		return []byte("1")
	}
	return []byte("-1")
}
