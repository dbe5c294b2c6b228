package commands_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/protocol/command"
)

var seedFlag = flag.Uint64("seed", 1, "of the drawn commands")

// grammar has one line for each command: words of lower case and symbols are drawn from sources, the rest stands for itself. [x y] is optional, x|y one of
// both, ... repeats what is in the brackets before it.
var grammar = map[command.ID]string{
	command.CmdGet:         "key",
	command.CmdSort:        "key sortword",
	command.CmdSortRO:      "key sortword",
	command.CmdSet:         "key value [setword]...",
	command.CmdSetNX:       "key value",
	command.CmdSetEx:       "key seconds value",
	command.CmdPSetEx:      "key millis value",
	command.CmdGetSet:      "key value",
	command.CmdGetEx:       "key [getexword]...",
	command.CmdGetDel:      "key",
	command.CmdMGet:        "key [key]...",
	command.CmdMSet:        "key value [key value]...",
	command.CmdMSetNX:      "key value [key value]...",
	command.CmdAppend:      "key value",
	command.CmdStrLen:      "key",
	command.CmdGetRange:    "key index end",
	command.CmdSubstr:      "key index end",
	command.CmdSetRange:    "key offset value",
	command.CmdIncr:        "key",
	command.CmdDecr:        "key",
	command.CmdIncrBy:      "key number",
	command.CmdDecrBy:      "key number",
	command.CmdIncrByFloat: "key float",
	command.CmdLCS:         "key other [lcsword]...",

	command.CmdSetBit:     "key bit bitvalue",
	command.CmdGetBit:     "key bit",
	command.CmdBitCount:   "key [index end] [unit]",
	command.CmdBitPos:     "key bitvalue [index] [end] [unit]",
	command.CmdBitOp:      "bitop key other [key]...",
	command.CmdBitField:   "key [fieldop]...",
	command.CmdBitFieldRO: "key [fieldop]...",

	command.CmdPFAdd:   "key [member]...",
	command.CmdPFCount: "key [key]...",
	command.CmdPFMerge: "key [key]...",
	command.CmdPFDebug: "hllword key",

	command.CmdHSet:         "key field value [field value]...",
	command.CmdHMSet:        "key field value [field value]...",
	command.CmdHSetNX:       "key field value",
	command.CmdHGet:         "key field",
	command.CmdHMGet:        "key field [field]...",
	command.CmdHGetAll:      "key",
	command.CmdHKeys:        "key",
	command.CmdHVals:        "key",
	command.CmdHLen:         "key",
	command.CmdHStrLen:      "key field",
	command.CmdHExists:      "key field",
	command.CmdHDel:         "key field [field]...",
	command.CmdHIncrBy:      "key field number",
	command.CmdHIncrByFloat: "key field float",
	command.CmdHRandField:   "key [drawcount] [withvalues]",
	command.CmdHScan:        "key cursor [hscanword]...",
	command.CmdSAdd:         "key member [member]...",
	command.CmdSRem:         "key member [member]...",
	command.CmdSIsMember:    "key member",
	command.CmdSMIsMember:   "key member [member]...",
	command.CmdSCard:        "key",
	command.CmdSMembers:     "key",
	command.CmdSRandMember:  "key [randcount]",
	command.CmdSMove:        "key other member",
	command.CmdSInter:       "key [key]...",
	command.CmdSInterCard:   "numkeys key [key]... [limit]",
	command.CmdSInterStore:  "key other [key]...",
	command.CmdSUnion:       "key [key]...",
	command.CmdSUnionStore:  "key other [key]...",
	command.CmdSDiff:        "key [key]...",
	command.CmdSDiffStore:   "key other [key]...",
	command.CmdSScan:        "key scancursor [sscanword]...",

	command.CmdDel:         "key [key]...",
	command.CmdUnlink:      "key [key]...",
	command.CmdExists:      "key [key]...",
	command.CmdTouch:       "key [key]...",
	command.CmdType:        "key",
	command.CmdExpire:      "key seconds [expireword]...",
	command.CmdPExpire:     "key millis [expireword]...",
	command.CmdExpireAt:    "key atseconds [expireword]...",
	command.CmdPExpireAt:   "key atmillis [expireword]...",
	command.CmdTTL:         "key",
	command.CmdPTTL:        "key",
	command.CmdExpireTime:  "key",
	command.CmdPExpireTime: "key",
	command.CmdPersist:     "key",
	command.CmdRename:      "key other",
	command.CmdRenameNX:    "key other",
	command.CmdCopy:        "key other [copyword]...",
	command.CmdMove:        "key db",
	command.CmdLPush:       "key value [value]...",
	command.CmdRPush:       "key value [value]...",
	command.CmdLPushX:      "key value [value]...",
	command.CmdRPushX:      "key value [value]...",
	command.CmdLPop:        "key [count]",
	command.CmdRPop:        "key [count]",
	command.CmdLLen:        "key",
	command.CmdLIndex:      "key index",
	command.CmdLSet:        "key index value",
	command.CmdLInsert:     "key side value value",
	command.CmdLRange:      "key index end",
	command.CmdLTrim:       "key index end",
	command.CmdLRem:        "key index value",
	command.CmdLPos:        "key value [posword]...",
	command.CmdLMove:       "key other side side",
	command.CmdRPopLPush:   "key other",
	command.CmdLMPop:       "numkeys key [key] side [countword]",
	command.CmdBLPop:       "key [key]... wait",
	command.CmdBRPop:       "key [key]... wait",
	command.CmdBLMove:      "key other side side wait",
	command.CmdBRPopLPush:  "key other wait",
	command.CmdBLMPop:      "wait numkeys key [key] side [countword]",
	command.CmdDump:        "key",
	command.CmdRestore:     "key restorettl payload [restoreword]...",

	command.CmdObjectEncoding: "key",
	command.CmdObjectFreq:     "key",
	command.CmdObjectIdleTime: "key",
	command.CmdObjectRefCount: "key",
	command.CmdObjectHelp:     "",
	command.CmdKeys:           "pattern",
	command.CmdMemoryUsage:    "key",
	command.CmdRandomKey:      "",
	command.CmdDBSize:         "",
	command.CmdFlushDB:        "[flushword]",
	command.CmdFlushAll:       "[flushword]",
}

// drawnKeys are the usual keys, junk what stands in any argument's place now and then.
var (
	drawnKeys = []string{"a", "b", "c", "d", "e", "", "\x00k\xff", "{tag}key", "a key with a name of more than thirty-two bytes"}
	junk      = []string{"", "x", "foo", "\x00", "1.5", "9223372036854775808", "-", "nx", "get", "db"}
)

// draws makes commands of the grammar.
type draws struct {
	*rand.Rand
	now int64
}

func (d *draws) one(words ...string) string { return words[d.IntN(len(words))] }

// chance is true once in n.
func (d *draws) chance(n int) bool { return d.IntN(n) == 0 }

// command draws a command of the row.
func (d *draws) command(r *command.Row) []string {
	args := strings.Split(d.anyCase(r.Name), "|")
	return append(args, d.expand(grammar[r.ID])...)
}

func (d *draws) expand(line string) (args []string) {
	for line != "" {
		var word string
		if inside, ok := strings.CutPrefix(line, "["); ok {
			inside, line, _ = strings.Cut(inside, "]")
			most := 1
			if rest, ok := strings.CutPrefix(line, "..."); ok {
				most, line = 4, rest
			}
			for range d.IntN(most + 1) {
				args = append(args, d.expand(inside)...)
			}
			line = strings.TrimPrefix(line, " ")
			continue
		}
		word, line, _ = strings.Cut(line, " ")
		args = append(args, d.source(word)...)
	}
	return args
}

// source draws for a symbol. What is drawn is wrong now and then.
func (d *draws) source(symbol string) []string {
	if d.chance(60) {
		return []string{d.one(junk...)}
	}
	switch symbol {
	case "key", "other":
		return []string{d.one(drawnKeys...)}
	case "field":
		return []string{d.one("f", "g", "h", "1", "-7", "", "100000", "\x00\xff", "field "+strconv.Itoa(d.IntN(30)))}
	case "drawcount":
		return []string{d.one("0", "1", "-1", "3", "-3", "100", "-100", "-9223372036854775808", "9223372036854775807")}
	case "cursor":
		return []string{d.one("0", "0", "0", "0", "1", "-1", "18446744073709551615", "18446744073709551616")}
	case "member":
		return []string{d.one("a", "b", "", "1", "-7", "01", "\x00\xff", strconv.Itoa(d.IntN(40)), "member "+strconv.Itoa(d.IntN(40)), d.value())}
	case "randcount":
		return []string{d.one("0", "1", "-1", "3", "-3", "100", "-100", "-9223372036854775808", "9223372036854775807")}
	case "numkeys":
		return []string{d.one("1", "2", "3", "0", "-1")}
	case "scancursor":
		return []string{d.one("0", "0", "0", "-1", "x", "18446744073709551616")}
	case "value":
		return []string{d.value()}
	case "number":
		return []string{d.number()}
	case "float":
		return []string{d.float()}
	case "index", "end":
		return []string{d.one(strconv.Itoa(d.IntN(100)-50), strconv.Itoa(d.IntN(10)-5), d.number())}
	case "offset":
		return []string{d.one(strconv.Itoa(d.IntN(60)), strconv.Itoa(d.IntN(60)), strconv.Itoa(d.IntN(30000)), "-1", "536870912", "9223372036854775807")}
	case "bit":
		return []string{d.one(strconv.Itoa(d.IntN(400)), strconv.Itoa(d.IntN(100)), strconv.Itoa(d.IntN(200000)), "-1", "4294967296", "9223372036854775807")}
	case "bitvalue":
		return []string{d.one("0", "1", "0", "1", "0", "1", "0", "1", "2", "-1")}
	case "db":
		return []string{d.one("0", "1", "2", "0", "1", "2", "15", "16", "-1", "2147483648")}
	case "pattern":
		return []string{d.one("*", "a*", "?", "[a-c]", "[^a]", "*k*", "\\a", "", "{*}*", "\x00*")}
	default:
		return d.words(symbol)
	}
}

// words draws for a symbol that stands for words, with what belongs to them.
func (d *draws) words(symbol string) []string {
	switch symbol {
	case "seconds":
		return []string{d.relative(1)}
	case "millis":
		return []string{d.relative(1000)}
	case "atseconds":
		return []string{d.absolute(1)}
	case "atmillis":
		return []string{d.absolute(1000)}
	case "time":
		kind := d.IntN(4)
		n := [...]string{d.relative(1), d.relative(1000), d.absolute(1), d.absolute(1000)}[kind]
		return []string{d.anyCase([...]string{"EX", "PX", "EXAT", "PXAT"}[kind]), n}
	case "setword":
		if d.chance(2) {
			return d.words("time")
		}
		return []string{d.anyCase(d.one("NX", "XX", "GET", "GET", "KEEPTTL", "KEEPTTL", "PERSIST"))}
	case "getexword":
		if d.chance(2) {
			return d.words("time")
		}
		return []string{d.anyCase(d.one("PERSIST", "PERSIST", "PERSIST", "KEEPTTL"))}
	case "expireword":
		return []string{d.anyCase(d.one("NX", "XX", "GT", "LT"))}
	case "count":
		return []string{d.one("0", "1", "2", "3", "100", "-1", d.number())}
	case "side":
		return []string{d.anyCase(d.one("LEFT", "RIGHT", "LEFT", "RIGHT", "BEFORE", "AFTER"))}
	case "posword":
		return []string{d.anyCase(d.one("RANK", "COUNT", "MAXLEN")), d.one("0", "1", "2", "-1", "-2", d.number())}
	case "numkeys":
		return []string{d.one("1", "2", "1", "2", "0", "3", d.number())}
	case "countword":
		return []string{d.anyCase("COUNT"), d.one("1", "2", "10", "0", d.number())}
	case "wait":
		return []string{d.one("0.001", "0.001", "0.001", "-1", "x", "9223372036854775807", "1e300", "inf", "nan")}
	case "restorettl":
		ttl := d.one("0", "0", d.relative(1000), d.absolute(1000))
		if ttl == "1" { // from now: it would die on the two sides at different commands
			ttl = "0"
		}
		return []string{ttl}
	case "payload":
		return []string{d.payload()}
	case "restoreword":
		if d.chance(3) {
			return []string{d.anyCase(d.one("IDLETIME", "FREQ")), d.one("0", "1", "255", "256", d.number())}
		}
		return []string{d.anyCase(d.one("REPLACE", "REPLACE", "ABSTTL"))}
	case "copyword":
		if d.chance(2) {
			return append([]string{d.anyCase("DB")}, d.source("db")...)
		}
		return []string{d.anyCase("REPLACE")}
	case "flushword":
		return []string{d.anyCase(d.one("SYNC", "ASYNC"))}
	case "withvalues":
		return []string{d.anyCase("WITHVALUES")}
	case "hscanword":
		if d.chance(2) {
			return append([]string{d.anyCase("MATCH")}, d.source("pattern")...)
		}
		return []string{d.anyCase(d.one("COUNT", "COUNT", "COUNT", "TYPE")), d.one("1", "3", "1000", "0", "-1", "x")}
	case "limit":
		return []string{d.anyCase("LIMIT"), d.one("0", "1", "100", "-1")}
	case "sscanword":
		if d.chance(2) {
			return append([]string{d.anyCase("MATCH")}, d.source("pattern")...)
		}
		return []string{d.anyCase(d.one("COUNT", "COUNT", "TYPE")), d.one("1", "1000", "0", "x")}
	case "sortword": // only what is refused and what is counted: numbers Redis may refuse for an earlier one, texts it compares by the locale; see sort.txt
		return append([]string{"ALPHA", "LIMIT", "0", "0"}, strings.Fields(d.one("", "", "DESC", "GET #", "NOPE"))...)
	case "unit":
		return []string{d.anyCase(d.one("BIT", "BIT", "BYTE"))}
	case "hllword":
		return []string{d.anyCase(d.one("ENCODING", "DECODE", "TODENSE", "GETREG", "nope"))}
	case "bitop":
		return []string{d.anyCase(d.one("AND", "OR", "XOR", "NOT"))}
	case "lcsword":
		if d.chance(3) {
			return []string{d.anyCase("MINMATCHLEN"), d.one("0", "1", "2", "3", "-1", d.number())}
		}
		return []string{d.anyCase(d.one("IDX", "IDX", "LEN", "WITHMATCHLEN"))}
	case "fieldop":
		return d.fieldOp()
	}
	panic("no source for " + symbol)
}

func (d *draws) fieldOp() []string {
	kind := d.one("u", "i") + strconv.Itoa(1+d.IntN(64))
	if d.chance(30) {
		kind = d.one("u64", "i65", "u0", "i01", "U8", "i")
	}
	offset := d.one("", "", "#") + strconv.Itoa(d.IntN(150))
	if d.chance(30) {
		offset = d.one("-1", "#-1", "#", "4294967296", "#4611686018427387904", "#9223372036854775807")
	}
	switch d.IntN(6) {
	case 0:
		return []string{d.anyCase("OVERFLOW"), d.anyCase(d.one("WRAP", "SAT", "FAIL", "SAT", "FAIL"))}
	case 1, 2:
		return []string{d.anyCase("GET"), kind, offset}
	case 3:
		return []string{d.anyCase("SET"), kind, offset, d.number()}
	default:
		return []string{d.anyCase("INCRBY"), kind, offset, d.number()}
	}
}

func (d *draws) anyCase(word string) string {
	switch d.IntN(3) {
	case 0:
		return strings.ToLower(word)
	case 1:
		return word[:1] + strings.ToLower(word[1:])
	}
	return word
}

func (d *draws) value() string {
	switch d.IntN(8) {
	case 0, 1:
		return d.number()
	case 2:
		return d.float()
	case 3:
		return d.text(16, "\x00\x01\x0f\x80\xff")
	case 4:
		return d.text(60, "ab")
	case 5:
		if d.chance(10) {
			return d.text(30000, "abcdefgh")
		}
		return d.text(45, "xyz")
	}
	return d.text(8, "abc123")
}

func (d *draws) text(most int, letters string) string {
	b := make([]byte, d.IntN(most+1))
	for i := range b {
		b[i] = letters[d.IntN(len(letters))]
	}
	return string(b)
}

func (d *draws) number() string {
	switch d.IntN(6) {
	case 0:
		return d.one("0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775806", "-9223372036854775807")
	case 1:
		return strconv.FormatInt(int64(d.Uint64())>>d.IntN(64), 10)
	case 2:
		return strconv.Itoa(d.IntN(512) - 256)
	}
	return strconv.Itoa(d.IntN(20) - 10)
}

// float draws numbers as people write them, and some that only machines do.
func (d *draws) float() string {
	f := d.NormFloat64()
	switch d.IntN(10) {
	case 0:
		return strconv.FormatFloat(f, 'g', -1, 64)
	case 1:
		return strconv.FormatFloat(f*1e10, 'e', d.IntN(25), 64)
	case 2:
		return fmt.Sprintf("%se%d", strconv.FormatFloat(f, 'f', d.IntN(20), 64), d.IntN(60)-30)
	case 3:
		return strconv.FormatFloat(f, 'x', -1, 64)
	case 4:
		return d.number()
	case 5:
		return d.one("inf", "-inf", "nan", "1e4932", "1e-4950", "1e5000", ".5", "5.", "+1", "0x1p-3", "-0", "3.0e3")
	}
	return strconv.FormatFloat(f*100, 'f', d.IntN(6), 64)
}

// relative draws a time from now, either far away or past, since the two sides' clocks differ by what the test takes.
func (d *draws) relative(second int64) string {
	if d.chance(6) {
		return d.one("0", "-1", "-9223372036854775808", "9223372036854775807", "9223372036854775", "-100000")
	}
	return strconv.FormatInt((100+d.Int64N(1e8))*second, 10)
}

func (d *draws) absolute(second int64) string {
	if d.chance(6) {
		return d.one("0", "1", "-1", "-9223372036854775808", "9223372036854775807", "9223372036854775", "1000000000")
	}
	return strconv.FormatInt((d.now/1000+100+d.Int64N(1e8))*second, 10)
}

// TestRandomAsRedis runs drawn commands on both sides. The seed in a failure's name repeats it with -seed.
func TestRandomAsRedis(t *testing.T) {
	addr := startRedis(t)
	rows := slices.DeleteFunc(ours(), func(r *command.Row) bool { return r.ID == command.CmdPFSelfTest }) // takes a real server a third of a second
	for _, r := range rows {
		if _, ok := grammar[r.ID]; !ok {
			t.Fatalf("the grammar has no line for %s", r.Name)
		}
	}
	const rounds, batches, batch = 4, 40, 200
	for round := range rounds {
		seed := *seedFlag + uint64(round)
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			d := &draws{Rand: rand.New(rand.NewPCG(seed, 0)), now: time.Now().UnixMilli()}
			p := newPair(t, addr, 2+round%2)
			for range batches {
				var cmds [][]string
				for range batch {
					cmds = append(cmds, d.next(rows)...)
				}
				p.run(cmds)
			}
			p.compareKeyspace()
		})
	}
}

// next draws a command; what empties or leaves a database comes seldom. RANDOMKEY removes the dead keys that it meets, which are others on each side, so
// all of them go before it.
func (d *draws) next(rows []*command.Row) [][]string {
	if d.chance(100) {
		return [][]string{{"SELECT", strconv.Itoa(d.IntN(3))}}
	}
	r := rows[d.IntN(len(rows))]
	switch r.ID {
	case command.CmdFlushAll, command.CmdFlushDB:
		if !d.chance(10) {
			return nil
		}
	case command.CmdRandomKey:
		return [][]string{append(append([]string{"EXISTS"}, drawnKeys...), junk...), d.command(r)}
	}
	return [][]string{d.command(r)}
}
