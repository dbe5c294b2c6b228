package engine

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"larder/process"
	"larder/protocol/client"
)

// infoSection is a heading of INFO; those that are not usual come only by name or with all and everything (Redis 7.0 server.c, genRedisInfoString).
type infoSection struct {
	name  string
	usual bool
	write func(*session, *strings.Builder)
}

var infoSections = []infoSection{
	{"Server", true, infoServer},
	{"Clients", true, infoClients},
	{"Memory", true, infoMemory},
	{"Persistence", true, infoPersistence},
	{"Stats", true, infoStats},
	{"Replication", true, infoReplication},
	{"CPU", true, infoCPU},
	{"Commandstats", false, infoCommands},
	{"Errorstats", true, infoErrors},
	{"Latencystats", false, infoTimes},
	{"Cluster", true, infoCluster},
	{"Keyspace", true, infoKeyspace},
	{"Keyprefixes", false, infoPrefixes},
	{"Larder", true, infoLarder},
}

// info answers INFO.
func info(s *session, args [][]byte) {
	usual, all := len(args) == 1, false
	named := map[string]bool{}
	for _, arg := range args[1:] {
		switch word := lower(arg); word {
		case "default":
			usual = true
		case "all", "everything":
			all = true
		default:
			named[word] = true
		}
	}
	s.p.gather()
	var b strings.Builder
	for _, section := range infoSections {
		if !all && !(usual && section.usual) && !named[strings.ToLower(section.name)] {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		fmt.Fprintf(&b, "# %s\r\n", section.name)
		section.write(s, &b)
		b.WriteString(infoNever[section.name])
	}
	s.p.w.Verbatim("txt", b.String())
}

func infoServer(s *session, b *strings.Builder) {
	p := s.p
	up := int64(time.Since(p.n.started).Seconds())
	const day = 86400
	fmt.Fprintf(b, "redis_version:%s\r\nredis_mode:standalone\r\nserver_name:larder\r\nlarder_role:engine\r\nos:%s %s\r\narch_bits:64\r\n",
		client.Version, runtime.GOOS, runtime.GOARCH)
	const lruClockMax = 1 << 24
	hz := configuredHz(s)
	fmt.Fprintf(b, "hz:%s\r\nconfigured_hz:%s\r\nlru_clock:%d\r\n", hz, hz, p.nowMS/1000%lruClockMax)
	if program, err := os.Executable(); err == nil {
		fmt.Fprintf(b, "executable:%s\r\n", program)
	}
	fmt.Fprintf(b, "go_version:%s\r\nprocess_id:%d\r\nrun_id:%s\r\ntcp_port:%d\r\nserver_time_usec:%d\r\nuptime_in_seconds:%d\r\nuptime_in_days:%d\r\n",
		runtime.Version(), os.Getpid(), p.n.runID, s.c.Local().Port(), p.nowMS*1000, up, up/day)
}

func infoClients(s *session, b *strings.Builder) {
	c := &s.p.count
	fmt.Fprintf(b, "connected_clients:%d\r\ncluster_connections:0\r\nmaxclients:%d\r\nblocked_clients:%d\r\ntracking_clients:%d\r\n",
		c.clients, s.p.n.opts.ClientsMax, s.p.blocked(), len(s.p.caches.clients))
}

// infoMemory: used_memory is what maxmemory is compared with; the process's memory stands beside it.
func infoMemory(s *session, b *strings.Builder) {
	p := s.p
	f := p.footprint()
	for _, size := range []struct {
		name string
		n    int64
	}{{"used_memory", f.used}, {"used_memory_rss", f.resident}, {"used_memory_peak", f.peak}, {"maxmemory", p.set.maxMemory}, {"total_system_memory", process.SystemMemory()}} {
		fmt.Fprintf(b, "%s:%d\r\n%s_human:%s\r\n", size.name, size.n, size.name, human(size.n))
	}
	const percent = 100
	fmt.Fprintf(b, "used_memory_peak_perc:%.2f%%\r\nused_memory_overhead:%d\r\nused_memory_startup:0\r\n", percent*ratio(f.used, f.peak), f.overhead())
	fmt.Fprintf(b, "used_memory_dataset:%d\r\nused_memory_dataset_perc:%.2f%%\r\n", f.dataset(), percent*ratio(f.dataset(), f.used))
	fmt.Fprintf(b, "allocator_allocated:%d\r\nallocator_active:%d\r\nallocator_resident:%d\r\nmaxmemory_policy:%s\r\n", f.live, f.active, f.reserved, p.set.policy)
	for _, part := range []struct {
		name string
		a, b int64
	}{
		{"allocator_frag", f.active, f.live}, {"allocator_rss", f.reserved, f.active}, {"rss_overhead", f.resident, f.reserved}, {"mem_fragmentation", f.resident, f.used},
	} {
		fmt.Fprintf(b, "%s_ratio:%.2f\r\n%s_bytes:%d\r\n", part.name, ratio(part.a, part.b), part.name, part.a-part.b)
	}
	t := &p.scripts
	fmt.Fprintf(b, "number_of_cached_scripts:%d\r\nnumber_of_functions:%d\r\nnumber_of_libraries:%d\r\n", len(t.known), len(t.functions), len(t.libraries))
	fmt.Fprintf(b, "mem_kept_for_snapshots:%d\r\nmem_not_counted_for_evict:%d\r\nmem_replication_backlog:%d\r\nmem_total_replication_buffers:%d\r\nmem_clients_slaves:%d\r\nmem_clients_normal:%d\r\n",
		f.kept, f.kept+f.stream+f.replicas, f.stream, f.stream, f.replicas, f.clients)
	fmt.Fprintf(b, "mem_cluster_links:0\r\nmem_aof_buffer:%d\r\nmem_allocator:larder\r\ngo_heap_bytes:%d\r\ngo_gc_cycles:%d\r\ngo_gc_cpu_perc:%.2f%%\r\n", p.unwritten(), f.heap, f.cycles, percent*f.gcShare)
}

// human is a size as Redis prints it for people (Redis 7.0 server.c, bytesToHuman).
func human(n int64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%dB", n)
	}
	value := float64(n)
	for _, unit := range "KMGT" {
		if value /= step; value < step {
			return fmt.Sprintf("%.2f%c", value, unit)
		}
	}
	return fmt.Sprintf("%.2fP", value/step)
}

func infoStats(s *session, b *strings.Builder) {
	c, base := &s.p.count, &s.p.base0
	calls, failed := c.commands.Total()
	callsBefore, failedBefore := base.commands.Total()
	fmt.Fprintf(b, "total_connections_received:%d\r\ntotal_commands_processed:%d\r\ntotal_net_input_bytes:%d\r\ntotal_net_output_bytes:%d\r\n",
		c.accepted-base.accepted, calls-callsBefore, c.bytesIn-base.bytesIn, c.bytesOut-base.bytesOut)
	fmt.Fprintf(b, "rejected_connections:%d\r\nexpired_keys:%d\r\nevicted_keys:%d\r\nkeyspace_hits:%d\r\nkeyspace_misses:%d\r\nacl_access_denied_auth:%d\r\n",
		c.refused-base.refused, c.expired-base.expired, c.evicted-base.evicted, c.hits-base.hits, c.misses-base.misses, c.loginsFailed-base.loginsFailed)
	// The expiry wheel knows every key that is due: none are stale but those of a slice that is still to come.
	fmt.Fprintf(b, "expired_stale_perc:0.00\r\nexpire_cycle_cpu_milliseconds:%d\r\nevicted_clients:0\r\nclient_output_buffer_limit_disconnections:%d\r\n", (c.choresNS-base.choresNS)/1e6, c.outputClosed-base.outputClosed)
	fmt.Fprintf(b, "pubsub_channels:%d\r\npubsub_patterns:%d\r\npubsubshard_channels:%d\r\n",
		len(s.p.topics[channel]), len(s.p.topics[pattern]), len(s.p.topics[shardChannel]))
	fmt.Fprintf(b, "total_error_replies:%d\r\ntotal_reads_processed:%d\r\ntotal_writes_processed:%d\r\n",
		failed-failedBefore, c.loop.Reads-base.loop.Reads, c.loop.Writes-base.loop.Writes)
	fmt.Fprintf(b, "sync_full:%d\r\nsync_partial_ok:%d\r\nsync_partial_err:%d\r\ntotal_net_repl_output_bytes:%d\r\n",
		c.syncFull-base.syncFull, c.syncPartial-base.syncPartial, c.syncRefused-base.syncRefused, c.replOut-base.replOut)
	fmt.Fprintf(b, "total_net_repl_input_bytes:%d\r\nunexpected_error_replies:%d\r\n", c.replicated-base.replicated, c.faults-base.faults)
	infoRates(s, b)
}

// infoRates: of the last second, and what clients' caches are told of.
func infoRates(s *session, b *strings.Builder) {
	r, caches := &s.p.rates, &s.p.caches
	fmt.Fprintf(b, "instantaneous_ops_per_sec:%.0f\r\ninstantaneous_input_kbps:%.2f\r\ninstantaneous_output_kbps:%.2f\r\n", r.PerS, r.InKBPerS, r.OutKBPerS)
	items := 0
	for _, who := range caches.keys {
		items += len(who)
	}
	fmt.Fprintf(b, "tracking_total_keys:%d\r\ntracking_total_items:%d\r\ntracking_total_prefixes:%d\r\n", len(caches.keys), items, len(caches.follow))
}

func infoCPU(_ *session, b *strings.Builder) {
	user, system := process.CPUSeconds()
	fmt.Fprintf(b, "used_cpu_sys:%.6f\r\nused_cpu_user:%.6f\r\n", system, user)
}

func infoCommands(s *session, b *strings.Builder) {
	s.p.count.commands.AppendInfo(b, &s.p.base0.commands)
}

func infoErrors(s *session, b *strings.Builder) {
	c, base := &s.p.count, &s.p.base0
	for _, code := range slices.Sorted(maps.Keys(c.errors)) {
		if n := c.errors[code] - base.errors[code]; n > 0 {
			fmt.Fprintf(b, "errorstat_%s:count=%d\r\n", code, n)
		}
	}
}

func infoCluster(_ *session, b *strings.Builder) { b.WriteString("cluster_enabled:0\r\n") }

func infoKeyspace(s *session, b *strings.Builder) {
	for i := range s.p.store.Databases() {
		if db := s.p.store.DB(i); db.Len() > 0 {
			fmt.Fprintf(b, "db%d:keys=%d,expires=%d,avg_ttl=0\r\n", i, db.Len(), db.Expires())
		}
	}
}

// infoPrefixes: the prefix comes last and quoted, since it may hold anything.
func infoPrefixes(s *session, b *strings.Builder) {
	for i, p := range s.p.count.prefixes {
		fmt.Fprintf(b, "prefix%d:keys=%d,bytes=%d,prefix=%q\r\n", i, p.Keys, p.Bytes, p.Prefix)
	}
}

func infoLarder(s *session, b *strings.Builder) {
	a := s.p.assigned
	fmt.Fprintf(b, "node_id:%s\r\nshard:%d\r\ntopology_epoch:%d\r\nslots:%s\r\nlanes:%d\r\nchores_longest_usec:%d\r\n",
		s.p.n.id, a.shard, a.epoch, a.slots(), s.p.count.lanes, s.p.longestNS/1000)
}
