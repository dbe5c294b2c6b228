package conform_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"larder/engine"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// newerNames are the commands of Redis 7.2.6 that 7.0.15 lacks.
var newerNames = []string{"client|no-touch", "client|setinfo", "cluster|myshardid", "waitaof"}

// TestNames takes every name that a real server has: each is answered by a node, or stands in testdata/names/missing.txt with a reason. An entry of that
// page that a node answers is one too many.
func TestNames(t *testing.T) {
	ref := namesOf(t, peers.StartRedis(t, "--enable-debug-command", "yes"))
	sub := namesOf(t, fleet.Node(t, func(o *engine.Options) { o.DebugCommand = "yes" }))
	for _, name := range newerNames {
		ref["command "+name] = true
	}
	reasons := missingNames(t)
	kinds := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(ref)) {
		kind, _, _ := strings.Cut(name, " ")
		kinds[kind]++
		if !sub[name] && reasons[name] == "" {
			t.Errorf("%s: a node does not have it, and testdata/names/missing.txt gives no reason", name)
		}
	}
	for _, kind := range []string{"command", "config", "info", "help", "lua"} {
		if kinds[kind] < 20 {
			t.Errorf("a real server has %d names of the kind %s: they were not found", kinds[kind], kind)
		}
	}
	for name := range reasons {
		switch {
		case !ref[name]:
			t.Errorf("%s: a real server has no such name, missing.txt need not excuse it", name)
		case sub[name]:
			t.Errorf("%s: a node has it, missing.txt need not excuse it", name)
		}
	}
}

// missingNames reads the page: "== " and a reason, then lines of a kind and names of it that a node lacks for that reason.
func missingNames(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/names/missing.txt")
	if err != nil {
		t.Fatal(err)
	}
	reasons, reason := map[string]string{}, ""
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "==":
			reason = strings.Join(words[1:], " ")
		case reason == "":
			t.Fatalf("%q has no reason", line)
		default:
			for _, name := range words[1:] {
				if reasons[words[0]+" "+name] != "" {
					t.Errorf("%s %s stands there twice", words[0], name)
				}
				reasons[words[0]+" "+name] = reason
			}
		}
	}
	return reasons
}

// namesOf are a server's names, each behind its kind.
func namesOf(t *testing.T, addr string) map[string]bool {
	t.Helper()
	n := nameList{t: t, c: peers.Dial(t, addr, 2), names: map[string]bool{}}
	n.commands()
	n.config()
	n.info()
	n.help()
	n.lua()
	return n.names
}

type nameList struct {
	t     *testing.T
	c     *peers.Conn
	names map[string]bool
}

func (n *nameList) add(kind, name string) { n.names[kind+" "+name] = true }

// texts are the elements of the reply to a command.
func (n *nameList) texts(args ...string) (all []string) {
	n.t.Helper()
	reply := n.c.Do(args...)
	if resp.IsError(reply) {
		n.t.Fatalf("%q: %q", args, reply)
	}
	it := resp.Elements(reply)
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		text, _ := resp.Value(e).Bytes()
		all = append(all, string(text))
	}
	return all
}

// commands are all that can be said, each of which has its documentation.
func (n *nameList) commands() {
	all := n.texts("COMMAND", "LIST")
	for _, name := range all {
		if len(n.texts("COMMAND", "DOCS", name)) == 2 {
			n.add("command", name)
		}
	}
}

func (n *nameList) config() {
	for i, name := range n.texts("CONFIG", "GET", "*") {
		if i%2 == 0 {
			n.add("config", name)
		}
	}
}

// info takes the lines of every section, but for those that a command, an error or a database has each of its own, of which it takes the fields.
func (n *nameList) info() {
	for _, args := range [][]string{{"SET", "k", "v"}, {"NOPE"}} {
		n.c.Do(args...)
	}
	text, _ := resp.Value(n.c.Do("INFO", "everything")).Bytes()
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		name, value, isField := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "# "):
			section = strings.ToLower(line[2:])
			n.add("info", section)
		case !isField:
		case section == "commandstats" || section == "errorstats" || section == "keyspace" || section == "latencystats":
			for field := range strings.SplitSeq(value, ",") {
				key, _, _ := strings.Cut(field, "=")
				n.add("info", section+":"+key)
			}
		default:
			n.add("info", section+":"+name)
		}
	}
}

var helpArgument = regexp.MustCompile(`<[^>]*>`) // <a name for the reader>

var helpWord = regexp.MustCompile(`[A-Z][A-Z-]+`)

// help takes the subcommands that HELP of each container shows, and the words in capitals of their usage.
func (n *nameList) help() {
	for _, container := range append(n.containers(), "DEBUG") {
		if resp.IsError(n.c.Do(container, "HELP")) {
			continue // CLUSTER's, of a server that is in none
		}
		for i, line := range n.texts(container, "HELP") {
			if i == 0 || strings.HasPrefix(line, " ") {
				continue
			}
			sub, rest, _ := strings.Cut(line, " ")
			sub = strings.ToLower(container + "|" + sub)
			n.add("help", sub)
			for _, word := range helpWord.FindAllString(helpArgument.ReplaceAllString(rest, ""), -1) {
				n.add("help", sub+":"+word)
			}
		}
	}
}

// containers are the commands with a subcommand HELP.
func (n *nameList) containers() (names []string) {
	for _, name := range n.texts("COMMAND", "LIST") {
		if container, ok := strings.CutSuffix(name, "|help"); ok {
			names = append(names, strings.ToUpper(container))
		}
	}
	slices.Sort(names)
	return names
}

// luaWalk notes the names in a table, with their types.
const luaWalk = `local seen, names = {}, {}
local function walk(t, prefix)
	if seen[t] then return end
	seen[t] = true
	for k, v in pairs(t) do
		if type(k) == 'string' and k ~= 'KEYS' and k ~= 'ARGV' then
			names[#names + 1] = prefix .. k .. ':' .. type(v)
			if type(v) == 'table' and k ~= '_G' then walk(v, prefix .. k .. '.') end
		end
	end
end
`

// lua takes what scripts reach, what a library reaches while it is loaded and what its functions reach when they are called. No table has the globals of a
// library: each that a script has is looked for.
func (n *nameList) lua() {
	for _, name := range n.texts("EVAL", luaWalk+"walk(_G, '') return names", "0") {
		n.add("lua", "eval:"+name)
		global, _, _ := strings.Cut(name, ":")
		if strings.Contains(global, ".") {
			continue
		}
		look := fmt.Sprintf(" walk({[%q] = %s}, '') ", global, global)
		n.library("load:", luaWalk+look+"redis.register_function('names', function() return names end)")
		n.library("call:", luaWalk+"redis.register_function('names', function()"+look+"return names end)")
	}
}

// library takes what the function names of a library gives; a library that cannot be loaded, or called, looks for what is not there.
func (n *nameList) library(when, code string) {
	if resp.IsError(n.c.Do("FUNCTION", "LOAD", "REPLACE", "#!lua name=names\n"+code)) {
		return
	}
	it := resp.Elements(n.c.Do("FCALL", "names", "0"))
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		name, _ := resp.BulkOf(e)
		n.add("lua", when+string(name))
	}
}
