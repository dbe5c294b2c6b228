package proxy

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"larder/process"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// infoSection is a heading of INFO; those that are not usual come only by name or with all and everything. write knows what the nodes said.
type infoSection struct {
	name  string
	usual bool
	nodes bool // nodes are asked for it
	write func(*session, *strings.Builder, shardInfo)
}

var infoSections = []infoSection{
	{"server", true, false, (*session).infoServer},
	{"clients", true, false, (*session).infoClients},
	{"memory", true, true, (*session).infoMemory},
	{"persistence", true, true, (*session).infoPersistence},
	{"stats", true, true, (*session).infoStats},
	{"replication", true, false, (*session).infoReplication},
	{"cpu", true, false, (*session).infoCPU},
	{"commandstats", false, false, (*session).infoCommands},
	{"errorstats", true, false, (*session).infoErrors},
	{"latencystats", false, false, (*session).infoTimes},
	{"cluster", true, false, (*session).infoCluster},
	{"keyspace", true, true, (*session).infoKeyspace},
	{"gateway", true, false, (*session).infoGateway},
}

// info answers INFO: of the keys and the memory of all shards together, of the clients and commands of this gateway. INFO shard:n … is what that shard's
// node says.
func (s *session) info(row *command.Row, args [][]byte) bool {
	if s.unanswered() {
		return s.stall(stallEmpty) // what it asked before is to be counted
	}
	usual, all := len(args) == 1, false
	named := map[string]bool{}
	for i, arg := range args[1:] {
		word := strings.ToLower(string(arg))
		switch number, ofShard := strings.CutPrefix(word, "shard:"); {
		case ofShard:
			shard, wrong := s.shardNumber([]byte(number))
			if wrong != "" {
				s.refuse(row, wrong)
				return true
			}
			return s.passTo(row, shard, kindReads, slices.Delete(slices.Clone(args), i+1, i+2))
		case word == "default":
			usual = true
		case word == "all" || word == "everything":
			all = true
		default:
			named[word] = true
		}
	}
	var wanted []*infoSection
	ask := [][]byte{[]byte("INFO")}
	for i := range infoSections {
		if section := &infoSections[i]; all || usual && section.usual || named[section.name] {
			wanted = append(wanted, section)
			if section.nodes {
				ask = append(ask, []byte(section.name))
			}
		}
	}
	shards := s.p.allShards()
	if len(ask) == 1 {
		shards = nil
	}
	if len(ask) > 2 {
		ask = ask[:1] // a server before 7.0 takes one section
	}
	return s.poll(row, shards, kindReads, ask, func(seq uint32, replies [][]byte) {
		nodes := shardInfo{}
		for _, reply := range replies {
			nodes.read(reply)
		}
		s.p.everywhere((*part).publish, func() {
			s.later(seq, func(w *resp.Writer) { w.Verbatim("txt", s.infoText(wanted, nodes)) })
		})
	})
}

func (s *session) infoText(wanted []*infoSection, nodes shardInfo) string {
	var b strings.Builder
	for _, section := range wanted {
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		fmt.Fprintf(&b, "# %s\r\n", heading(section.name))
		section.write(s, &b, nodes)
	}
	return b.String()
}

// heading is a section's name as Redis writes it.
func heading(name string) string {
	if name == "cpu" {
		return "CPU"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func (s *session) infoServer(b *strings.Builder, _ shardInfo) {
	_, port := s.endpoint()
	up := int64(s.p.l.Now().Sub(s.p.g.started).Seconds())
	fmt.Fprintf(b, "redis_version:%s\r\nredis_mode:standalone\r\nserver_name:larder\r\nlarder_role:gateway\r\nos:%s %s\r\narch_bits:64\r\n",
		client.Version, runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(b, "go_version:%s\r\nprocess_id:%d\r\nrun_id:%s\r\ntcp_port:%d\r\nserver_time_usec:%d\r\nuptime_in_seconds:%d\r\nuptime_in_days:%d\r\n",
		runtime.Version(), os.Getpid(), s.p.g.id, port, s.p.g.nowMS(s.p.l.Now())*1000, up, up/86400)
}

func (s *session) infoClients(b *strings.Builder, _ shardInfo) {
	all := s.p.g.stats.sum()
	fmt.Fprintf(b, "connected_clients:%d\r\ncluster_connections:0\r\nmaxclients:%d\r\nblocked_clients:%d\r\ntracking_clients:%d\r\npubsub_clients:%d\r\n",
		max(1, all.clients), s.p.opts.ClientsMax, s.p.g.blocked.Load(), all.trackers, all.subscribers)
}

// infoMemory is of the nodes' memory: the gateway holds no data.
func (s *session) infoMemory(b *strings.Builder, nodes shardInfo) { nodes["memory"].write(b, nil) }

func (s *session) infoPersistence(b *strings.Builder, nodes shardInfo) {
	nodes["persistence"].write(b, nil)
}

// infoStats: connections, commands and bytes are the gateway's with its clients, all else is the nodes'.
func (s *session) infoStats(b *strings.Builder, nodes shardInfo) {
	all := s.p.g.sinceReset()
	calls, failed := all.commands.Total()
	rates, topics := &all.rates, s.p.g.heard.sizes()
	own := map[string]bool{}
	for _, line := range []struct{ name, value string }{
		{"total_connections_received", digits(all.accepted)},
		{"total_commands_processed", digits(calls)},
		{"instantaneous_ops_per_sec", fmt.Sprintf("%.0f", rates.PerS)},
		{"total_net_input_bytes", digits(all.bytesIn)},
		{"total_net_output_bytes", digits(all.bytesOut)},
		{"instantaneous_input_kbps", fmt.Sprintf("%.2f", rates.InKBPerS)},
		{"instantaneous_output_kbps", fmt.Sprintf("%.2f", rates.OutKBPerS)},
		{"rejected_connections", digits(all.refused)},
		{"acl_access_denied_auth", digits(all.loginsFailed)},
		{"total_error_replies", digits(failed)},
		{"unexpected_error_replies", digits(all.unknown)},
		{"client_output_buffer_limit_disconnections", digits(all.slowClosed)},
		{"pubsub_channels", digits(uint64(topics[channel]))},
		{"pubsub_patterns", digits(uint64(topics[pattern]))},
		{"pubsubshard_channels", digits(uint64(topics[shardChannel]))},
		{"tracking_total_keys", digits(all.trackedKeys)},
		{"tracking_total_items", digits(all.trackedItems)},
		{"tracking_total_prefixes", digits(all.trackedPrefixes)},
	} {
		own[line.name] = true
		fmt.Fprintf(b, "%s:%s\r\n", line.name, line.value)
	}
	nodes["stats"].write(b, own)
}

func digits(n uint64) string { return strconv.FormatUint(n, 10) }

// infoReplication: clients see one primary; the fleet's own replication is not theirs to follow.
func (s *session) infoReplication(b *strings.Builder, _ shardInfo) {
	fmt.Fprintf(b, "role:master\r\nconnected_slaves:0\r\nmaster_replid:%s\r\nmaster_repl_offset:0\r\n", s.p.g.id)
}

func (s *session) infoCPU(b *strings.Builder, _ shardInfo) {
	user, system := process.CPUSeconds()
	fmt.Fprintf(b, "used_cpu_sys:%.6f\r\nused_cpu_user:%.6f\r\n", system, user)
}

func (s *session) infoCommands(b *strings.Builder, _ shardInfo) {
	all, base := s.p.g.stats.sum(), s.p.g.counted()
	all.commands.AppendInfo(b, &base.commands)
}

func (s *session) infoErrors(b *strings.Builder, _ shardInfo) {
	all, base := s.p.g.stats.sum(), s.p.g.counted()
	all.errors.AppendInfo(b, &base.errors)
}

func (s *session) infoTimes(b *strings.Builder, _ shardInfo) {
	s.p.g.settings.Load().watching.AppendInfo(b, s.p.g.times())
}

// infoKeyspace adds up lines like "db0:keys=3,expires=1,avg_ttl=0".
func (s *session) infoKeyspace(b *strings.Builder, nodes shardInfo) {
	lines := nodes["keyspace"]
	if lines == nil {
		return
	}
	for db := range s.p.opts.Databases {
		var keys, expires, ttl int64
		for _, value := range lines.values["db"+strconv.Itoa(db)] {
			n, e, t := parseKeyspace(value)
			keys, expires, ttl = keys+n, expires+e, ttl+e*t
		}
		if keys > 0 {
			fmt.Fprintf(b, "db%d:keys=%d,expires=%d,avg_ttl=%d\r\n", db, keys, expires, ttl/max(1, expires))
		}
	}
}

func parseKeyspace(fields string) (keys, expires, avgTTL int64) {
	for field := range strings.SplitSeq(fields, ",") {
		word, digits, _ := strings.Cut(field, "=")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			continue
		}
		switch word {
		case "keys":
			keys = n
		case "expires":
			expires = n
		case "avg_ttl":
			avgTTL = n
		}
	}
	return keys, expires, avgTTL
}

// infoCluster says 0, as ElastiCache does without cluster mode: a plain client needs nothing else. CLUSTER is answered all the same. One of a fleet says 1:
// there are drivers for clusters that go by it (redis-py).
func (s *session) infoCluster(b *strings.Builder, _ shardInfo) {
	enabled := 0
	if s.p.g.peers.Load() != nil {
		enabled = 1
	}
	fmt.Fprintf(b, "cluster_enabled:%d\r\n", enabled)
}

func (s *session) infoGateway(b *strings.Builder, _ shardInfo) {
	t := s.p.topo
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(b, "cluster:%s\r\ntopology_epoch:%d\r\nshards:%d\r\n", t.Cluster, t.Epoch, len(t.Shards))
	s.p.g.writeConfigured(b)
	fmt.Fprintf(b, "gateway_heap_bytes:%d\r\ngateway_rss_bytes:%d\r\n", m.HeapAlloc, process.ResidentBytes())
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
		s.p.infoReplicas(b, i)
	}
}
