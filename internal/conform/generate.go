package conform

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"larder/protocol/command"
)

// Generator draws commands from the table: the row by chance, its arguments by the row's argument tree, then in one of four some damage. Everything
// follows from rng, so a seed gives the same commands again (but for times, which are relative to now).
type Generator struct {
	rng  *rand.Rand
	now  time.Time
	rows []*command.Row
	tags []string // hash tags in use: few, so that keys share slots often

	values valuesOf
}

// NewGenerator draws from rng; now is the time that expiries are around. nodeOnly: also what gateways do not know.
func NewGenerator(rng *rand.Rand, now time.Time, nodeOnly bool) *Generator {
	g := &Generator{rng: rng, now: now, values: valuesOf{rng: rng, now: now}}
	for _, r := range command.Rows() {
		if len(r.Subs) == 0 && NotDrawn(r) == "" && (nodeOnly || !r.Flags.Has(command.NodeOnly)) {
			// What has keys is where the data is; the rest needs fewer tries.
			for range weight(r) {
				g.rows = append(g.rows, r)
			}
		}
	}
	return g
}

func weight(r *command.Row) int {
	switch {
	case r.ID == command.CmdFlushAll || r.ID == command.CmdFlushDB:
		return 3
	case r.Name == "xadd" || r.Name == "xgroup|create": // without them there is nothing for the others
		return 100
	case r.Name == "bitfield" || r.Name == "set" || r.Name == "getex":
		return 40
	case len(r.KeySpecs) > 0:
		return 16
	default:
		return 2
	}
}

// NotDrawn says why no generator draws a row, "" if it does. Such rows are in a script, or have a test of their own.
func NotDrawn(r *command.Row) string {
	switch name, _, _ := strings.Cut(r.Name, "|"); name {
	case "acl":
		return "users are not a matter of chance: ACL is in the scripts"
	case "multi", "exec", "discard", "watch", "unwatch", "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe", "pubsub", "monitor",
		"slowlog", "latency", "debug", "swapdb", "wait", "waitaof", "role", "lolwut":
		return "what it does to the commands behind it, or tells of those before, is in the scripts"
	case "hexpire", "hpexpire", "hexpireat", "hpexpireat", "hexpiretime", "hpexpiretime", "httl", "hpttl", "hpersist", "hgetex", "hsetex", "hgetdel":
		return "fields that expire are newer than Redis 7.2; compared with what a server of Valkey 9.1 was recorded to answer"
	case "eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "fcall_ro", "script", "function":
		return "words drawn by chance are no Lua; scripts and functions are in the scripts"
	case "psync", "sync", "replconf", "failover":
		return "makes a replica of the connection; compared beside the node"
	case "replicaof", "slaveof":
		return "has the server follow another, and lose its data to it; compared beside the node"
	case "larder":
		return "the dialect between gateway and node is not for clients"
	case "cluster", "readonly", "readwrite", "asking":
		return "a plain redis-server refuses it; compared with a Redis Cluster of its own"
	}
	if r.Flags.Has(command.Blocking) {
		return "holds up the connection while it waits"
	}
	if r.Categories&command.CatStream != 0 && strings.HasSuffix(r.Name, "|help") {
		return "of containers, HELP is in the scripts"
	}
	return map[string]string{
		"shutdown":            "ends the server",
		"save":                "writes a file; in the scripts",
		"bgsave":              "writes a file; in the scripts",
		"bgrewriteaof":        "writes files; a node without a journal refuses it",
		"lastsave":            "tells a time of the server's own; in the scripts",
		"geosearchstore":      "of members equally far away COUNT takes any; in the scripts, and compared by chance beside the code",
		"georadius":           "as GEOSEARCHSTORE",
		"georadiusbymember":   "as GEOSEARCHSTORE",
		"quit":                "ends the connection",
		"pfselftest":          "takes a real server a third of a second; in the scripts",
		"zlexcount":           "of members of several scores, whose order by text nobody promises; in the scripts",
		"zrangebylex":         "of members of several scores, whose order by text nobody promises; in the scripts",
		"zrevrangebylex":      "of members of several scores, whose order by text nobody promises; in the scripts",
		"zremrangebylex":      "of members of several scores, whose order by text nobody promises; in the scripts",
		"zrange":              "of members of several scores, whose order by text nobody promises; in the scripts",
		"zrangestore":         "of members of several scores, whose order by text nobody promises; in the scripts",
		"spop":                "leaves what chance leaves",
		"sort":                "texts that are no numbers make a real server refuse later ones that are; in the scripts",
		"sort_ro":             "texts that are no numbers make a real server refuse later ones that are; in the scripts",
		"client|kill":         "ends connections",
		"client|tracking":     "sends messages among the replies",
		"client|trackinginfo": "in the scripts, with the tracking",
		"client|caching":      "in the scripts, with the tracking",
		"client|getredir":     "in the scripts, with the tracking",
		"client|pause":        "holds the connection",
		"client|reply":        "replies would no longer match commands",
		"config|set":          "changes the real server for all that follows",
		"config|get":          "parameters differ by what there is to set",
		"command|list":        "a redis-server has other commands",
		"command|docs":        "texts are ours",
		"command":             "a redis-server has other commands",
		"command|info":        "tips differ by version; compared row by row beside the table",
		"command|count":       "a redis-server has other commands",
		"command|help":        "of containers, HELP is in the scripts",
		"client|help":         "of containers, HELP is in the scripts",
		"config|help":         "of containers, HELP is in the scripts",
		"object|help":         "of containers, HELP is in the scripts",
		"memory|help":         "of containers, HELP is in the scripts",
	}[r.Name]
}

// how says how a row's replies are compared where bytes may differ rightly.
func how(name string) (How, int64) {
	const slack = 30 // seconds between the two sides, on a busy machine
	switch name {
	case "keys", "smembers", "sinter", "sunion", "sdiff", "hgetall", "hkeys", "hvals": // a big hash is in another order
		return AnyOrder, 0
	case "hrandfield", "hscan":
		return Outcome, 0
	case "object|idletime": // small integers are one shared value in Redis, as old as the server
		return Outcome, 0
	case "ttl", "expiretime":
		return Approx, slack
	case "pttl", "pexpiretime":
		return Approx, slack * 1000
	case "time":
		return Shape, 0
	case "xadd", "xrange", "xrevrange", "xread", "xreadgroup", "xclaim", "xautoclaim", "xpending", "xinfo|groups": // IDs made of the time
		return Shape, 0
	case "xinfo|stream", "xinfo|consumers": // 7.2 tells more
		return Outcome, 0
	case "srandmember", "sscan": // by chance, and cursors of one's own
		return Outcome, 0
	case "dump": // a compressed text has many forms
		return Outcome, 0
	case "dbsize": // a real server counts the expired until it has found them
		return Outcome, 0
	case "georadius_ro", "georadiusbymember_ro", "geosearch": // of members equally far away any may come first
		return Outcome, 0
	case "zrandmember", "zscan": // by chance, and in an order of the hash
		return Outcome, 0
	case "randomkey", "scan", "info", "client|id", "client|info", "client|list", "hello", "config|resetstat",
		"memory|usage", "memory|stats", "memory|doctor", "memory|malloc-stats":
		return Outcome, 0
	}
	return Exact, 0
}

// Section is n commands.
func (g *Generator) Section(name string, n int) Section {
	s := Section{Name: name, Protos: []int{2, 3}}
	g.begin()
	for i := range n {
		s.Steps = append(s.Steps, g.step(fmt.Sprintf("%s, command %d", name, i)))
	}
	return s
}

// begin chooses the hash tags of a section.
func (g *Generator) begin() {
	g.tags = []string{"{a}", "{b}", ""}[:1+g.rng.IntN(3)]
}

func (g *Generator) step(where string) Step {
	var args [][]byte
	if g.rng.IntN(50) == 0 {
		args = g.unknown()
	} else {
		args = g.command()
	}
	step := Command(where, args...)
	step.How, step.Tolerance = how(RowName(args))
	return step
}

func (g *Generator) command() [][]byte {
	row := g.rows[g.rng.IntN(len(g.rows))]
	e := expansion{g: g, row: row, tag: g.tags[g.rng.IntN(len(g.tags))]}
	e.loose = g.rng.IntN(4) == 0 // keys of any slot
	for name := range strings.SplitSeq(row.Name, "|") {
		e.add([]byte(name))
	}
	e.all(row.Doc().Args)
	args := e.out
	if row.ID == command.CmdCommandGetKeys || row.ID == command.CmdCommandGetKeysAndFlags {
		args = append(args, g.command()...)
	}
	if g.rng.IntN(4) == 0 {
		args = g.damage(args)
	}
	if g.rng.IntN(3) == 0 {
		args[0] = g.mixCase(args[0])
	}
	return g.defuse(args)
}

// damage changes a command so that it is most likely wrong.
func (g *Generator) damage(args [][]byte) [][]byte {
	args = slices.Clone(args)
	for range 1 + g.rng.IntN(2) {
		at := g.rng.IntN(len(args))
		switch g.rng.IntN(7) {
		case 0:
			args = append(args, g.values.odd())
		case 1:
			args = slices.Insert(args, at+1, g.values.word())
		case 2:
			if at > 0 {
				args = slices.Delete(args, at, at+1)
			}
		case 3:
			args = args[:at+1]
		case 4:
			if at > 0 {
				args[at] = g.values.odd()
			}
		case 5:
			other := g.rng.IntN(len(args))
			if at > 0 && other > 0 {
				args[at], args[other] = args[other], args[at]
			}
		default:
			if at > 0 {
				args = append(args, args[at:]...) // options twice
			}
		}
	}
	return args
}

// unknown is a command that no server has. Its name may hold any byte.
func (g *Generator) unknown() [][]byte {
	args := [][]byte{append([]byte("zz"), g.values.odd()...)}
	if len(args[0]) > 256 {
		args[0] = args[0][:256]
	}
	for range g.rng.IntN(5) {
		args = append(args, g.values.odd())
	}
	return args
}

func (g *Generator) mixCase(name []byte) []byte {
	out := bytes.Clone(name)
	for i, c := range out {
		if 'a' <= c && c <= 'z' && g.rng.IntN(2) == 0 {
			out[i] = c - 'a' + 'A'
		}
	}
	return out
}

// defuse takes out what would make a server allocate half a gigabyte or end the test: damage can put any number anywhere.
func (g *Generator) defuse(args [][]byte) [][]byte {
	const longest = 1 << 16
	if row := rowOf(args); row != nil && NotDrawn(row) != "" {
		return [][]byte{[]byte("ping")}
	}
	at := 0
	switch RowName(args) {
	case "setrange", "setbit":
		at = 2
	case "hrandfield", "srandmember", "zrandmember":
		if n, ok := atoi(args[min(2, len(args)-1)]); ok && n < -longest && n != math.MinInt64 {
			args[min(2, len(args)-1)] = []byte("-7")
		}
	case "expire", "pexpire", "setex", "psetex", "restore":
		notSoon(args, 2)
	case "set", "getex":
		for i, a := range args {
			if word := strings.ToUpper(string(a)); word == "EX" || word == "PX" {
				notSoon(args, i+1)
			}
		}
	case "xread", "xreadgroup":
		for i, a := range args[:len(args)-1] {
			if _, ok := atoi(args[i+1]); ok && strings.EqualFold(string(a), "block") {
				args[i+1] = []byte("1")
			}
		}
	case "bitfield":
		for i, a := range args {
			if n, ok := atoi(bytes.TrimPrefix(a, []byte("#"))); ok && n > longest && n < 1<<33 {
				args[i] = []byte("77")
			}
		}
	}
	if at > 0 && at < len(args) {
		if n, ok := atoi(args[at]); ok && n > longest && n < 1<<33 {
			args[at] = []byte("1000")
		}
	}
	return args
}

// notSoon replaces a time to live that would end while the section runs: the two sides would see it at different commands.
func notSoon(args [][]byte, at int) {
	const soon = 100000 // ms, and of seconds no matter
	if at >= len(args) {
		return
	}
	if n, ok := atoi(args[at]); ok && n > 0 && n < soon {
		args[at] = number64(soon + n)
	}
}

// expansion turns an argument tree into arguments.
type expansion struct {
	g     *Generator
	row   *command.Row
	tag   string
	loose bool
	keys  int // of the last argument that is keys
	count int // where the number of keys stands that are to come; 0: nowhere
	out   [][]byte
}

func (e *expansion) add(a []byte) { e.out = append(e.out, a) }

func (e *expansion) all(args []command.Arg) {
	for i := range args {
		e.arg(&args[i])
	}
}

func (e *expansion) arg(a *command.Arg) {
	rng := e.g.rng
	if a.Flags&command.ArgOptional != 0 && rng.IntN(2) == 0 {
		return
	}
	times := 1
	if a.Flags&command.ArgMultiple != 0 {
		times = 1 + rng.IntN(4)
	}
	switch {
	case a.Name == "numkeys":
		e.count = len(e.out)
	case a.Type == "key" && e.count > 0 && rng.IntN(10) > 0:
		e.out[e.count] = number64(int64(times))
		e.count = 0
	case (a.Name == "id" || a.Name == "ID") && e.keys > 0 && rng.IntN(10) > 0:
		times = e.keys
	}
	if a.Type == "key" {
		e.keys = times
	}
	for i := range times {
		if a.Token != "" && (i == 0 || a.Flags&command.ArgMultipleToken != 0) {
			e.add(e.g.token(a.Token))
		}
		e.value(a)
	}
}

func (e *expansion) value(a *command.Arg) {
	switch a.Type {
	case "pure-token":
	case "block":
		e.all(a.Args)
	case "oneof":
		e.arg(&a.Args[e.g.rng.IntN(len(a.Args))])
	case "key":
		e.add(e.key())
	default:
		e.add(e.g.values.of(e.row.Name, a))
	}
}

func (e *expansion) key() []byte {
	tag := e.tag
	if e.loose {
		tag = e.g.tags[e.g.rng.IntN(len(e.g.tags))]
	}
	return e.g.values.key(tag, e.row.Group)
}

func (g *Generator) token(t string) []byte {
	switch g.rng.IntN(4) {
	case 0:
		return []byte(strings.ToLower(t))
	case 1:
		return g.mixCase([]byte(strings.ToLower(t)))
	}
	return []byte(t)
}
