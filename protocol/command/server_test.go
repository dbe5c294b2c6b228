package command_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/internal/peers"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// notIn70 are our rows that Redis 7.0 does not have; whatever begins with "larder" is ours.
var notIn70 = map[string]string{
	"client|setinfo":  "new in 7.2: the version we report, whose clients send it",
	"client|no-touch": "new in 7.2",

	"hexpire":      "fields that expire are newer than 7.2",
	"hpexpire":     "fields that expire are newer than 7.2",
	"hexpireat":    "fields that expire are newer than 7.2",
	"hpexpireat":   "fields that expire are newer than 7.2",
	"hexpiretime":  "fields that expire are newer than 7.2",
	"hpexpiretime": "fields that expire are newer than 7.2",
	"httl":         "fields that expire are newer than 7.2",
	"hpttl":        "fields that expire are newer than 7.2",
	"hpersist":     "fields that expire are newer than 7.2",
	"hgetex":       "fields that expire are newer than 7.2",
	"hsetex":       "fields that expire are newer than 7.2",
	"hgetdel":      "fields that expire are newer than 7.2",
	"waitaof":      "new in 7.2",
}

// infoFields are the elements of COMMAND INFO's reply.
var infoFields = []string{"name", "arity", "flags", "first", "last", "step", "categories", "tips", "key specs", "subcommands"}

// TestRowsAgainstServer compares whole rows, kinds of replies included. What 7.2.6 says otherwise than 7.0.15, TestRowsAsRecorded compares.
func TestRowsAgainstServer(t *testing.T) {
	addr := peers.StartRedis(t)
	recorded := recorded(t)
	for _, proto := range []int{2, 3} {
		c := peers.Dial(t, addr, proto)
		for _, r := range command.Rows() {
			theirs := parse(t, c.Do("COMMAND", "INFO", r.Name)).elems[0]
			mine := parse(t, answer(proto, "COMMAND", "INFO", r.Name)).elems[0]
			if strings.HasPrefix(r.Name, "larder") || notIn70[r.Name] != "" {
				if !theirs.null() {
					t.Errorf("%s: redis has it, so it needs no exception", r.Name)
				}
				continue
			}
			if theirs.null() {
				t.Errorf("%s: redis does not have it", r.Name)
				continue
			}
			for i, f := range infoFields {
				a, b := blank(theirs.elems[i]).String(), blank(mine.elems[i]).String()
				if f == "subcommands" {
					a, b = theirs.elems[i].subsThatWeHave(), mine.elems[i].subsThatRedisHas()
				}
				if a != b && !recorded[r.Name].sorted().changed(f, theirs.elems[i]) {
					t.Errorf("RESP%d %s/%s:\nredis %s\nours  %s", proto, r.Name, f, a, b)
				}
			}
		}
	}
}

func TestDocsAgainstServer(t *testing.T) {
	addr := peers.StartRedis(t)
	for _, proto := range []int{2, 3} {
		c := peers.Dial(t, addr, proto)
		for _, r := range command.Rows() {
			if strings.HasPrefix(r.Name, "larder") || notIn70[r.Name] != "" {
				continue
			}
			a := blank(parse(t, c.Do("COMMAND", "DOCS", r.Name))).String()
			b := blank(parse(t, answer(proto, "COMMAND", "DOCS", r.Name))).String()
			if a != b {
				t.Errorf("RESP%d %s:\nredis %s\nours  %s", proto, r.Name, a, b)
			}
		}
	}
}

// TestAnswersAgainstServer compares whole replies, byte for byte.
func TestAnswersAgainstServer(t *testing.T) {
	addr := peers.StartRedis(t)
	for _, line := range strings.Split(strings.TrimSpace(sameAnswers), "\n") {
		args := strings.Fields(line)
		for _, proto := range []int{2, 3} {
			theirs, mine := peers.Dial(t, addr, proto).Do(args...), answer(proto, args...)
			if !bytes.Equal(theirs, mine) {
				t.Errorf("RESP%d %s:\nredis %q\nours  %q", proto, line, theirs, mine)
			}
		}
	}
}

const sameAnswers = `
COMMAND INFO get nope SetNX client|id get|x client|nope client| |id | del bitop mget object|encoding
COMMAND INFO COMMAND|COUNT
COMMAND COUNT x
COMMAND NOPE
COMMAND nope a b
COMMAND INFO|x
COMMAND HELP x
COMMAND DOCS nope
COMMAND DOCS nope client|nope
COMMAND GETKEYS
COMMAND GETKEYS nope x
COMMAND GETKEYS client nope
COMMAND GETKEYS client|list x
COMMAND GETKEYS client list
COMMAND GETKEYS ping x
COMMAND GETKEYS get a b
COMMAND GETKEYS GeT a
COMMAND GETKEYS mset a b c
COMMAND GETKEYS mset a b c d
COMMAND GETKEYS mset a
COMMAND GETKEYS msetnx a b c d
COMMAND GETKEYS mget a b c
COMMAND GETKEYS del a b a
COMMAND GETKEYS object ENCODING k
COMMAND GETKEYS object help
COMMAND GETKEYS object encoding
COMMAND GETKEYS object nope k
COMMAND GETKEYS bitop and d a b
COMMAND GETKEYS bitop not d a
COMMAND GETKEYS bitop and d
COMMAND GETKEYS lcs a b LEN
COMMAND GETKEYS rename a b
COMMAND GETKEYS copy a b DB 1
COMMAND GETKEYS scan 0
COMMAND GETKEYS flushall async
COMMAND GETKEYSANDFLAGS get a
COMMAND GETKEYSANDFLAGS set a b
COMMAND GETKEYSANDFLAGS set a b get
COMMAND GETKEYSANDFLAGS set a get
COMMAND GETKEYSANDFLAGS set a b EX GET
COMMAND GETKEYSANDFLAGS set a b EX 10 GETX
COMMAND GETKEYSANDFLAGS bitfield a GET u8 0
COMMAND GETKEYSANDFLAGS bitfield a b
COMMAND GETKEYSANDFLAGS bitfield a set
COMMAND GETKEYSANDFLAGS bitfield a set u8 0 1
COMMAND GETKEYSANDFLAGS bitfield a get u8 0 overflow sat
COMMAND GETKEYSANDFLAGS bitfield a get u8 0 incrby u8 0 1
COMMAND GETKEYSANDFLAGS bitfield a overflow wrap
COMMAND GETKEYSANDFLAGS bitfield a overflow
COMMAND GETKEYSANDFLAGS bitfield a get u8
COMMAND GETKEYSANDFLAGS bitfield_ro a get u8 0
COMMAND GETKEYSANDFLAGS rename a b
COMMAND GETKEYSANDFLAGS renamenx a b
COMMAND GETKEYSANDFLAGS copy a b
COMMAND GETKEYSANDFLAGS bitop and d a b
COMMAND GETKEYSANDFLAGS mset a b c d
COMMAND GETKEYSANDFLAGS mset a b c
COMMAND GETKEYSANDFLAGS lcs a b
COMMAND GETKEYSANDFLAGS unlink a b
COMMAND GETKEYSANDFLAGS getex a
COMMAND GETKEYSANDFLAGS object freq k
COMMAND GETKEYSANDFLAGS ping x
COMMAND LIST FILTERBY ACLCAT @string
COMMAND LIST FILTERBY ACLCAT nope
COMMAND LIST FILTERBY MODULE x
COMMAND LIST FILTERBY PATTERN CLIENT|L*
COMMAND LIST FILTERBY PATTERN cliENT
COMMAND LIST FILTERBY PATTERN [^a-z]
COMMAND LIST FILTERBY FOO x
COMMAND LIST FILTERBY PATTERN
COMMAND LIST FOO
COMMAND LIST FOO a b
COMMAND LIST FILTERBY PATTERN a b
COMMAND LIST FILTERBY PATTERN a FILTERBY PATTERN b
`

// TestListAgainstServer: of what a filter leaves, the names that both have are the same.
func TestListAgainstServer(t *testing.T) {
	addr := peers.StartRedis(t)
	for _, line := range strings.Split(strings.TrimSpace(sameLists), "\n") {
		args := strings.Fields(line)
		for _, proto := range []int{2, 3} {
			a, b := parse(t, peers.Dial(t, addr, proto).Do(args...)), parse(t, answer(proto, args...))
			theirs, mine := a.texts(weHave), b.texts(redisHas)
			if a.kind != b.kind || !slices.Equal(theirs, mine) {
				t.Errorf("RESP%d %s:\nredis %c %q\nours  %c %q", proto, line, a.kind, theirs, b.kind, mine)
			}
		}
	}
}

// TestCount: COMMAND COUNT is how many commands COMMAND describes and COMMAND LIST names without the subcommands, as at a real server.
func TestCount(t *testing.T) {
	real := peers.Dial(t, peers.StartRedis(t), 2)
	for who, ask := range map[string]func(args ...string) []byte{
		"redis": func(args ...string) []byte { return real.Do(args...) },
		"ours":  func(args ...string) []byte { return answer(2, args...) },
	} {
		described, names := len(parse(t, ask("COMMAND")).elems), 0
		for _, name := range parse(t, ask("COMMAND", "LIST")).elems {
			if !strings.Contains(name.String(), "|") {
				names++
			}
		}
		if got := string(ask("COMMAND", "COUNT")); got != fmt.Sprintf(":%d\r\n", described) || names != described {
			t.Errorf("%s: COMMAND COUNT %q, %d described, %d names", who, got, described, names)
		}
	}
}

const sameLists = `
COMMAND LIST
command list filterby aclcat bitmap
COMMAND LIST FILTERBY ACLCAT STRING
COMMAND LIST FILTERBY ACLCAT dangerous
COMMAND LIST FILTERBY ACLCAT connection
COMMAND LIST FILTERBY PATTERN *
COMMAND LIST FILTERBY PATTERN **GET*
COMMAND LIST FILTERBY PATTERN *|*
COMMAND LIST FILTERBY PATTERN ?et
COMMAND LIST FILTERBY PATTERN [a-g]*
COMMAND LIST FILTERBY PATTERN [G-A]*
COMMAND LIST FILTERBY PATTERN [^a-gX]*t
COMMAND LIST FILTERBY PATTERN [gs
COMMAND LIST FILTERBY PATTERN [gs]e[t-]
COMMAND LIST FILTERBY PATTERN ge[t
COMMAND LIST FILTERBY PATTERN ge[]t
COMMAND LIST FILTERBY PATTERN ge[\T]
COMMAND LIST FILTERBY PATTERN ge[\t]
COMMAND LIST FILTERBY PATTERN ge[\
COMMAND LIST FILTERBY PATTERN ge[^
COMMAND LIST FILTERBY PATTERN ge[^]
COMMAND LIST FILTERBY PATTERN ge[a-
COMMAND LIST FILTERBY PATTERN ge[A-]
COMMAND LIST FILTERBY PATTERN ge[a-]]*
COMMAND LIST FILTERBY PATTERN ???
COMMAND LIST FILTERBY PATTERN *?*e*?*t
COMMAND LIST FILTERBY PATTERN \*
COMMAND LIST FILTERBY PATTERN \g\e\t
COMMAND LIST FILTERBY PATTERN get\
COMMAND LIST FILTERBY PATTERN g*t*e*
COMMAND LIST FILTERBY PATTERN *_ro
`

// TestErrorsAgainstServer: what no row runs is refused in the same words.
func TestErrorsAgainstServer(t *testing.T) {
	addr := peers.StartRedis(t)
	c := peers.Dial(t, addr, 2)
	long := strings.Repeat("x", 200)
	for _, args := range [][]string{
		{"nope"},
		{"NoPe", "a", "b"},
		{"a\r\nb", "x\r\ny"},
		{"n\x00ul", "a\x00b"},
		{"", "", ""},
		{"\xe9\x80", "\xff\x01"},
		{long, long[:50], long[:60], long[:30], "w"},
		{"foo", long, "c"},
		{"foo", long[:120], "z", "k"},
		{"foo", long[:122], "z", "k"},
		{"foo", long[:124], "z", "k"},
		{"foo", long[:125], "z", "k"},
		{"foo", long[:126], "z"},
		{"foo", long[:127], "z"},
		{"foo", long[:128], "z"},
		append([]string{"foo"}, strings.Split(strings.Repeat("ab,", 50), ",")...),
		{"client", "nope"},
		{"CLIENT", "LIST|x", "y"},
		{"client", long},
		{"client", "a\r\n\x00b"},
		{"client", ""},
		{"object", "foo", "bar"},
		{"Cluster", "NOPE"},
		{"config", "nope"},
		{"command", "nope"},
		{"client|list"},
		{"object|encoding", "x"},
		{"get|x", "y"},
		{"client"},
		{"config"},
		{"object"},
		{"cluster"},
		{"get"},
		{"GET", "a", "b"},
		{"set", "a"},
		{"mset", "a"},
		{"CLIENT", "ID", "x"},
		{"client", "kill"},
		{"object", "encoding"},
		{"config", "set", "a"},
		{"bitop", "and", "d"},
		{"time", "x"},
		{"dbsize", "x"},
		{"command", "getkeys"},
	} {
		theirs := c.Do(args...)
		r, err := command.Resolve(views(args...))
		mine := resp.AppendError(nil, err)
		if r != nil || !bytes.Equal(theirs, mine) {
			t.Errorf("%.40q:\nredis %q\nours  %q (row %v)", args, theirs, mine, r)
		}
	}
}

// weHave and redisHas say which names can be in both answers.
func weHave(name string) bool   { return byName(name) != nil }
func redisHas(name string) bool { return !strings.HasPrefix(name, "larder") && notIn70[name] == "" }

func byName(name string) *command.Row {
	for _, r := range command.Rows() {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// answer is our reply to COMMAND.
func answer(proto int, args ...string) []byte {
	w := resp.Writer{Proto: proto}
	command.Answer(&w, views(args...))
	return w.Out
}

func views(args ...string) [][]byte {
	out := make([][]byte, len(args))
	for i, a := range args {
		out[i] = []byte(a)
	}
	return out
}

// node is a decoded reply. Sets, maps and arrays keep their kind, so that a comparison sees it.
type node struct {
	kind  byte
	text  string
	elems []node
}

func (n node) null() bool { return n.kind == '_' || n.kind == '$' && n.text == "\x00null" }

func (n node) String() string {
	if strings.IndexByte("*~%", n.kind) < 0 {
		return fmt.Sprintf("%c%s", n.kind, n.text)
	}
	parts := make([]string, len(n.elems))
	for i, e := range n.elems {
		parts[i] = e.String()
	}
	return fmt.Sprintf("%c[%s]", n.kind, strings.Join(parts, " "))
}

// texts gives the elements' texts that keep accepts, sorted.
func (n node) texts(keep func(string) bool) []string {
	var out []string
	for _, e := range n.elems {
		if keep(e.text) {
			out = append(out, e.text)
		}
	}
	slices.Sort(out)
	return out
}

// names gives the kind of a set of rows and the names of those that keep accepts.
func (n node) names(keep func(string) bool) string {
	var out []string
	for _, e := range n.elems {
		if name := e.elems[0].text; keep(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return fmt.Sprintf("%c %q", n.kind, out)
}

func (n node) subsThatWeHave() string   { return n.names(weHave) }
func (n node) subsThatRedisHas() string { return n.names(redisHas) }

// blank takes out what is worded by us and not a fact, and a container's subcommands, which are compared each for itself.
func blank(n node) node {
	out := node{kind: n.kind, text: n.text, elems: slices.Clone(n.elems)}
	for i := range out.elems {
		out.elems[i] = blank(out.elems[i])
		if i == 0 {
			continue
		}
		v := &out.elems[i]
		switch out.elems[i-1].text {
		case "summary", "complexity", "notes", "replaced_by":
			v.text = "..."
		case "subcommands":
			v.elems = nil
		case "history":
			for j := range v.elems {
				v.elems[j].elems[1].text = "..."
			}
		}
	}
	return out
}

func parse(t *testing.T, reply []byte) node {
	t.Helper()
	n, rest := parseNode(t, reply)
	if len(rest) != 0 {
		t.Fatalf("%d bytes behind the reply", len(rest))
	}
	return n
}

func parseNode(t *testing.T, b []byte) (node, []byte) {
	t.Helper()
	line, rest, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok || len(line) == 0 {
		t.Fatalf("not a reply: %.60q", b)
	}
	n := node{kind: line[0], text: string(line[1:])}
	size, _ := strconv.Atoi(n.text)
	switch n.kind {
	case '$':
		if size < 0 {
			n.text = "\x00null"
			return n, rest
		}
		n.text, rest = string(rest[:size]), rest[size+2:]
	case '%', '*', '~':
		n.text = ""
		if n.kind == '%' {
			size *= 2
		}
		for range size {
			var e node
			e, rest = parseNode(t, rest)
			n.elems = append(n.elems, e)
		}
	}
	return n, rest
}
