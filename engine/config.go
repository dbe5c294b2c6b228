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

// parameters are what CONFIG knows, in the order of their names. Those that a node does not have yet have the one value that is true of it. Those of
// idle have Redis's ranges and defaults, keep what they are set to, and change nothing: tools set them, and what they tune in Redis is not there to tune.
var parameters = client.Parameters[*session, settings]{
	{Name: "aclfile", Get: func(s *session) string { return s.p.n.opts.ACLFile }},
	{Name: "acllog-max-len", Get: func(s *session) string { return strconv.Itoa(s.p.set.aclLogMax) }, Set: setACLLogMax},
	{Name: "appendonly", Get: func(*session) string { return "no" }, Set: setAppendOnly},
	{Name: "bind", Get: bindAddress},
	outputLimitParameter,
	{Name: "databases", Get: func(s *session) string { return strconv.Itoa(s.p.n.opts.Databases) }},
	{Name: "dir", Get: func(s *session) string { return s.p.n.opts.Dir }},
	idleFlag("lazyfree-lazy-eviction", idleLazyEviction), // memory is always given back in slices, behind the reply
	idleFlag("lazyfree-lazy-expire", idleLazyExpire),
	idleFlag("lazyfree-lazy-server-del", idleLazyServerDel),
	idleFlag("lazyfree-lazy-user-del", idleLazyUserDel),
	idleFlag("lazyfree-lazy-user-flush", idleLazyUserFlush),
	idleNumber("lfu-decay-time", idleLFUDecay, 0, math.MaxInt32), // S3-FIFO counts to 3, and eviction itself counts down
	idleNumber("lfu-log-factor", idleLFULog, 0, math.MaxInt32),
	{Name: "maxclients", Get: func(s *session) string { return strconv.Itoa(s.p.n.opts.ClientsMax) }},
	{Name: "maxmemory", Get: func(s *session) string { return strconv.FormatInt(s.p.set.maxMemory, 10) }, Set: setMaxMemory},
	idleNumber("maxmemory-eviction-tenacity", idleTenacity, 0, 100), // the time of a slice is fixed
	{Name: "maxmemory-policy", Get: func(s *session) string { return s.p.set.policy.String() }, Set: setPolicy},
	idleNumber("maxmemory-samples", idleSamples, 1, math.MaxInt32), // eviction takes no samples
	notifyParameter,
	{Name: "port", Get: func(s *session) string { return strconv.Itoa(int(s.c.Local().Port())) }},
	{Name: "proto-max-bulk-len", Get: func(s *session) string { return strconv.FormatInt(s.p.set.bulkMax, 10) }, Set: setBulkMax},
	{Name: "requirepass", Get: func(s *session) string { return s.p.set.password }, Set: setPassword},
	{Name: "save", Get: func(*session) string { return "" }, Set: setSave},
	countLimit("set-max-intset-entries", setInts),
	countLimit("set-max-listpack-entries", setEntries),
	sizeLimit("set-max-listpack-value", setValue),
	{Name: "timeout", Get: func(s *session) string { return strconv.FormatInt(int64(s.p.set.idle/time.Second), 10) }, Set: setIdle},
}

// The parameters without an effect.
const (
	idleLazyEviction = iota
	idleLazyExpire
	idleLazyServerDel
	idleLazyUserDel
	idleLazyUserFlush
	idleLFUDecay
	idleLFULog
	idleTenacity
	idleSamples
	idleCount
)

// idleDefaults are Redis's, but that all freeing is lazy.
var idleDefaults = [idleCount]int64{
	idleLazyEviction: 1, idleLazyExpire: 1, idleLazyServerDel: 1, idleLazyUserDel: 1, idleLazyUserFlush: 1,
	idleLFUDecay: 1, idleLFULog: 10, idleTenacity: 10, idleSamples: 5,
}

func idleNumber(name string, i int, least, most int64) client.Parameter[*session, settings] {
	return client.Parameter[*session, settings]{
		Name: name,
		Get:  func(s *session) string { return strconv.FormatInt(s.p.set.idles[i], 10) },
		Set: func(set *settings, value string) (wrong string) {
			set.idles[i], wrong = client.ParseNumber(value, least, most)
			return wrong
		},
	}
}

func idleFlag(name string, i int) client.Parameter[*session, settings] {
	words := [...]string{"no", "yes"}
	return client.Parameter[*session, settings]{
		Name: name,
		Get:  func(s *session) string { return words[s.p.set.idles[i]] },
		Set: func(set *settings, value string) string {
			at := slices.Index(words[:], strings.ToLower(value))
			if at < 0 {
				return "argument must be 'yes' or 'no'"
			}
			set.idles[i] = int64(at)
			return ""
		},
	}
}

func bindAddress(s *session) string {
	host, _, err := net.SplitHostPort(s.p.n.opts.Listen)
	if err != nil {
		return s.p.n.opts.Listen
	}
	return host
}

func setAppendOnly(_ *settings, value string) string {
	switch strings.ToLower(value) {
	case "no":
		return ""
	case "yes":
		return "this node has no append-only file"
	default:
		return "argument must be 'yes' or 'no'"
	}
}

func setSave(_ *settings, value string) string {
	if value != "" {
		return "this node has no snapshots of its own"
	}
	return ""
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
	p.apply(next)
	s.ok()
}

// apply takes over settings; those of the parser hold for every connection from its next argument on.
func (p *part) apply(next settings) {
	old := p.set
	p.set = next
	p.aclLog.limit(next.aclLogMax)
	if next.password != old.password {
		p.setDefaultPassword(next.password)
	}
	p.call.Limits = next.collections
	if next.maxMemory != old.maxMemory || next.policy != old.policy {
		p.store.SetLimit(next.maxMemory, next.policy)
	}
	p.listen()
	if next.bulkMax == old.bulkMax {
		return
	}
	p.call.BulkMax = int(next.bulkMax)
	p.again.SetLimits(p.limits(true))
	for _, s := range p.sessions {
		s.requests.SetLimits(p.limits(s.authed))
	}
}

// configResetStat makes INFO's counts begin anew; those of the metrics go on.
func configResetStat(s *session, _ [][]byte) {
	s.p.gather()
	s.p.count.copyTo(&s.p.base0)
	s.p.longestNS = 0
	s.ok()
}
