package engine

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// The subcommands of DEBUG that concern the node itself.

// debugSleep stops the loop, and with it every client, but not the end of the node. A word that is no number is 0, as C's strtod has it.
func debugSleep(s *session, args [][]byte) {
	seconds, err := strconv.ParseFloat(string(args[2]), 64)
	if err == nil && seconds > 0 {
		select {
		case <-time.After(time.Duration(min(seconds*float64(time.Second), math.MaxInt64/2))):
		case <-s.p.n.done:
		}
		s.p.enter()
	}
	s.ok()
}

// isOn reads a switch as C's atoi does: anything that does not begin with a number is 0.
func isOn(word []byte) bool {
	n, ok := resp.ParseNumber(word)
	return ok && n != 0
}

func debugActiveExpire(s *session, args [][]byte) {
	s.p.debug.keepExpired = !isOn(args[2])
	s.ok()
}

func debugPauseCron(s *session, args [][]byte) {
	s.p.debug.idle = isOn(args[2])
	s.ok()
}

func debugSkipChecksum(s *session, args [][]byte) {
	s.p.call.AnySum = isOn(args[2])
	s.ok()
}

func debugChangeReplID(s *session, _ [][]byte) {
	s.p.stream.past.ID = randomID(s.p.store.Rand())
	s.p.n.log.Info("replication id changed by DEBUG CHANGE-REPL-ID", "node", s.p.n.id)
	s.ok()
}

func debugLog(s *session, args [][]byte) {
	s.p.n.log.Warn("DEBUG LOG", "node", s.p.n.id, "text", string(args[2]))
	s.ok()
}

func debugLeak(s *session, args [][]byte) {
	s.p.debug.leaked = append(s.p.debug.leaked, string(args[2]))
	s.ok()
}

func debugError(s *session, args [][]byte) { s.fail(string(args[2])) }

// debugDie ends the process: a panic on the loop, which nothing recovers.
func debugDie(s *session, args [][]byte) {
	s.p.n.log.Error("the process ends as DEBUG asked", "node", s.p.n.id, "subcommand", string(args[1]))
	panic("DEBUG " + string(args[1]))
}

func debugRestart(s *session, args [][]byte) {
	if len(args) > 2 {
		if _, ok := resp.ParseNumber(args[2]); !ok {
			s.fail(errNotInt)
			return
		}
	}
	s.p.n.log.Error("DEBUG cannot restart this process: who started it has to", "node", s.p.n.id, "subcommand", string(args[1]))
	s.fail("ERR failed to restart the server. Check server logs.")
}

func debugLoadAOF(s *session, _ [][]byte) {
	s.fail("ERR Error trying to load the AOF files, check server logs.")
}

func debugRewriteAll(s *session, _ [][]byte) {
	s.fail("ERR CONFIG-REWRITE-FORCE-ALL failed: Bad address")
}

func debugClientEviction(s *session, _ [][]byte) { s.fail("ERR maxmemory-clients is disabled.") }

func debugClusterLink(s *session, _ [][]byte) {
	s.fail("ERR Debug option only available for cluster mode enabled setup!")
}

const errNoMallctl = "ERR No such file or directory"

func debugMallctl(s *session, args [][]byte) {
	if len(args) == 4 {
		if _, ok := resp.ParseNumber(args[3]); !ok {
			s.fail(errNotInt)
			return
		}
	}
	s.fail(errNoMallctl)
}

func debugMallctlText(s *session, _ [][]byte) { s.fail(errNoMallctl) }

func debugReplyBuffer(s *session, args [][]byte) {
	switch lower(args[2]) {
	case "resizing":
	case "peak-reset-time":
		_, isNumber := resp.ParseNumber(args[3])
		if word := lower(args[3]); !isNumber && word != "never" && word != "reset" {
			s.fail(errNotInt)
			return
		}
	default:
		s.fail(command.SubArgumentsError(args))
		return
	}
	s.ok()
}

func debugMatch(s *session, args [][]byte) {
	n := int64(0)
	if command.Match(args[2], args[3]) {
		n = 1
	}
	s.p.w.Int(n)
}

// debugMatchTest tries patterns and texts of few letters, so that most of what a pattern can say is met.
func debugMatchTest(s *session, _ [][]byte) {
	const rounds, lengthMax = 200_000, 32
	var pattern, text [lengthMax]byte
	draw := func(b []byte) []byte {
		const letters = "*?[]^-\\ab\x00"
		b = b[:rand.IntN(len(b))]
		for i := range b {
			b[i] = letters[rand.IntN(len(letters))]
		}
		return b
	}
	for range rounds {
		command.Match(draw(pattern[:]), draw(text[:]))
	}
	s.p.w.Status("Apparently Redis did not crash: test passed")
}
