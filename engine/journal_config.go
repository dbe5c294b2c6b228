package engine

import (
	"fmt"
	"slices"
	"strings"

	"larder/persistence/journal"
	"larder/protocol/client"
)

// journalSettings are what CONFIG says of the node's journal.
type journalSettings struct {
	on            bool
	sync          journal.Policy
	restOnRewrite bool  // nothing is synced while a base is written, but under always
	growth        int64 // percent of growth that call for a rewrite; 0 = none does
	growthMin     int64 // a journal of fewer bytes is not rewritten by itself
	loadTorn      bool  // a torn end is cut off at the start
	timestamps    bool
}

func newJournalSettings(o *Options) journalSettings {
	sync, _ := journal.ParsePolicy(o.AppendFsync) // Validate has seen it
	return journalSettings{
		on: o.AppendOnly, sync: sync, restOnRewrite: o.NoAppendfsyncOnRewrite, growth: int64(o.AutoAOFRewritePercentage), growthMin: o.AutoAOFRewriteMinSize,
		loadTorn: o.AOFLoadTruncated, timestamps: o.AOFTimestamps,
	}
}

// checkJournal says what of the options of a journal cannot be.
func (o *Options) checkJournal() error {
	for _, name := range []struct{ what, text string }{{"append file name", o.AppendFileName}, {"append dir name", o.AppendDirName}} {
		if err := CheckFileName(name.text); err != nil {
			return fmt.Errorf("%s: %w", name.what, err)
		}
	}
	if _, ok := journal.ParsePolicy(o.AppendFsync); !ok {
		return fmt.Errorf("append fsync is %q: must be one of %s", o.AppendFsync, strings.Join(journal.Policies(), ", "))
	}
	if o.AutoAOFRewritePercentage < 0 || o.AutoAOFRewriteMinSize < 0 {
		return fmt.Errorf("auto aof rewrite percentage and min size are %d and %d: must be at least 0", o.AutoAOFRewritePercentage, o.AutoAOFRewriteMinSize)
	}
	return nil
}

// FsyncPolicies are the names that AppendFsync may have.
func FsyncPolicies() []string { return slices.Clone(journal.Policies()) }

var journalParameters = client.Parameters[*session, settings]{
	yesNo("aof-load-truncated", func(s *settings) *bool { return &s.journal.loadTorn }),
	{Name: "aof-rewrite-incremental-fsync", Get: func(*session) string { return "yes" }, Set: onlyYes},
	{Name: "aof-use-rdb-preamble", Get: func(*session) string { return "yes" }, Set: onlyYes},
	yesNo("aof-timestamp-enabled", func(s *settings) *bool { return &s.journal.timestamps }),
	{Name: "appenddirname", Get: func(s *session) string { return s.p.n.opts.AppendDirName }},
	{Name: "appendfilename", Get: func(s *session) string { return s.p.n.opts.AppendFileName }},
	{Name: "appendfsync", Get: func(s *session) string { return s.p.set.journal.sync.String() }, Set: setAppendFsync},
	yesNo("appendonly", func(s *settings) *bool { return &s.journal.on }),
	number("auto-aof-rewrite-percentage", 0, func(s *settings) *int64 { return &s.journal.growth }),
	bytesOf("auto-aof-rewrite-min-size", 0, func(s *settings) *int64 { return &s.journal.growthMin }),
	yesNo("no-appendfsync-on-rewrite", func(s *settings) *bool { return &s.journal.restOnRewrite }),
}

func setAppendFsync(set *settings, value string) string {
	policy, ok := journal.ParsePolicy(strings.ToLower(value))
	if !ok {
		return "argument(s) must be one of the following: everysec, always, no"
	}
	set.journal.sync = policy
	return ""
}

// applyJournal takes over the settings of the journal. wrong: it could not be begun, and is off.
func (p *part) applyJournal(old *journalSettings) (wrong string) {
	set := &p.set.journal
	switch {
	case set.on && p.writing == nil && p.guard&guardLoading == 0:
		if err := p.startJournal(); err != nil {
			set.on = false
			p.n.log.Error("the journal could not be begun", "node", p.n.id, "error", err)
			return "ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to turn on AOF. Check server logs."
		}
	case !set.on && p.writing != nil:
		if err := p.closeJournal(); err != nil {
			p.n.log.Error("the journal's end could not be made safe", "node", p.n.id, "error", err)
		}
		p.n.log.Info("the journal is no longer written: what it has is not what the node has from now on", "node", p.n.id)
	}
	if j := p.writing; j != nil && set.sync != old.sync {
		j.w.SetPolicy(set.sync)
		p.setGate()
	}
	if j := p.writing; j != nil && p.rewriting() {
		j.w.Rest(set.restOnRewrite)
	}
	return ""
}

// infoJournal are INFO's lines about the journal (Redis 7.0 server.c, genRedisInfoString).
func infoJournal(p *part, b *strings.Builder) {
	v, j := &p.rewrites, p.writing
	now := int64(-1)
	if v.now != nil {
		now = (p.nowMS - v.now.beganMS) / 1000
	}
	status := map[bool]string{true: "ok", false: "err"}
	fmt.Fprintf(b, "aof_enabled:%d\r\naof_rewrite_in_progress:%d\r\naof_rewrite_scheduled:%d\r\n", bit(j != nil), bit(v.now != nil), bit(v.scheduled))
	fmt.Fprintf(b, "aof_last_rewrite_time_sec:%d\r\naof_current_rewrite_time_sec:%d\r\naof_last_bgrewrite_status:%s\r\n", v.tookS, now, status[v.failures == 0])
	fmt.Fprintf(b, "aof_rewrites:%d\r\naof_rewrites_consecutive_failures:%d\r\naof_last_write_status:%s\r\naof_last_cow_size:0\r\n",
		v.count, v.failures, status[j == nil || j.state.Err == nil])
	if j == nil {
		return
	}
	base := v.rewritten
	if base == 0 {
		base = j.state.Bytes
	}
	syncing, delayed := j.w.Syncing()
	fmt.Fprintf(b, "aof_current_size:%d\r\naof_base_size:%d\r\naof_pending_rewrite:%d\r\naof_buffer_length:%d\r\naof_pending_bio_fsync:%d\r\naof_delayed_fsync:%d\r\n",
		j.state.Bytes, base, bit(j.building && v.now == nil), p.unwritten(), bit(syncing), delayed)
}

// unwritten is how many bytes are still to be written to the journal.
func (p *part) unwritten() int64 {
	if p.writing == nil {
		return 0
	}
	return p.stream.past.End() - p.writing.state.Written
}

// journalCounts are what metrics tell of the journal.
func (p *part) journalCounts() (bytes, behind, failed, rewritten uint64) {
	if j := p.writing; j != nil {
		bytes, behind, failed = uint64(j.state.Bytes), uint64(p.unwritten()), uint64(bit(j.state.Err != nil))
	}
	return bytes, behind, failed, uint64(p.rewrites.count)
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}
