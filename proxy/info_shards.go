package proxy

import (
	"fmt"
	"strconv"
	"strings"

	"larder/protocol/resp"
)

// shardInfo is what the nodes' INFO said, put together: sections by name, in lower case.
type shardInfo map[string]*infoLines

// infoLines are a section's fields in the order of the first node that has them.
type infoLines struct {
	names  []string
	values map[string][]string // of each node that has the field
}

// readInfo adds one node's INFO.
func (all shardInfo) read(reply []byte) {
	text, ok := resp.BulkOf(reply)
	if !ok {
		return
	}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, is := strings.CutPrefix(line, "# "); is {
			section = strings.ToLower(name)
			continue
		}
		name, value, is := strings.Cut(line, ":")
		if !is {
			continue
		}
		lines := all[section]
		if lines == nil {
			lines = &infoLines{values: map[string][]string{}}
			all[section] = lines
		}
		if lines.values[name] == nil {
			lines.names = append(lines.names, name)
		}
		lines.values[name] = append(lines.values[name], value)
	}
}

// howJoined says how a field of several nodes becomes one.
type howJoined uint8

const (
	joinSum  howJoined = iota // numbers are added; of anything else the first one stands, if all are the same, else "mixed"
	joinMax                   // the greatest
	joinMin                   // the least
	joinMean                  // of percentages
	joinZero                  // 0 if any is 0, which stands for no limit; else the sum
	joinOut                   // not shown: it means nothing for several
)

// joined are the fields of the sections Memory, Persistence and Stats that are not added.
var joined = map[string]howJoined{
	"maxmemory": joinZero, "total_system_memory": joinMax, "mem_fragmentation_bytes": joinSum,
	"number_of_cached_scripts": joinMax, "number_of_functions": joinMax, "number_of_libraries": joinMax,
	"go_gc_cpu_perc": joinMean, "expired_stale_perc": joinMean,
	"used_memory_lua_human": joinOut, "used_memory_vm_total_human": joinOut, "used_memory_scripts_human": joinOut, "used_memory_vm_eval": joinSum,

	"loading": joinMax, "async_loading": joinMax, "rdb_bgsave_in_progress": joinMax, "aof_enabled": joinMax, "aof_rewrite_in_progress": joinMax,
	"aof_rewrite_scheduled": joinMax, "rdb_last_save_time": joinMin, "rdb_last_bgsave_time_sec": joinMax, "rdb_current_bgsave_time_sec": joinMax,
	"aof_last_rewrite_time_sec": joinMax, "aof_current_rewrite_time_sec": joinMax, "module_fork_in_progress": joinMax, "latest_fork_usec": joinMax,
	"current_fork_perc": joinMean, "active_defrag_running": joinMax, "current_eviction_exceeded_time": joinMax, "current_active_defrag_time": joinMax,
}

// ratiosOf follow from two other fields: the first by the second, and how it is printed.
var ratiosOf = map[string]struct{ above, below, form string }{
	"used_memory_peak_perc":    {"used_memory", "used_memory_peak", "%.2f%%"},
	"used_memory_dataset_perc": {"used_memory_dataset", "used_memory", "%.2f%%"},
	"allocator_frag_ratio":     {"allocator_active", "allocator_allocated", "%.2f"},
	"allocator_rss_ratio":      {"allocator_resident", "allocator_active", "%.2f"},
	"rss_overhead_ratio":       {"used_memory_rss", "allocator_resident", "%.2f"},
	"mem_fragmentation_ratio":  {"used_memory_rss", "used_memory", "%.2f"},
}

// write adds a section's fields, but those that are there already.
func (lines *infoLines) write(b *strings.Builder, but map[string]bool) {
	if lines == nil {
		return
	}
	for _, name := range lines.names {
		if but[name] || joined[name] == joinOut {
			continue
		}
		if value, ok := lines.join(name); ok {
			b.WriteString(name + ":" + value + "\r\n")
		}
	}
}

func (lines *infoLines) join(name string) (string, bool) {
	const percent = 100
	if r, is := ratiosOf[name]; is {
		value := lines.total(r.above) / max(1, lines.total(r.below))
		if strings.HasSuffix(r.form, "%%") {
			value *= percent
		}
		return fmt.Sprintf(r.form, value), true
	}
	if base, is := strings.CutSuffix(name, "_human"); is {
		return human(lines.total(base)), lines.values[base] != nil
	}
	values := lines.values[name]
	numbers := make([]float64, len(values))
	digits, unit := 0, ""
	for i, value := range values {
		number, isPercent := strings.CutSuffix(value, "%")
		if isPercent {
			unit = "%"
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return same(values), true
		}
		if at := strings.IndexByte(number, '.'); at >= 0 {
			digits = max(digits, len(number)-at-1)
		}
		numbers[i] = n
	}
	return strconv.FormatFloat(joinNumbers(joined[name], numbers), 'f', digits, 64) + unit, true
}

func joinNumbers(how howJoined, numbers []float64) float64 {
	n := numbers[0]
	for _, other := range numbers[1:] {
		switch {
		case how == joinMax:
			n = max(n, other)
		case how == joinMin:
			n = min(n, other)
		case how == joinZero && (n == 0 || other == 0):
			n = 0
		default:
			n += other
		}
	}
	if how == joinMean {
		n /= float64(len(numbers))
	}
	return n
}

func (lines *infoLines) total(name string) (sum float64) {
	how := joined[name]
	if how == joinMean || lines.values[name] == nil {
		return 0
	}
	numbers := make([]float64, len(lines.values[name]))
	for i, value := range lines.values[name] {
		numbers[i], _ = strconv.ParseFloat(value, 64) // what is no number has no part in a ratio
	}
	return joinNumbers(how, numbers)
}

func same(values []string) string {
	for _, value := range values[1:] {
		if value != values[0] {
			return "mixed"
		}
	}
	return values[0]
}

// human is a size as Redis prints it for people (Redis 7.0 server.c, bytesToHuman).
func human(n float64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%.0fB", n)
	}
	for _, unit := range "KMGT" {
		if n /= step; n < step {
			return fmt.Sprintf("%.2f%c", n, unit)
		}
	}
	return fmt.Sprintf("%.2fP", n/step)
}
