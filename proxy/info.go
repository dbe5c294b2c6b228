package proxy

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"larder/process"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// infoSections are what INFO knows, in order; keyspace is asked of the shards.
var infoSections = []struct {
	name  string
	write func(*session, *strings.Builder)
}{
	{"server", (*session).infoServer},
	{"clients", (*session).infoClients},
	{"memory", (*session).infoMemory},
	{"stats", (*session).infoStats},
	{"replication", (*session).infoReplication},
	{"cpu", (*session).infoCPU},
	{"errorstats", (*session).infoErrors},
	{"cluster", (*session).infoCluster},
	{"gateway", (*session).infoGateway},
}

var infoDefault = []string{"default", "all", "everything"}

// info answers INFO. The keyspace section is the sum over all shards.
func (s *session) info(row *command.Row, args [][]byte) bool {
	want := map[string]bool{}
	for _, arg := range args[1:] {
		want[strings.ToLower(string(arg))] = true
	}
	every := len(want) == 0 || slices.ContainsFunc(infoDefault, func(name string) bool { return want[name] })
	keyspace := every || want["keyspace"]
	if keyspace {
		for shard := range s.p.shards {
			if ln, ok := s.laneTo(row, shard); ln == nil {
				return ok
			}
		}
	}
	var b strings.Builder
	for _, section := range infoSections {
		if every || want[section.name] {
			if b.Len() > 0 {
				b.WriteString("\r\n")
			}
			fmt.Fprintf(&b, "# %s\r\n", heading(section.name))
			section.write(s, &b)
		}
	}
	if !keyspace {
		s.say(row, func(w *resp.Writer) { w.Verbatim("txt", b.String()) })
		return true
	}
	if b.Len() > 0 {
		b.WriteString("\r\n")
	}
	m := s.fanOut(row, mergeKeyspace, [][]byte{[]byte("INFO"), []byte("keyspace")})
	m.text = []byte(b.String())
	return true
}

// heading is a section's name as Redis writes it.
func heading(name string) string {
	if name == "cpu" {
		return "CPU"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func (s *session) infoServer(b *strings.Builder) {
	_, port := s.endpoint()
	up := int64(s.p.l.Now().Sub(s.p.g.started).Seconds())
	fmt.Fprintf(b, "redis_version:%s\r\nredis_mode:standalone\r\nserver_name:larder\r\nlarder_role:gateway\r\nos:%s %s\r\narch_bits:64\r\n",
		client.Version, runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(b, "go_version:%s\r\nprocess_id:%d\r\nrun_id:%s\r\ntcp_port:%d\r\nserver_time_usec:%d\r\nuptime_in_seconds:%d\r\nuptime_in_days:%d\r\n",
		runtime.Version(), os.Getpid(), s.p.g.id, port, s.p.g.nowMS(s.p.l.Now())*1000, up, up/86400)
}

func (s *session) infoClients(b *strings.Builder) {
	all := s.p.g.stats.sum()
	fmt.Fprintf(b, "connected_clients:%d\r\ncluster_connections:0\r\nmaxclients:%d\r\nblocked_clients:%d\r\ntracking_clients:0\r\npubsub_clients:%d\r\n",
		max(1, all.clients), s.p.g.opts.ClientsMax, s.p.g.blocked.Load(), all.subscribers)
}

// infoMemory tells of the gateway's own memory: it holds no data.
func (s *session) infoMemory(b *strings.Builder) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(b, "used_memory:%d\r\nused_memory_rss:%d\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n", m.HeapAlloc, process.ResidentBytes())
}

func (s *session) infoStats(b *strings.Builder) {
	all := s.p.g.sinceReset()
	calls, _ := all.commands.Total()
	fmt.Fprintf(b, "total_connections_received:%d\r\ntotal_commands_processed:%d\r\ntotal_net_input_bytes:%d\r\ntotal_net_output_bytes:%d\r\nrejected_connections:%d\r\nacl_access_denied_auth:%d\r\nunexpected_error_replies:%d\r\n",
		all.accepted, calls, all.bytesIn, all.bytesOut, all.refused, all.loginsFailed, all.unknown)
	topics := s.p.g.heard.sizes()
	fmt.Fprintf(b, "pubsub_channels:%d\r\npubsub_patterns:%d\r\npubsubshard_channels:%d\r\n", topics[channel], topics[pattern], topics[shardChannel])
}

// infoReplication: clients see one primary; the fleet's own replication is not theirs to follow.
func (s *session) infoReplication(b *strings.Builder) {
	fmt.Fprintf(b, "role:master\r\nconnected_slaves:0\r\nmaster_replid:%s\r\nmaster_repl_offset:0\r\n", s.p.g.id)
}

func (s *session) infoCPU(b *strings.Builder) {
	user, system := process.CPUSeconds()
	fmt.Fprintf(b, "used_cpu_sys:%.6f\r\nused_cpu_user:%.6f\r\n", system, user)
}

func (s *session) infoErrors(b *strings.Builder) {
	all := s.p.g.sinceReset()
	_, failed := all.commands.Total()
	fmt.Fprintf(b, "errorstat_ALL:count=%d\r\n", failed)
}

// infoCluster says 0, as ElastiCache does without cluster mode: a plain client needs nothing else. CLUSTER is answered all the same.
func (s *session) infoCluster(b *strings.Builder) { b.WriteString("cluster_enabled:0\r\n") }

func (s *session) infoGateway(b *strings.Builder) {
	t := s.p.topo
	fmt.Fprintf(b, "cluster:%s\r\ntopology_epoch:%d\r\nshards:%d\r\n", t.Cluster, t.Epoch, len(t.Shards))
	for i, u := range s.p.shards {
		kind, state := "unknown", "up"
		if u.known {
			kind = "stock"
			if u.larder {
				kind = "larder"
			}
		}
		if u.err != "" {
			state = "down"
		}
		fmt.Fprintf(b, "shard%d:addr=%s,kind=%s,state=%s\r\n", i, u.addr, kind, state)
	}
}
