// Package docs_test holds pages against the code that they speak of. Pages made from code are written anew with
//
//	go test ./docs -update
package docs_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"larder/protocol/command"
)

var update = flag.Bool("update", false, "write the pages that are made from code")

// TestCompatibility makes compatibility.md from the command table and wants the page to be just that.
func TestCompatibility(t *testing.T) { golden(t, "compatibility.md", compatibility()) }

// golden compares a page with what the code says, or writes it.
func golden(t *testing.T, page, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	haveLines, wantLines := strings.Split(string(have), "\n"), strings.Split(want, "\n")
	for i := range max(len(haveLines), len(wantLines)) {
		if i >= len(haveLines) || i >= len(wantLines) || haveLines[i] != wantLines[i] {
			t.Fatalf("%s differs from the code in line %d; go test ./docs -update writes it anew\nhave %q\nwant %q",
				page, i+1, lineOf(haveLines, i), lineOf(wantLines, i))
		}
	}
}

func lineOf(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(the end)"
}

const compatibilityHead = `# Commands

Made from the command table (` + "`protocol/command`" + `) by ` + "`go test ./docs -update`" + `. What stands here is there; what does not is answered
` + "`-ERR unknown command …`" + ` as Redis answers it, and the connection stays. Replies and errors are those of Redis 7.2, byte for byte where clients match
on them; RESP2 and RESP3. *Since* is the version of Redis that had the command first.

What the gateway does:

| word | meaning |
|---|---|
| by key | goes unchanged to the shard that has its key; several keys must share a slot (hash tags), else ` + "`-CROSSSLOT …`" + ` as from a Redis Cluster |
| gathered | may name keys of any shards: what they hold is gathered and worked out in the gateway ([cross-slot.md](cross-slot.md)) |
| in steps | over several shards only if ` + "`gateway.cross-slot: allow`" + ` is set, and then not atomic ([cross-slot.md](cross-slot.md)) |
| split and merged | may name keys of any shards: one command a shard, one reply |
| by slot | goes to the shard that has the slot |
| all shards | asks every shard (SCAN one after the other), one reply is made of theirs |
| answered here | by the gateway itself |
| refused | as an unknown command: it is for nodes, not for clients |
| not yet | as an unknown command: so far only a node has it |

*Over shards* is what a client may ask where the keys are on several shards: *one shard's keys* are those that share a hash tag, or happen to lie together. *Over
stock nodes* is what a redis-server or Valkey in a node's place changes; *from* a version: if it is no older.

On a node nobody may say DEBUG unless ` + "`engine.enable-debug-command`" + ` allows it. What else a real server has and a node has not, down to parameters
and the lines of INFO, stands with a reason each in ` + "`internal/conform/testdata/names/missing.txt`" + `.

A node is a plain server to whoever is no gateway: what is said of clusters is refused there as a Redis without cluster mode refuses it,
but for a slot's keys.
`

func compatibility() string {
	var page strings.Builder
	page.WriteString(compatibilityHead)
	group := ""
	for _, row := range inOrder() {
		if row.Group != group {
			group = row.Group
			fmt.Fprintf(&page, "\n## %s\n\n| command | since | gateway | over shards | over stock nodes | node |\n|---|---|---|---|---|---|\n", strings.ToUpper(group[:1])+group[1:])
		}
		fmt.Fprintf(&page, "| %s | %s | %s | %s | %s | %s |\n", title(row), since(row), gateway(row), overShards(row), overStock(row), node(row))
	}
	return page.String()
}

// inOrder is all rows that can be run, a container's subcommands where the container would stand.
func inOrder() []*command.Row {
	var out []*command.Row
	for _, row := range command.Rows() {
		switch {
		case row.Parent != 0:
		case len(row.Subs) == 0:
			out = append(out, row)
		default:
			if row.Arity == -1 { // COMMAND does something without a subcommand
				out = append(out, row)
			}
			for _, id := range row.Subs {
				out = append(out, command.ByID(id))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *command.Row) int { return groupAt(a) - groupAt(b) })
	return out
}

// groupAt is where a row's group is met first.
func groupAt(row *command.Row) int {
	return slices.IndexFunc(command.Rows(), func(r *command.Row) bool { return r.Group == row.Group })
}

func title(row *command.Row) string { return strings.ToUpper(strings.ReplaceAll(row.Name, "|", " ")) }

func since(row *command.Row) string {
	if row.Group == "larder" {
		return "Larder " + row.Since
	}
	return row.Since
}

func gateway(row *command.Row) string {
	switch {
	case row.Group == "larder" || row.ID == command.CmdShutdown:
		return "refused"
	case row.Flags.Has(command.NodeOnly):
		return "not yet"
	}
	switch row.Request {
	case command.RequestSpecial:
		switch {
		case row.ID == command.CmdWait || row.ID == command.CmdWaitAOF:
			return "answered here"
		case row.Group == "cluster":
			return "by slot"
		case row.Flags.Has(command.OverShards):
			return "gathered"
		case row.Group == "stream":
			return "by key"
		}
		return "all shards"
	case command.RequestKey:
		switch {
		case row.Flags.Has(command.OverShards):
			return "gathered"
		case row.Flags.Has(command.InSteps):
			return "by key, or in steps"
		}
		return "by key"
	case command.RequestMultiShard:
		return "split and merged"
	case command.RequestLocal:
		return "answered here"
	default:
		return "all shards"
	}
}

// overShards is what a client may ask of a gateway with several shards.
func overShards(row *command.Row) string {
	switch gateway(row) {
	case "refused", "not yet":
		return "refused: a node's own"
	case "answered here":
		return hereOverShards(row)
	case "gathered":
		if row.Flags.Has(command.Blocking) {
			return "any keys; with BLOCK one shard's"
		}
		return "any keys"
	case "split and merged":
		return "any keys"
	case "by key, or in steps":
		return "one shard's keys, or in steps"
	case "by slot":
		return "yes"
	case "all shards":
		if scripted(row) {
			return "one shard's keys"
		}
		return "all shards, merged"
	}
	if severalKeys(row) {
		return "one shard's keys"
	}
	return "yes"
}

// hereOverShards: most of what a gateway answers itself has nothing to do with shards.
func hereOverShards(row *command.Row) string {
	switch row.ID {
	case command.CmdDebug, command.CmdConfigRewrite:
		return "refused"
	case command.CmdInfo:
		return "all shards, merged; one by shard:n"
	case command.CmdConfigSet, command.CmdConfigResetStat, command.CmdSlowLogReset:
		return "the gateway and all nodes"
	case command.CmdConfigGet:
		return "the gateway and one node"
	case command.CmdSlowLogGet:
		return "the gateway's; a node's by SHARD n"
	case command.CmdExec:
		return "one shard's keys"
	case command.CmdSubscribe, command.CmdPSubscribe, command.CmdMonitor:
		return "all shards"
	}
	return "yes"
}

func scripted(row *command.Row) bool {
	return row.Group == "scripting" && row.Parent == 0
}

// severalKeys tells whether a command may name more than one key.
func severalKeys(row *command.Row) bool {
	return row.Flags.Has(command.MovableKeys) || len(row.KeySpecs) > 1 || row.First > 0 && row.Last != row.First
}

// overStock is what a stock server in a node's place changes.
func overStock(row *command.Row) string {
	asks := gateway(row) != "answered here" || row.ID == command.CmdConfigSet
	switch {
	case strings.HasPrefix(overShards(row), "refused"), row.ID == command.CmdWaitAOF:
		return "refused"
	case row.ID == command.CmdWait:
		return "for all that was written before; not in MULTI"
	case row.Group == "cluster" && asks:
		return "no: it has no slots"
	case scripted(row):
		return "undeclared keys unchecked; not for limited users"
	case row.ID == command.CmdPublish || row.ID == command.CmdSPublish || row.Parent == command.CmdPubSub && strings.Contains(row.Name, "num"):
		return "counts gateways' connections"
	case asks && row.Since >= "7":
		return "from " + row.Since
	}
	return "yes"
}

func node(row *command.Row) string {
	if row.Group == "cluster" && row.Request == command.RequestLocal {
		return "refused"
	}
	return "yes"
}
