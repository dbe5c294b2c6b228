package conform

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Interleaver draws scenes of clients who wait and others who wake them. They are such that 7.0, which gives a woken client what woke it, and 7.2, which
// runs its command again, have to say the same: of several keys that become ready at once no client waits for a later one first, no chain of moves forks,
// and no key is waited for by clients of two types. What else they differ in is in the scripted scenes.
type Interleaver struct {
	rng   *rand.Rand
	moves bool // some wait to move elements; else transactions push to several keys
	last  int  // the last ID of a stream
}

// NewInterleaver makes one.
func NewInterleaver(rng *rand.Rand) *Interleaver { return &Interleaver{rng: rng} }

var (
	waitedLists   = []string{"la", "lb", "lc", "ld"}
	waitedZSets   = []string{"za", "zb", "zc"}
	waitedStreams = []string{"sa", "sb"}
)

const (
	waitersMost = 6
	streamGroup = "g"
)

// Scene draws a scene of n acts.
func (g *Interleaver) Scene(name string, n int) Scene {
	g.moves, g.last = g.rng.IntN(2) == 0, 0
	s := Scene{Name: name}
	put := func(client, line string, kind ActKind) {
		s.Acts = append(s.Acts, Act{Where: fmt.Sprintf("%s:%d", name, len(s.Acts)), Client: client, Kind: kind, Args: strings.Fields(line), Replies: 1})
	}
	for i := range waitersMost {
		put(g.waiter(i), "PING", ActSend)
	}
	for _, key := range waitedStreams {
		put("p", "XGROUP CREATE "+key+" "+streamGroup+" $ MKSTREAM", ActSend)
	}
	for len(s.Acts) < n {
		who := g.waiter(g.rng.IntN(waitersMost))
		switch draw := g.rng.IntN(100); {
		case draw < 42:
			put(who, g.wait(), ActSend)
		case draw < 46:
			put(who, g.wait(), ActBatched)
			put(who, "RPUSH out "+who+" "+strconv.Itoa(len(s.Acts)), ActSend)
		case draw < 52:
			put("p", "CLIENT UNBLOCK @"+who+" "+g.pick([]string{"TIMEOUT", "ERROR"}), ActSend)
		case draw < 62:
			put("p", "MULTI", ActSend)
			for _, line := range g.transaction() {
				put("p", line, ActSend)
			}
			put("p", "EXEC", ActSend)
		case draw < 64:
			put("p", g.pick([]string{"CLIENT PAUSE 1000000 WRITE", "CLIENT UNPAUSE"}), ActSend)
			put("q", g.push(), ActSend)
			put("p", "CLIENT UNPAUSE", ActSend)
		default:
			put("p", g.push(), ActSend)
		}
	}
	return s
}

func (g *Interleaver) waiter(i int) string { return "w" + strconv.Itoa(i) }

func (g *Interleaver) pick(of []string) string { return of[g.rng.IntN(len(of))] }

// some draws one or several, in their order.
func (g *Interleaver) some(of []string) []string {
	n := 1 + g.rng.IntN(len(of))
	out := slices.Clone(of)
	g.rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	out = out[:n]
	slices.Sort(out)
	return out
}

func (g *Interleaver) count() string { return strconv.Itoa(1 + g.rng.IntN(3)) }

// wait draws a command that waits, if there is nothing.
func (g *Interleaver) wait() string {
	lists, zsets := g.some(waitedLists), g.some(waitedZSets)
	stream := g.pick(waitedStreams)
	switch g.rng.IntN(11) {
	case 0, 1:
		return g.pick([]string{"BLPOP ", "BRPOP "}) + strings.Join(lists, " ") + " 0"
	case 2:
		return fmt.Sprintf("BLMPOP 0 %d %s %s COUNT %s", len(lists), strings.Join(lists, " "), g.end(), g.count())
	case 3, 4:
		if !g.moves {
			return "BLPOP " + g.pick(waitedLists) + " 0"
		}
		from := g.rng.IntN(len(waitedLists) - 1)
		return fmt.Sprintf("BLMOVE %s %s %s %s 0", waitedLists[from], waitedLists[from+1], g.end(), g.end())
	case 5, 6:
		return g.pick([]string{"BZPOPMIN ", "BZPOPMAX "}) + strings.Join(zsets, " ") + " 0"
	case 7:
		return fmt.Sprintf("BZMPOP 0 %d %s %s COUNT %s", len(zsets), strings.Join(zsets, " "), g.pick([]string{"MIN", "MAX"}), g.count())
	case 8:
		return "XREAD COUNT " + g.count() + " BLOCK 0 STREAMS " + strings.Join(waitedStreams, " ") + " $ $"
	case 9:
		return "XREAD BLOCK 0 STREAMS " + stream + " " + strconv.Itoa(g.last) + "-5"
	default:
		return fmt.Sprintf("XREADGROUP GROUP %s c%s COUNT %s BLOCK 0 STREAMS %s >", streamGroup, g.count(), g.count(), stream)
	}
}

func (g *Interleaver) end() string { return g.pick([]string{"LEFT", "RIGHT"}) }

// push draws a command that changes something of one key.
func (g *Interleaver) push() string {
	switch g.rng.IntN(20) {
	case 0:
		return "DEL " + g.pick(waitedLists)
	case 1:
		return "DEL " + g.pick(waitedZSets)
	case 2:
		return "RENAME other-list " + g.pick(waitedLists)
	case 3:
		return "COPY other-list " + g.pick(waitedLists) + g.pick([]string{"", " REPLACE"})
	case 4:
		return "RPUSH other-list 3 1 2"
	case 5:
		return "SORT other-list STORE " + g.pick(waitedLists)
	case 6:
		return "LMOVE other-list " + g.pick(waitedLists) + " LEFT RIGHT"
	case 7:
		return "ZADD other-zset 1 x 2 y 3 z"
	case 8:
		return "ZUNIONSTORE " + g.pick(waitedZSets) + " 1 other-zset"
	case 9:
		return "ZRANGESTORE " + g.pick(waitedZSets) + " other-zset 0 1"
	case 10:
		return "XACK " + g.pick(waitedStreams) + " " + streamGroup + " " + strconv.Itoa(g.last) + "-0"
	case 11:
		return "XTRIM " + g.pick(waitedStreams) + " MAXLEN " + g.count()
	case 12, 13, 14:
		return g.give(g.pick(waitedZSets))
	case 15, 16:
		return g.give(g.pick(waitedStreams))
	default:
		return g.give(g.pick(waitedLists))
	}
}

// give draws a command that gives a key something.
func (g *Interleaver) give(key string) string {
	switch key[0] {
	case 'l':
		return g.pick([]string{"RPUSH ", "LPUSH ", "RPUSH ", "LPUSHX "}) + key + g.elements("")
	case 'z':
		return g.pick([]string{"ZADD ", "ZADD "}) + key + g.elements("1 ")
	default:
		g.last++
		return fmt.Sprintf("XADD %s %d-0 f v", key, g.last)
	}
}

// elements draws some elements, each behind a prefix.
func (g *Interleaver) elements(prefix string) string {
	out := ""
	for range 1 + g.rng.IntN(3) {
		out += " " + prefix + strconv.Itoa(g.rng.IntN(100))
	}
	return out
}

// transaction draws what a transaction does: all of it to one key, or, where nothing is moved, to several in their order.
func (g *Interleaver) transaction() (lines []string) {
	all := [][]string{waitedLists, waitedZSets, waitedStreams}[g.rng.IntN(3)]
	keys := []string{g.pick(all)}
	if !g.moves && all[0][0] != 's' { // of several streams 7.2 reads all that have something
		keys = g.some(all)
	}
	for _, key := range keys {
		for range 1 + g.rng.IntN(3) {
			lines = append(lines, g.give(key))
			if g.rng.IntN(3) > 0 || key[0] == 's' {
				continue
			}
			lines = append(lines, g.pick(map[byte][]string{
				'l': {"DEL " + key, "LPOP " + key, "BLPOP " + key + " 0", "EXPIRE " + key + " 100"},
				'z': {"DEL " + key, "ZPOPMIN " + key, "BZPOPMAX " + key + " 0", "EXPIRE " + key + " 100"},
			}[key[0]]))
		}
	}
	return lines
}
