package command_test

import (
	"slices"
	"strings"
	"testing"

	"larder/protocol/command"
	"larder/protocol/resp"
)

var _ command.Reply = (*resp.Writer)(nil)

func TestRows(t *testing.T) {
	rows := command.Rows()
	if len(rows) != command.NumIDs {
		t.Fatalf("%d rows, %d IDs", len(rows), command.NumIDs)
	}
	names := map[string]bool{}
	subsBegan := false
	for i, r := range rows {
		if r == nil {
			t.Fatalf("ID %d has no row", i+1)
		}
		if int(r.ID) != i+1 || command.ByID(r.ID) != r {
			t.Errorf("%s: ID %d at place %d", r.Name, r.ID, i+1)
		}
		if names[r.Name] || r.Name != strings.ToLower(r.Name) || r.Name == "" {
			t.Errorf("%q: empty, twice, or not lower case", r.Name)
		}
		names[r.Name] = true
		if isSub := strings.Contains(r.Name, "|"); isSub != (r.Parent != 0) || subsBegan && !isSub {
			t.Errorf("%s: parent %d, or a command behind the subcommands", r.Name, r.Parent)
		}
		subsBegan = r.Parent != 0
		if r.Arity == 0 || r.Since == "" || r.Group == "" {
			t.Errorf("%s: arity, since or group is missing", r.Name)
		}
		if r.Request > command.RequestLocal || r.Response > command.ResponseSpecial {
			t.Errorf("%s: %q has a policy without a constant", r.Name, r.Tips)
		}
		if len(r.Subs) > 0 && (r.Parent != 0 || r.Flags.Has(command.Write) || len(r.KeySpecs) > 0) {
			t.Errorf("%s: a container runs nothing itself", r.Name)
		}
	}
	if command.ByID(0) != nil || command.ByID(command.ID(command.NumIDs+1)) != nil {
		t.Error("ByID knows what is no row")
	}
}

func TestContainers(t *testing.T) {
	for _, r := range command.Rows() {
		if r.Parent == 0 {
			continue
		}
		p := command.ByID(r.Parent)
		name, ok := strings.CutPrefix(r.Name, p.Name+"|")
		if !ok || !slices.Contains(p.Subs, r.ID) || p.Sub([]byte(name)) != r || p.Sub([]byte(strings.ToUpper(name))) != r {
			t.Errorf("%s does not resolve below %s", r.Name, p.Name)
		}
		if command.Lookup([]byte(name)) == r || command.Lookup([]byte(r.Name)) != nil {
			t.Errorf("%s is found as a command", r.Name)
		}
		if p.Sub([]byte("help")) == nil {
			t.Errorf("%s has no HELP, to which its errors point", p.Name)
		}
	}
}

func TestKeySpecsOfRows(t *testing.T) {
	access := []command.KeyFlags{command.KeyRO, command.KeyRW, command.KeyOW, command.KeyRM}
	for _, r := range command.Rows() {
		if (len(r.KeySpecs) > 0) != (r.First > 0) && !r.Flags.Has(command.MovableKeys) {
			t.Errorf("%s: specs %v, first %d", r.Name, r.KeySpecs, r.First)
		}
		for _, k := range r.KeySpecs {
			if k.Flags == command.KeyNotKey && k.Step > 0 {
				continue // a channel of a shard
			}
			n := 0
			for _, a := range access {
				if k.Flags&a != 0 {
					n++
				}
			}
			if n != 1 || k.Step < 1 && k.Find != command.FindUnknown {
				t.Errorf("%s: spec %+v wants one of RO RW OW RM and a step", r.Name, k)
			}
			writes := r.Flags.Has(command.Write) || r.Group == "scripting" || r.ID == command.CmdPFCount // what a script does is not known; PFCOUNT keeps its estimate
			if !writes && k.Flags&command.KeyRO == 0 {
				t.Errorf("%s changes a key but does not write", r.Name)
			}
		}
	}
}

// TestClassicRangeCoversSpecs: what KeyPositions gives without looking at the specs is what the specs say.
func TestClassicRangeCoversSpecs(t *testing.T) {
	for _, r := range command.Rows() {
		slow := *r
		slow.Flags |= command.MovableKeys
		for n := 1; n < 9; n++ {
			args := make([][]byte, n)
			if !r.ArityOK(n) {
				continue
			}
			if a, b := r.KeyPositions(args, nil), slow.KeyPositions(args, nil); !slices.Equal(a, b) {
				t.Errorf("%s of %d arguments: range %v, specs %v", r.Name, n, a, b)
			}
		}
	}
}

func TestPolicies(t *testing.T) {
	type policy struct {
		request  command.Request
		response command.Response
	}
	want := map[string]policy{
		"mget":      {command.RequestMultiShard, command.ResponseDefault},
		"mset":      {command.RequestMultiShard, command.ResponseAllSucceeded},
		"del":       {command.RequestMultiShard, command.ResponseAggSum},
		"unlink":    {command.RequestMultiShard, command.ResponseAggSum},
		"exists":    {command.RequestMultiShard, command.ResponseAggSum},
		"touch":     {command.RequestMultiShard, command.ResponseAggSum},
		"dbsize":    {command.RequestAllShards, command.ResponseAggSum},
		"keys":      {command.RequestAllShards, command.ResponseDefault},
		"flushall":  {command.RequestAllShards, command.ResponseAllSucceeded},
		"flushdb":   {command.RequestAllShards, command.ResponseAllSucceeded},
		"wait":      {command.RequestSpecial, command.ResponseAggMin},
		"waitaof":   {command.RequestSpecial, command.ResponseAggMin},
		"swapdb":    {command.RequestAllShards, command.ResponseAllSucceeded},
		"scan":      {command.RequestSpecial, command.ResponseSpecial},
		"randomkey": {command.RequestSpecial, command.ResponseSpecial},

		"publish":              {command.RequestSpecial, command.ResponseDefault},
		"pubsub|channels":      {command.RequestAllShards, command.ResponseDefault},
		"pubsub|numsub":        {command.RequestAllShards, command.ResponseDefault},
		"pubsub|numpat":        {command.RequestAllShards, command.ResponseDefault},
		"pubsub|shardchannels": {command.RequestAllShards, command.ResponseDefault},
		"pubsub|shardnumsub":   {command.RequestAllShards, command.ResponseDefault},
		"watch":                {command.RequestSpecial, command.ResponseDefault},
		"blpop":                {command.RequestSpecial, command.ResponseDefault},
		"brpop":                {command.RequestSpecial, command.ResponseDefault},
		"blmove":               {command.RequestSpecial, command.ResponseDefault},
		"brpoplpush":           {command.RequestSpecial, command.ResponseDefault},
		"blmpop":               {command.RequestSpecial, command.ResponseDefault},
		"bzpopmin":             {command.RequestSpecial, command.ResponseDefault},
		"bzpopmax":             {command.RequestSpecial, command.ResponseDefault},
		"bzmpop":               {command.RequestSpecial, command.ResponseDefault},
		"xread":                {command.RequestSpecial, command.ResponseDefault},
		"xreadgroup":           {command.RequestSpecial, command.ResponseDefault},
		"save":                 {command.RequestAllShards, command.ResponseAllSucceeded},
		"bgsave":               {command.RequestAllShards, command.ResponseAllSucceeded},
		"lastsave":             {command.RequestAllShards, command.ResponseAggMin},
		"bgrewriteaof":         {command.RequestAllShards, command.ResponseAllSucceeded},

		"memory|doctor":           {command.RequestAllShards, command.ResponseSpecial},
		"memory|malloc-stats":     {command.RequestAllShards, command.ResponseSpecial},
		"memory|purge":            {command.RequestAllShards, command.ResponseAllSucceeded},
		"memory|stats":            {command.RequestAllShards, command.ResponseSpecial},
		"cluster|countkeysinslot": {command.RequestSpecial, command.ResponseDefault},
		"cluster|getkeysinslot":   {command.RequestSpecial, command.ResponseDefault},

		"script|exists":    {command.RequestSpecial, command.ResponseAggLogicalAnd},
		"script|flush":     {command.RequestSpecial, command.ResponseAllSucceeded},
		"script|kill":      {command.RequestSpecial, command.ResponseOneSucceeded},
		"script|load":      {command.RequestSpecial, command.ResponseAllSucceeded},
		"function|delete":  {command.RequestSpecial, command.ResponseAllSucceeded},
		"function|dump":    {command.RequestSpecial, command.ResponseDefault},
		"function|flush":   {command.RequestSpecial, command.ResponseAllSucceeded},
		"function|kill":    {command.RequestSpecial, command.ResponseOneSucceeded},
		"function|list":    {command.RequestSpecial, command.ResponseDefault},
		"function|load":    {command.RequestSpecial, command.ResponseAllSucceeded},
		"function|restore": {command.RequestSpecial, command.ResponseAllSucceeded},
		"function|stats":   {command.RequestSpecial, command.ResponseSpecial},
	}
	local := strings.Fields("ping echo hello auth select quit reset client command config info time cluster readonly readwrite asking shutdown larder acl slowlog latency role lolwut debug multi exec discard unwatch monitor subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe pubsub|help object|help memory|help xgroup|help xinfo|help script|debug script|help function|help")
	for _, r := range command.Rows() {
		if r.Flags.Has(command.NodeOnly) {
			continue // no gateway routes it
		}
		base, _, _ := strings.Cut(r.Name, "|")
		switch p, special := want[r.Name]; {
		case special:
			if r.Request != p.request || r.Response != p.response {
				t.Errorf("%s: %d, %d, want %v", r.Name, r.Request, r.Response, p)
			}
		case slices.Contains(local, base) || slices.Contains(local, r.Name) || len(r.Subs) > 0:
			if r.Request != command.RequestLocal {
				t.Errorf("%s is not answered here", r.Name)
			}
		default:
			if r.Request != command.RequestKey || r.Response != command.ResponseDefault || len(r.KeySpecs) == 0 {
				t.Errorf("%s: %d, %d, want to go by its keys", r.Name, r.Request, r.Response)
			}
		}
	}
}

func TestNamesOfSets(t *testing.T) {
	get := command.ByID(command.CmdGet)
	if got := get.Flags.Names(); !slices.Equal(got, []string{"readonly", "fast"}) {
		t.Error(got)
	}
	if got := get.Categories.Names(); !slices.Equal(got, []string{"@read", "@string", "@fast"}) {
		t.Error(got)
	}
	keys := command.ByID(command.CmdKeys)
	if !keys.Flags.Has(command.TouchesArbitraryKeys) || !slices.Equal(keys.Flags.Names(), []string{"readonly"}) {
		t.Error("a hidden flag is missing, or printed", keys.Flags.Names())
	}
	for name, want := range map[string]command.Categories{"string": command.CatString, "SCRIPTING": command.CatScripting, "@read": 0, "": 0, "nope": 0} {
		if got := command.CategoryByName(name); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
}

func TestEveryRowIsDocumented(t *testing.T) {
	seen := map[string]string{}
	for _, r := range command.Rows() {
		d := r.Doc()
		// Redis gives no complexity for these: what they cost is up to others' commands, or is of no account.
		without := r.ID == command.CmdMonitor || r.Name == "lolwut" || r.ID == command.CmdPSync || r.ID == command.CmdSync
		if !strings.HasSuffix(d.Summary, ".") || (d.Complexity == "") != without {
			t.Errorf("%s: summary %q, complexity %q", r.Name, d.Summary, d.Complexity)
		}
		if (d.DeprecatedSince == "") != (d.ReplacedBy == "") {
			t.Errorf("%s: deprecated since %q, replaced by %q", r.Name, d.DeprecatedSince, d.ReplacedBy)
		}
		if other, twice := seen[d.Summary]; twice && !strings.HasSuffix(r.Name, "help") && r.Name != "substr" && r.Name != "getrange" {
			t.Errorf("%s and %s have the same summary", r.Name, other)
		}
		seen[d.Summary] = r.Name
		checkArgs(t, r, d.Args)
	}
}

// checkArgs: key arguments name specs that exist, and groups are not empty.
func checkArgs(t *testing.T, r *command.Row, args []command.Arg) {
	t.Helper()
	for _, a := range args {
		if a.Type == "key" && a.KeySpec >= len(r.KeySpecs) && r.ID != command.CmdClusterKeySlot {
			t.Errorf("%s: argument %s is of key spec %d of %d", r.Name, a.Name, a.KeySpec, len(r.KeySpecs))
		}
		if group := a.Type == "oneof" || a.Type == "block"; group != (len(a.Args) > 0) || a.Name == "" {
			t.Errorf("%s: argument %q of type %s has %d parts", r.Name, a.Name, a.Type, len(a.Args))
		}
		checkArgs(t, r, a.Args)
	}
}
