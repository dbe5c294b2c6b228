package proxy

import (
	"strings"
	"testing"

	"larder/protocol/resp"
)

// nodesSay is what several nodes' INFO is put together to.
func nodesSay(texts ...string) shardInfo {
	all := shardInfo{}
	for _, text := range texts {
		all.read(resp.AppendBulkString(nil, strings.ReplaceAll(text, "\n", "\r\n")))
	}
	return all
}

func TestInfoOfShards(t *testing.T) {
	all := nodesSay(
		"# Memory\nused_memory:1024\nused_memory_human:1.00K\nused_memory_rss:3072\nmaxmemory:100\nmaxmemory_policy:noeviction\nmem_fragmentation_ratio:3.00\nnumber_of_functions:2\n\n"+
			"# Keyspace\ndb0:keys=3,expires=1,avg_ttl=10\n",
		"# Memory\nused_memory:2048\nused_memory_human:2.00K\nused_memory_rss:3072\nmaxmemory:0\nmaxmemory_policy:allkeys-lru\nmem_fragmentation_ratio:1.50\nnumber_of_functions:2\nonly_here:7\n# Keyspace\n",
		"# Memory\n\n# Keyspace\ndb0:keys=4,expires=3,avg_ttl=2\ndb5:keys=1,expires=0,avg_ttl=0,subexpiry=0\n",
	)
	all.read([]byte("-CLUSTERDOWN node is out of reach\r\n")) // a shard that is lost takes nothing from the others
	var b strings.Builder
	all["memory"].write(&b, map[string]bool{"used_memory_rss": true})
	want := "used_memory:3072|used_memory_human:3.00K|maxmemory:0|maxmemory_policy:mixed|mem_fragmentation_ratio:2.00|number_of_functions:2|only_here:7|"
	if got := strings.ReplaceAll(b.String(), "\r\n", "|"); got != want {
		t.Errorf("memory: %s\nwant %s", got, want)
	}
	w := newWorld(t, 1, 3, true, nil)
	s := &session{p: w.p}
	b.Reset()
	s.infoKeyspace(&b, all)
	if got, want := b.String(), "db0:keys=7,expires=4,avg_ttl=4\r\ndb5:keys=1,expires=0,avg_ttl=0\r\n"; got != want {
		t.Errorf("keyspace: %q, want %q", got, want)
	}
}

// Whatever nodes say, it is read to the end.
func FuzzInfoOfShards(f *testing.F) {
	f.Add("# Memory\nused_memory:1\nx_human:2\n", "# Memory\nused_memory:99999999999999999999999\nx_human:\n:::\n# \n")
	f.Fuzz(func(_ *testing.T, one, other string) {
		all := nodesSay(one, other)
		var b strings.Builder
		for _, lines := range all {
			lines.write(&b, nil)
		}
	})
}
