package engine

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"larder/protocol/client"
)

// idle is a parameter without an effect: it has Redis's range and default, keeps what it is set to, and changes nothing. Tools set it, and what it tunes in
// Redis is not there to tune, or is always as it should be.
type idle struct {
	name        string
	words       []string // its values, the default is an index; nil: a number
	least, most int64
	preset      int64
	memory      bool // bytes, which may be said as 1gb
}

var noYes = []string{"no", "yes"}

// idles are in groups, each with its reason.
var idles = []idle{
	// Memory is always given back in slices, behind the reply.
	{name: "lazyfree-lazy-eviction", words: noYes, preset: 1},
	{name: "lazyfree-lazy-expire", words: noYes, preset: 1},
	{name: "lazyfree-lazy-server-del", words: noYes, preset: 1},
	{name: "lazyfree-lazy-user-del", words: noYes, preset: 1},
	{name: "lazyfree-lazy-user-flush", words: noYes, preset: 1},

	// S3-FIFO counts to 3, counts down by itself and takes no samples; the time of a slice is fixed.
	{name: "lfu-decay-time", most: math.MaxInt32, preset: 1},
	{name: "lfu-log-factor", most: math.MaxInt32, preset: 10},
	{name: "maxmemory-eviction-tenacity", most: 100, preset: 10},
	{name: "maxmemory-samples", least: 1, most: math.MaxInt32, preset: 5},

	// Big lists are trees, whose pages are not compressed.
	{name: "list-compress-depth", most: math.MaxInt32},

	// The index grows by a bucket at a time and compaction is part of every write; expiry fires by a wheel; ticks come when they are needed.
	{name: "active-defrag-cycle-max", least: 1, most: 99, preset: 25},
	{name: "active-defrag-cycle-min", least: 1, most: 99, preset: 1},
	{name: "active-defrag-ignore-bytes", least: 1, most: math.MaxInt64, preset: 100 << 20, memory: true},
	{name: "active-defrag-max-scan-fields", least: 1, most: math.MaxInt64, preset: 1000},
	{name: "active-defrag-threshold-lower", most: 1000, preset: 10},
	{name: "active-defrag-threshold-upper", most: 1000, preset: 100},
	{name: "active-expire-effort", least: 1, most: 10, preset: 1},
	{name: "activedefrag", words: noYes},
	{name: "activerehashing", words: noYes, preset: 1},
	{name: "dynamic-hz", words: noYes, preset: 1},
	{name: "hz", most: math.MaxInt32, preset: 10},
	{name: "jemalloc-bg-thread", words: noYes, preset: 1},

	// A primary's data are loaded as they come, in the place of what was there; what a flush leaves behind goes in slices.
	{name: "repl-diskless-load", words: []string{"disabled", "on-empty-db", "swapdb"}},
	{name: "replica-ignore-disk-write-errors", words: noYes},
	{name: "replica-lazy-flush", words: noYes},
	{name: "slave-lazy-flush", words: noYes},

	// A node logs what its own settings say, and nothing of it is left to chance by a crash.
	{name: "crash-log-enabled", words: noYes, preset: 1},
	{name: "crash-memcheck-enabled", words: noYes, preset: 1},
	{name: "loglevel", words: []string{"debug", "verbose", "notice", "warning"}, preset: 2},

	// Payloads are always looked at; silent clients are probed every five minutes.
	{name: "sanitize-dump-payload", words: []string{"no", "yes", "clients"}},
	{name: "aof-disable-auto-gc", words: noYes},
	{name: "tcp-keepalive", most: math.MaxInt32, preset: 300},
	{name: "oom-score-adj", words: []string{"no", "yes", "relative", "absolute"}},
	// A copy of the data goes out in pieces of 256 KiB, and what a turn of the loop says to replicas in one: there is nothing to be put together.
	{name: "repl-disable-tcp-nodelay", words: noYes},

	// The file that a copy for replicas goes to has no name, and is gone with the copy.
	{name: "rdb-del-sync-files", words: noYes},

	{name: "shutdown-timeout", most: math.MaxInt32, preset: 10},
}

func idleDefaults() []int64 {
	values := make([]int64, len(idles))
	for i := range idles {
		values[i] = idles[i].preset
	}
	return values
}

// configuredHz is hz as it is set, for INFO.
func configuredHz(s *session) string {
	at := slices.IndexFunc(idles, func(d idle) bool { return d.name == "hz" })
	return idles[at].text(s.p.set.idles[at])
}

func idleParameters() client.Parameters[*session, settings] {
	all := make(client.Parameters[*session, settings], len(idles))
	for i := range idles {
		d := &idles[i]
		all[i] = client.Parameter[*session, settings]{
			Name: d.name,
			Get:  func(s *session) string { return d.text(s.p.set.idles[i]) },
			Set: func(set *settings, value string) string {
				n, wrong := d.parse(value)
				if wrong == "" {
					set.idles = slices.Clone(set.idles)
					set.idles[i] = n
				}
				return wrong
			},
		}
	}
	return all
}

func (d *idle) text(n int64) string {
	if d.words != nil {
		return d.words[n]
	}
	return strconv.FormatInt(n, 10)
}

func (d *idle) parse(value string) (n int64, wrong string) {
	switch {
	case d.words == nil && d.memory:
		return client.ParseMemory(value, d.least)
	case d.words == nil:
		return client.ParseNumber(value, d.least, d.most)
	}
	if at := slices.Index(d.words, strings.ToLower(value)); at >= 0 {
		return int64(at), ""
	}
	if slices.Equal(d.words, noYes) {
		return 0, "argument must be 'yes' or 'no'"
	}
	return 0, "argument(s) must be one of the following: " + strings.Join(d.words, ", ")
}

// fixed are parameters with the one value that is true of a node; they cannot be set.
var fixed = [][2]string{
	{"always-show-logo", "no"},
	{"aof_rewrite_cpulist", ""},
	{"bgsave_cpulist", ""},
	{"bind-source-addr", ""},
	{"bio_cpulist", ""},
	{"cluster-enabled", "no"}, // gateways are what a client may take for a cluster
	{"daemonize", "no"},
	{"disable-thp", "yes"},
	{"enable-module-command", "no"},
	{"enable-protected-configs", "no"},
	{"ignore-warnings", ""},
	{"io-threads", "1"},
	{"io-threads-do-reads", "no"},
	{"logfile", ""},
	{"maxmemory-clients", "0"}, // no client is closed for its memory but by its own limits
	{"pidfile", ""},
	{"propagation-error-behavior", "ignore"}, // docs/replication.md
	{"protected-mode", "no"},                 // access lists decide instead
	{"replica-ignore-maxmemory", "yes"},      // what goes, the primary says
	{"server_cpulist", ""},
	{"set-proc-title", "no"},
	{"shutdown-on-sigint", "default"},
	{"shutdown-on-sigterm", "default"},
	{"slave-ignore-maxmemory", "yes"},
	{"socket-mark-id", "0"},
	{"supervised", "no"},
	{"syslog-enabled", "no"},
	{"syslog-facility", "local0"},
	{"syslog-ident", "redis"},
	{"tcp-backlog", "511"},
	{"unixsocket", ""},
	{"unixsocketperm", "0"},
}

func fixedParameters() client.Parameters[*session, settings] {
	all := make(client.Parameters[*session, settings], len(fixed))
	for i, f := range fixed {
		all[i] = client.Parameter[*session, settings]{Name: f[0], Get: func(*session) string { return f[1] }}
	}
	return all
}
