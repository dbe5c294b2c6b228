package engine

import (
	"math"
	"time"

	"larder/metrics/slow"
	"larder/protocol/command"
)

// What a command took is told by the metrics, the slow log and the latency monitor. A look at the clock costs a good part of a GET, so quick commands that
// follow one another are timed as a run: each is counted with an equal share. What can take long is kept apart from those beside it:
//
//   - Commands whose work grows with the data though little is said of it (lengthy), and those with many arguments or many bytes, are timed alone, between
//     two looks at the clock.
//   - A command that turned out to write much ends its run. Those before it in the run are taken to have needed what quick ones did lately, so the rest of the
//     run's time is its own: that is wrong by microseconds where it needed hundreds of them.
//
// A run is short, then: 64 commands of a few microseconds. One that takes as long as the slow log or the latency monitor looks for has met something that is
// none of its commands' usual work: the system gave the processor to others, or somebody set the limits of small collections so high that a quick row is
// not. The latency monitor is told the run's time. The slow log wants a command, and which one it was nobody knows any more: so from then on for a second
// each command is timed alone, and one that is slow again is found. Thresholds so low that a run of quick commands would reach them have every command
// timed alone all the time. With both off, the clock is read once a run, and a run ends with what writes much or has many arguments only.

const (
	// runMaxNS is more than a run of quick commands takes by itself.
	runMaxNS  = int64(time.Millisecond)
	suspectNS = int64(time.Second)
	// quickArgs and quickBytes are what a command of a run has at most.
	quickArgs  = 32
	quickBytes = 16 << 10 // read, or written
)

type marks = [command.NumIDs + 1]bool

var (
	noneAlone = buildMarks(tellsTimes)
	allAlone  = buildMarks(func(*command.Row) bool { return true })
	lengthy   = buildMarks(isLengthy)
)

func buildMarks(marked func(*command.Row) bool) (m marks) {
	for _, row := range command.Rows() {
		m[row.ID] = marked(row)
	}
	return m
}

// tellsTimes tells whether a command shows what others took, or forgets it: what ran before it is to be counted then.
func tellsTimes(row *command.Row) bool {
	switch row.ID {
	case command.CmdInfo, command.CmdConfigResetStat, command.CmdLatencyHistogram:
		return true
	}
	return false
}

// isLengthy tells whether a command of a few arguments may take long and say little. Redis's own mark of a quick one is the flag. Quick here are also those
// whose work grows with their reply and no faster, and those that overwrite or delete a value, which goes in slices behind the reply; not quick is APPEND,
// which may copy all that was there, and PUBLISH, which writes to any number of clients.
func isLengthy(row *command.Row) bool {
	switch row.ID {
	case command.CmdSet, command.CmdSetEx, command.CmdPSetEx, command.CmdDel, command.CmdGetRange, command.CmdSubstr,
		command.CmdHGetAll, command.CmdHKeys, command.CmdHVals, command.CmdLRange, command.CmdLIndex, command.CmdLSet, command.CmdLMove, command.CmdRPopLPush,
		command.CmdSMembers, command.CmdSRandMember, command.CmdZRange, command.CmdZRevRange, command.CmdZRangeByScore, command.CmdZRevRangeByScore,
		command.CmdZRangeByLex, command.CmdZRevRangeByLex, command.CmdXRange, command.CmdXRevRange, command.CmdXRead:
		return false
	case command.CmdAppend, command.CmdPublish, command.CmdSPublish:
		return true
	}
	return !row.Flags.Has(command.Fast)
}

// clockNS is the time now, since base.
func (p *part) clockNS() int64 { return int64(p.l.Since(p.base)) }

// watchTimes has the settings take effect.
func (p *part) watchTimes() {
	p.slowNS = min(p.set.watching.SlowNS(), p.set.watching.SpikeNS())
	switch {
	case p.slowNS == slow.Never:
		p.alone = &noneAlone
	case p.slowNS < runMaxNS || p.suspectNS != 0:
		p.alone = &allAlone
	default:
		p.alone = &lengthy
	}
}

func (p *part) suspect() {
	p.suspectNS = p.nowNS + suspectNS
	p.watchTimes()
}

func (p *part) endSuspicion() {
	if p.suspectNS != 0 && p.nowNS > p.suspectNS {
		p.suspectNS = 0
		p.watchTimes()
	}
}

// timedAlone tells whether a command, which begins at pos, is timed by itself.
func (p *part) timedAlone(q *queued, pos int) bool {
	return p.alone[idOf(q.row)] || q.last-q.first > quickArgs || q.end-pos > quickBytes
}

// timed notes how long the commands took that have run since it was called last, or since the callback began: each an equal share. heavy says that the last
// of them is no quick one.
func (p *part) timed(s *session, ran []queued, heavy bool) {
	if len(ran) == 0 {
		return
	}
	nowNS := p.clockNS()
	tookNS := max(0, nowNS-p.timedNS-p.asideNS)
	p.timedNS, p.asideNS = nowNS, 0
	others, shareNS := len(ran)-1, tookNS/int64(len(ran))
	if heavy {
		shareNS = min(shareNS, p.quickNS)
		tookNS -= shareNS * int64(others)
		p.countShares(ran[:others], shareNS)
		p.countShares(ran[others:], tookNS)
		ran = ran[others:]
	} else {
		p.quickNS = shareNS
		p.countShares(ran, shareNS)
	}
	if others == 0 {
		shareNS = tookNS
	}
	for _, id := range p.uncounted {
		p.count.commands.Ran(id, math.MaxUint64, uint64(shareNS)) // less one
	}
	if tookNS >= p.slowNS && len(p.uncounted) <= others {
		p.slowRun(s, ran, tookNS)
	}
	p.uncounted = p.uncounted[:0]
}

func (p *part) countShares(ran []queued, shareNS int64) {
	for i := 0; i < len(ran); {
		id := idOf(ran[i].row)
		n := uint64(1)
		for i++; i < len(ran) && idOf(ran[i].row) == id; i++ {
			n++
		}
		p.count.commands.Ran(id, n, uint64(shareNS))
	}
}

// slowRun looks at a run that took long.
func (p *part) slowRun(s *session, ran []queued, tookNS int64) {
	if len(ran) == 1 {
		p.slow(s, ran[0].row, p.batch.args[ran[0].first:ran[0].last], tookNS)
		return
	}
	event := slow.EventFast
	for i := range ran {
		if row := ran[i].row; row != nil && !row.Flags.Has(command.Fast) {
			event = slow.EventCommand
		}
	}
	p.spike(event, tookNS)
	if tookNS >= p.set.watching.SlowNS() {
		p.suspect()
	}
}

// ran counts a command that was timed by itself.
func (p *part) ran(s *session, row *command.Row, args [][]byte, tookNS int64) {
	tookNS = max(0, tookNS)
	p.count.commands.Ran(row.ID, 1, uint64(tookNS))
	if tookNS >= p.slowNS {
		p.slow(s, row, args, tookNS)
	}
}

// slow tells the latency monitor and the slow log of a command.
func (p *part) slow(s *session, row *command.Row, args [][]byte, tookNS int64) {
	p.spike(slow.EventOf(row), tookNS)
	if tookNS >= p.set.watching.SlowNS() && !row.Flags.Has(command.SkipSlowlog) {
		p.noteSlow(s, row, args, tookNS)
	}
}
