package engine

import (
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/engine/store"
	"larder/protocol/client"
)

// policies are the names that maxmemory-policy may have in Redis.
var policies = []string{"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"}

// Policies are the names that MaxMemoryPolicy may have.
func Policies() []string { return slices.Clone(policies) }

// parameters are what CONFIG knows, in the order of their names.
var parameters = buildParameters()

func buildParameters() client.Parameters[*session, settings] {
	all := slices.Concat(ownParameters, saveParameters, journalParameters, replParameters(), linkParameters(), fixedParameters(), idleParameters())
	slices.SortFunc(all, func(a, b client.Parameter[*session, settings]) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ownParameters are those with an effect, or with a value that depends on the node.
var ownParameters = client.Parameters[*session, settings]{
	{Name: "aclfile", Get: func(s *session) string { return s.p.n.opts.ACLFile }},
	{Name: "acllog-max-len", Get: func(s *session) string { return strconv.Itoa(s.p.set.aclLogMax) }, Set: setACLLogMax},
	{Name: "bind", Get: bindAddress},
	{Name: "client-query-buffer-limit", Get: func(s *session) string { return strconv.FormatInt(s.p.n.opts.QueryMaxBytes, 10) }},
	outputLimitParameter,
	{Name: "busy-reply-threshold", Get: busyThreshold, Set: setBusyThreshold},
	{Name: "databases", Get: func(s *session) string { return strconv.Itoa(s.p.n.opts.Databases) }},
	{Name: "dir", Get: func(s *session) string { return s.p.n.opts.Dir }, Set: protected},
	{Name: "enable-debug-command", Get: func(s *session) string { return s.p.n.opts.DebugCommand }},
	countLimit("hash-max-listpack-entries", hashEntries),
	sizeLimit("hash-max-listpack-value", hashValue),
	countLimit("hash-max-ziplist-entries", hashEntries),
	sizeLimit("hash-max-ziplist-value", hashValue),
	sizeLimit("hll-sparse-max-bytes", hllSparse),
	listSize("list-max-listpack-size"),
	listSize("list-max-ziplist-size"),
	{Name: "lua-time-limit", Get: busyThreshold, Set: setBusyThreshold},
	{Name: "maxclients", Get: func(s *session) string { return strconv.Itoa(s.p.n.opts.ClientsMax) }},
	{Name: "maxmemory", Get: func(s *session) string { return strconv.FormatInt(s.p.set.maxMemory, 10) }, Set: setMaxMemory},
	{Name: "maxmemory-policy", Get: func(s *session) string { return s.p.set.policy.String() }, Set: setPolicy},
	notifyParameter,
	{Name: "port", Get: func(s *session) string { return strconv.Itoa(int(s.c.Local().Port())) }},
	{Name: "proto-max-bulk-len", Get: func(s *session) string { return strconv.FormatInt(s.p.set.bulkMax, 10) }, Set: setBulkMax},
	{Name: "requirepass", Get: func(s *session) string { return s.p.set.password }, Set: setPassword},
	number("slowlog-log-slower-than", -1, slowUS),
	number("slowlog-max-len", 0, slowMax),
	number("latency-monitor-threshold", 0, latencyMS),
	timesParameter,
	percentilesParameter,
	countLimit("set-max-intset-entries", setInts),
	countLimit("set-max-listpack-entries", setEntries),
	sizeLimit("set-max-listpack-value", setValue),
	sizeLimit("stream-node-max-bytes", streamBytes),
	countLimit("stream-node-max-entries", streamEntries),
	number("tracking-table-max-keys", 0, trackedMax),
	{Name: "timeout", Get: func(s *session) string { return strconv.FormatInt(int64(s.p.set.idle/time.Second), 10) }, Set: setIdle},
	countLimit("zset-max-listpack-entries", zsetEntries),
	sizeLimit("zset-max-listpack-value", zsetValue),
	countLimit("zset-max-ziplist-entries", zsetEntries),
	sizeLimit("zset-max-ziplist-value", zsetValue),
}

func bindAddress(s *session) string {
	host, _, err := net.SplitHostPort(s.p.n.opts.Listen)
	if err != nil {
		return s.p.n.opts.Listen
	}
	return host
}

func setPolicy(s *settings, value string) string {
	if policy, ok := store.ParsePolicy(strings.ToLower(value)); ok {
		s.policy = policy
		return ""
	}
	return "argument(s) must be one of the following: " + strings.Join(policies, ", ")
}

func setPassword(s *settings, value string) string {
	s.password = value
	return ""
}

func setACLLogMax(s *settings, value string) string {
	n, wrong := client.ParseNumber(value, 0, math.MaxInt32)
	s.aclLogMax = int(n)
	return wrong
}

func setMaxMemory(s *settings, value string) (wrong string) {
	s.maxMemory, wrong = client.ParseMemory(value, 0)
	return wrong
}

func setBulkMax(s *settings, value string) (wrong string) {
	const least = 1 << 20
	s.bulkMax, wrong = client.ParseMemory(value, least)
	return wrong
}

func setIdle(s *settings, value string) string {
	n, wrong := client.ParseNumber(value, 0, math.MaxInt32)
	s.idle = time.Duration(n) * time.Second
	return wrong
}

func configGet(s *session, args [][]byte) {
	found := parameters.Get(s, args[2:])
	w := &s.p.w
	w.Map(len(found))
	for _, f := range found {
		w.Bulk(f.Name)
		w.Bulk(f.Value)
	}
}

func configSet(s *session, args [][]byte) {
	p := s.p
	next := p.set
	if wrong := parameters.Set(&next, args[2:]); wrong != "" {
		s.fail(wrong)
		return
	}
	s.okUnless(p.apply(next))
}

// apply takes over settings; those of the parser hold for every connection from its next argument on. wrong: one of them could not be, the others are.
func (p *part) apply(next settings) (wrong string) {
	old := p.set
	p.set = next
	p.aclLog.Limit(next.aclLogMax)
	if next.password != old.password {
		p.setDefaultPassword(next.password)
	}
	p.call.Limits = next.collections
	p.slowLog.Limit(next.watching.SlowMax)
	p.trackTimes(old.watching.Tracking)
	p.watchTimes()
	p.noteLink()
	if next.maxMemory != old.maxMemory || next.policy != old.policy {
		p.store.SetLimit(next.maxMemory, next.policy)
	}
	p.stream.past.Keep(next.repl.backlogBytes)
	p.countGood()
	p.listen()
	p.setGuard(guardDisk, p.stopsWrites())
	wrong = p.applyJournal(&old.journal)
	if next.bulkMax == old.bulkMax {
		return wrong
	}
	p.call.BulkMax = int(next.bulkMax)
	p.again.SetLimits(p.limits(true))
	for _, s := range p.sessions {
		s.requests.SetLimits(p.limits(s.authed))
	}
	return wrong
}

// configRewrite: what a node was started with is the configuration's, which CONFIG SET does not reach.
func configRewrite(s *session, _ [][]byte) { s.fail("ERR The server is running without a config file") }

// configResetStat makes INFO's counts begin anew; those of the metrics go on.
func configResetStat(s *session, _ [][]byte) {
	s.p.gather()
	s.p.count.copyTo(&s.p.base0)
	s.p.tracking = s.p.tracking.Reset(&s.p.count.commands)
	s.p.longestNS = 0
	s.ok()
}
