package proxy

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"larder/protocol/command"
	"larder/protocol/encoding/rdb"
	"larder/protocol/resp"
	"larder/router"
)

// A write whose keys lie on several shards is done in steps where gateway.cross-slot allows it (docs/cross-slot.md). Its steps are in such an order that one
// that fails leaves something in two places, never in none: what is moved is there before it is gone here. Each step is one command of one shard, so it is
// atomic there.

// stepsOf is how a command that writes begins; nil: it is refused all the same.
func stepsOf(row *command.Row, args [][]byte) func(*job) {
	switch row.ID {
	case command.CmdSInterStore, command.CmdSUnionStore, command.CmdSDiffStore:
		return (*job).storeSets
	case command.CmdZUnionStore, command.CmdZInterStore, command.CmdZDiffStore:
		return (*job).storeScored
	case command.CmdZRangeStore:
		return (*job).storeRange
	case command.CmdGeoSearchStore:
		for _, arg := range args[3:] {
			if command.EqualFold(arg, "storedist") {
				return (*job).storeDistances
			}
		}
		return (*job).storePlaces
	case command.CmdGeoRadius, command.CmdGeoRadiusByMember:
		if storeAt(row, args) > 0 {
			return (*job).storeNear
		}
	case command.CmdLMPop, command.CmdZMPop:
		return (*job).popFirst
	case command.CmdBitOp:
		return (*job).storeBits
	case command.CmdSort:
		return (*job).storeSorted
	case command.CmdPFMerge:
		return (*job).mergeInto
	case command.CmdRename, command.CmdRenameNX:
		return (*job).rename
	case command.CmdCopy:
		return (*job).copyKey
	case command.CmdSMove:
		return (*job).moveMember
	case command.CmdLMove, command.CmdRPopLPush:
		return (*job).moveElement
	}
	return nil
}

// errorOf is the text of an error among the replies; empty = there is none.
func errorOf(replies ...[]byte) string {
	for _, reply := range replies {
		if text, failed := resp.ErrorOf(reply); failed {
			return string(text)
		}
	}
	return ""
}

// halfWay ends a job of which a part was done. Its error is one on which no driver sends again by itself, whatever the step failed with.
func (j *job) halfWay(what, why string) {
	j.p.count.unknown++
	j.fail("UNKNOWN '" + j.row.Name + "' over several shards was not done to its end, " + what + ": " + why)
}

func (j *job) answerInt(n int64) { j.finish(resp.AppendInt(nil, n)) }

// A payload is what RESTORE makes a value of: plain forms, of which a node makes the encoding that its own limits ask for.
func payload(t rdb.Type, body func(dst []byte) []byte) []byte {
	return rdb.AppendFooter(body([]byte{byte(t)}), 0)
}

func textsPayload(t rdb.Type, texts [][]byte) []byte {
	return payload(t, func(dst []byte) []byte {
		dst = rdb.AppendLength(dst, uint64(len(texts)))
		for _, text := range texts {
			dst = rdb.AppendString(dst, text, nil)
		}
		return dst
	})
}

func scoredPayload(all []entry) []byte {
	return payload(rdb.TypeZSet, func(dst []byte) []byte {
		dst = rdb.AppendLength(dst, uint64(len(all)))
		for _, e := range all {
			dst = rdb.AppendString(dst, e.member, nil)
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(e.score))
		}
		return dst
	})
}

// store is a command's last step: n elements become the key's value, whatever was there, and n is the reply. Nothing leaves no key.
func (j *job) store(key []byte, n int, payload func() []byte) {
	answer := func(j *job) {
		if !j.failed() {
			j.answerInt(int64(n))
		}
	}
	if n == 0 {
		j.ask(answer, j.question(command.CmdDel, key))
		return
	}
	j.ask(answer, j.restore(key, []byte("0"), payload(), true))
}

func (j *job) restore(key, ttl, payload []byte, replace bool) question {
	args := [][]byte{key, ttl, payload}
	if replace {
		args = append(args, []byte("REPLACE"))
	}
	return j.question(command.CmdRestore, args...)
}

// Scripts, so that what belongs together is seen, or done, at one moment.
const (
	// scriptDump gives a value and how long it has to live.
	scriptDump = "return {redis.call('DUMP',KEYS[1]),redis.call('PTTL',KEYS[1])}"
	// scriptDrop deletes a value if it is still the one that was dumped.
	scriptDrop = "local d=redis.call('DUMP',KEYS[1]) if d and redis.sha1hex(d)==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0"
	// scriptMerge merges a HyperLogLog into a key, by way of another key of the slot, which nobody sees.
	scriptMerge = "redis.call('SET',KEYS[2],ARGV[1]) local ok=redis.pcall('PFMERGE',KEYS[1],KEYS[2]) redis.call('DEL',KEYS[2]) return ok"
)

func (j *job) script(id command.ID, text string, keys [][]byte, args ...[]byte) question {
	words := append([][]byte{[]byte(text), decimalOf(len(keys))}, keys...)
	return j.question(id, append(words, args...)...)
}

// dump asks for a key's value and goes on with it and its time; missing answers where there is no such key.
func (j *job) dump(key []byte, missing func(), then func(value, ttl []byte)) {
	j.ask(func(j *job) {
		if j.failed() {
			return
		}
		switch value, ttl, ok := dumped(j.replies[0]); {
		case !ok:
			j.finish([]byte(errorOutOfForm))
		case value == nil:
			missing()
		default:
			then(value, ttl)
		}
	}, j.script(command.CmdEvalRO, scriptDump, [][]byte{key}))
}

// dumped reads what scriptDump gives: of a key that is not there the payload is nil. ttl is as RESTORE wants it.
func dumped(reply []byte) (payload, ttl []byte, ok bool) {
	it := resp.Elements(reply)
	first, _ := it.Next()
	second, ok := it.Next()
	if !ok {
		return nil, nil, false
	}
	if resp.Value(first).IsNull() {
		return nil, nil, true
	}
	payload, isText := resp.BulkOf(first)
	left, isNumber := resp.ParseInt(second)
	if left < 0 {
		left = 0 // it does not expire
	} else {
		left = max(left, 1)
	}
	return payload, strconv.AppendInt(nil, left, 10), isText && isNumber
}

func isBusyKey(reply []byte) bool { return bytes.HasPrefix(reply, []byte("-BUSYKEY ")) }

// stepTriesMax is how often a command begins anew because others changed meanwhile what it moves.
const stepTriesMax = 16

const textKeepsChanging = "TRYAGAIN others kept changing what was to be moved to another shard, nothing was moved"

// hiddenKeys says what is wrong with a command that may look at keys which its row does not find, where there are several shards: they could be another's,
// and would seem not to be there (Redis 7.2 sort.c, of a cluster). Empty = nothing.
func (p *part) hiddenKeys(row *command.Row, args [][]byte) string {
	if len(p.shards) == 1 {
		return ""
	}
	switch row.ID {
	case command.CmdSort, command.CmdSortRO:
		return hiddenInSort(args)
	case command.CmdGeoRadius, command.CmdGeoRadiusByMember:
		if p.mayCross(row) && storeAt(row, args) > 0 {
			return "" // the row finds it
		}
		return hiddenInGeo(row, args)
	}
	return ""
}

func hiddenInSort(args [][]byte) string {
	for i := 2; i+1 < len(args); i++ {
		var word string
		switch {
		case command.EqualFold(args[i], "by"):
			word = "BY"
		case command.EqualFold(args[i], "get"):
			word = "GET"
		case command.EqualFold(args[i], "limit"):
			i += 2
			continue
		case command.EqualFold(args[i], "store"):
			i++
			continue
		default:
			continue
		}
		i++
		if !staysInSlot(args[i], args[1]) {
			return "ERR " + word + " option of SORT denied in cluster mode."
		}
	}
	return ""
}

// staysInSlot says whether all keys that a pattern of SORT makes are in the slot of key: it makes none, or what counts of them stands before the asterisk.
func staysInSlot(pattern, key []byte) bool {
	star := bytes.IndexByte(pattern, '*')
	if star < 0 {
		return true
	}
	open := bytes.IndexByte(pattern[:star], '{')
	if open < 0 {
		return false
	}
	end := bytes.IndexByte(pattern[open:star], '}')
	return end > 1 && router.Slot(pattern[:star]) == router.Slot(key)
}

// hiddenInGeo: of STORE and STOREDIST the last counts, and a row finds the first of each.
func hiddenInGeo(row *command.Row, args [][]byte) string {
	for i := radiusOptions(row); i+1 < len(args); i++ {
		if word := strings.ToLower(string(args[i])); word == "store" || word == "storedist" {
			if i++; router.Slot(args[i]) != router.Slot(args[1]) {
				return router.Crosses.Error()
			}
		}
	}
	return ""
}
