package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// popFirst: LMPOP and ZMPOP pop from the first key that has something. Keys that stand together and are one shard's are asked together, one such group after
// the other: nothing is popped twice, but what came to an earlier key after it was looked at is not seen.
func (j *job) popFirst() {
	at := j.row.KeyPositions(j.args, nil)
	end := at[len(at)-1] + 1
	if end == len(j.args) { // it does not say which end
		j.askForError()
		return
	}
	j.popFrom(at[0], end)
}

// popFrom tries the keys from one argument up to another.
func (j *job) popFrom(from, end int) {
	shard, to := j.p.topo.ShardOf(j.args[from]), from+1
	for to < end && j.p.topo.ShardOf(j.args[to]) == shard {
		to++
	}
	args := append([][]byte{j.args[0], decimalOf(to - from)}, j.args[from:to]...)
	j.ask(func(j *job) {
		reply := j.replies[0]
		if to < end && !resp.IsError(reply) && resp.Value(reply).IsNull() {
			j.popFrom(to, end)
			return
		}
		j.finish(append([]byte(nil), reply...))
	}, question{row: j.row, args: append(args, j.args[end:]...), db: j.s.db})
}

// scriptPlaces has a command that keeps what it finds keep it in a key beside its source, which nobody sees, and gives what that is.
const scriptPlaces = "local n=redis.pcall(unpack(ARGV)) if type(n)=='table' then return n end " +
	"local r=redis.call('ZRANGE',KEYS[2],0,-1,'WITHSCORES') redis.call('DEL',KEYS[2]) return r"

// storeFound: GEOSEARCHSTORE with STOREDIST, GEORADIUS and GEORADIUSBYMEMBER with STORE or STOREDIST. Distances are not told with all their digits, so they are
// computed where the source is. The arguments have the destination and the source in these places.
func (j *job) storeFound(to, from int) {
	beside := keyInSlot(router.Slot(j.args[from]), j.p.chance.Uint64())
	words := append([][]byte(nil), j.args...)
	words[to] = beside
	j.ask(func(j *job) { j.storeGiven(j.args[to]) }, j.script(command.CmdEval, scriptPlaces, [][]byte{j.args[from], beside}, words...))
}

func (j *job) storeDistances() { j.storeFound(1, 2) }

func (j *job) storeNear() { j.storeFound(storeAt(j.row, j.args), 1) }

// storeAt is where GEORADIUS says in which key it keeps what it finds; 0: nowhere, or more than once, of which the last counts and a row finds others.
func storeAt(row *command.Row, args [][]byte) int {
	at := 0
	for i := radiusOptions(row); i+1 < len(args); i++ {
		if command.EqualFold(args[i], "store") || command.EqualFold(args[i], "storedist") {
			if at > 0 {
				return 0
			}
			i++
			at = i
		}
	}
	return at
}

// radiusOptions is where the options of GEORADIUS and GEORADIUSBYMEMBER begin.
func radiusOptions(row *command.Row) int {
	if row.ID == command.CmdGeoRadiusByMember {
		return 5
	}
	return 6
}
