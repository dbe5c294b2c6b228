package command

import (
	"slices"
	"strings"
)

// rows[id-1] is the row of id.
var rows = buildRows()

// Rows gives every row in the order of IDs, commands before subcommands. The slice is shared: not to be changed.
func Rows() []*Row { return rows }

// ByID gives the row of id, nil if there is none.
func ByID(id ID) *Row {
	if id == 0 || int(id) > len(rows) {
		return nil
	}
	return rows[id-1]
}

// The words of COMMAND INFO's tips.
const (
	tipNondeterministic = "nondeterministic_output"
	tipAnyOrder         = "nondeterministic_output_order"

	tipRequestAllNodes   = "request_policy:all_nodes"
	tipRequestAllShards  = "request_policy:all_shards"
	tipRequestMultiShard = "request_policy:multi_shard"
	tipRequestSpecial    = "request_policy:special"

	tipResponseAllSucceeded = "response_policy:all_succeeded"
	tipResponseOneSucceeded = "response_policy:one_succeeded"
	tipResponseLogicalAnd   = "response_policy:agg_logical_and"
	tipResponseAggSum       = "response_policy:agg_sum"
	tipResponseAggMin       = "response_policy:agg_min"
	tipResponseSpecial      = "response_policy:special"
)

func tips(t ...string) []string { return t }

func keys(k ...KeySpec) []KeySpec { return k }

// keyAt is one key at argument i.
func keyAt(i int, f KeyFlags) KeySpec {
	return KeySpec{Flags: f, Begin: BeginIndex, Index: i, Find: FindRange, Step: 1}
}

// keysFrom is keys from argument i to the end, every step.
func keysFrom(i, step int, f KeyFlags) KeySpec {
	return KeySpec{Flags: f, Begin: BeginIndex, Index: i, Find: FindRange, LastKey: -1, Step: step}
}

// keysFromTo is keys from argument i to argument last.
func keysFromTo(i, last int, f KeyFlags) KeySpec {
	return KeySpec{Flags: f, Begin: BeginIndex, Index: i, Find: FindRange, LastKey: last - i, Step: 1}
}

func noted(k KeySpec, notes string) KeySpec {
	k.Notes = notes
	return k
}

// buildRows puts the groups' rows in the order of IDs and fills in what follows from other facts, so that it is stated nowhere twice.
func buildRows() []*Row {
	out := make([]*Row, NumIDs)
	for _, g := range []struct {
		name string
		rows []Row
	}{
		{"connection", connectionRows()},
		{"server", serverRows()},
		{"server", aclRows()},
		{"server", monitoringRows()},
		{"server", replicationRows()},
		{"cluster", clusterRows()},
		{"generic", genericRows()},
		{"list", listRows()},
		{"string", stringRows()},
		{"bitmap", bitmapRows()},
		{"generic", sortRows()},
		{"hyperloglog", hyperloglogRows()},
		{"set", setRows()},
		{"transactions", transactionRows()},
		{"pubsub", pubsubRows()},
		{"stream", streamRows()},
		{"hash", hashRows()},
		{"sorted-set", zsetRows()},
		{"geo", geoRows()},
		{"scripting", scriptingRows()},
		{"larder", larderRows()},
	} {
		for i := range g.rows {
			r := &g.rows[i]
			r.Group = g.name
			r.derive()
			out[r.ID-1] = r
		}
	}
	for _, r := range out {
		if r.Parent != 0 {
			p := out[r.Parent-1]
			p.Subs = append(p.Subs, r.ID)
		}
	}
	return out
}

func (r *Row) derive() {
	scripting := r.Categories&CatScripting != 0
	r.Categories |= implied(r.Flags)
	if scripting {
		r.Categories &^= CatRead // Redis 7.0: what runs a script is no reader, even if the script may only read
	}
	r.First, r.Last, r.Step = classicRange(r.KeySpecs)
	if r.Request == RequestKey {
		r.Request = requestOf(r.Tips)
	}
	if r.Response == ResponseDefault {
		r.Response = responseOf(r.Tips)
	}
}

// implied gives the categories that follow from flags, as Redis 7.0 does in setImplicitACLCategories.
func implied(f Flags) Categories {
	c := CatSlow
	if f.Has(Fast) {
		c = CatFast
	}
	for _, x := range []struct {
		flag Flags
		cat  Categories
	}{
		{Write, CatWrite}, {ReadOnly, CatRead}, {Admin, CatAdmin | CatDangerous}, {PubSub, CatPubSub}, {Blocking, CatBlocking},
	} {
		if f.Has(x.flag) {
			c |= x.cat
		}
	}
	return c
}

// classicRange gives the one range that covers the specs that are plain ranges; for the others there is MovableKeys.
func classicRange(specs []KeySpec) (first, last, step int) {
	for _, k := range specs {
		if k.Begin != BeginIndex || k.Find != FindRange {
			continue
		}
		end := k.LastKey
		if end >= 0 {
			end += k.Index
		}
		switch {
		case first == 0:
			first, last, step = k.Index, end, k.Step
		case end < 0 || last >= 0 && end > last:
			last = end
		}
	}
	return first, last, step
}

// The policies' words in the order of their constants; "" has none, or none that Redis knows.
var (
	requestWords  = [...]string{"", "multi_shard", "all_shards", "all_nodes", "special", ""}
	responseWords = [...]string{
		"", "one_succeeded", "all_succeeded", "agg_sum", "agg_min", "agg_max", "agg_logical_and", "agg_logical_or", "special",
	}
)

func requestOf(t []string) Request { return Request(policy(t, "request_policy:", requestWords[:])) }

func responseOf(t []string) Response {
	return Response(policy(t, "response_policy:", responseWords[:]))
}

// policy gives the index of the word that the tip with this prefix says, 0 without such a tip.
func policy(t []string, prefix string, words []string) int {
	for _, tip := range t {
		if word, ok := strings.CutPrefix(tip, prefix); ok {
			return slices.Index(words, word)
		}
	}
	return 0
}
