package proxy

import (
	"math"
	"strconv"
	"strings"
	"time"

	"larder/metrics/slow"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// parameters are the gateway's own, in the order of their names. All others are the nodes', see configNodes.
var parameters = client.Parameters[*Gateway, settings]{
	{Name: "aclfile", Get: func(g *Gateway) string { return g.opts.Load().ACLFile }},
	{Name: "acllog-max-len", Get: func(g *Gateway) string { return strconv.Itoa(g.settings.Load().refusalsMax) }, Set: setRefusalsMax},
	{Name: "bind", Get: func(g *Gateway) string { host, _ := g.hostPort(); return host }},
	{Name: "client-output-buffer-limit", Get: func(g *Gateway) string { return g.settings.Load().outputLimits.String() }, Set: setOutputLimits},
	{Name: "databases", Get: func(g *Gateway) string { return strconv.Itoa(g.opts.Load().Databases) }},
	{Name: "enable-debug-command", Get: func(*Gateway) string { return "no" }},
	watched("latency-monitor-threshold", 0, func(s *slow.Settings) *int64 { return &s.LatencyMS }),
	{
		Name: "latency-tracking",
		Get:  func(g *Gateway) string { return g.settings.Load().watching.TrackingText() },
		Set:  func(s *settings, value string) string { return s.watching.SetTracking(value) },
	},
	{
		Name: "latency-tracking-info-percentiles",
		Get:  func(g *Gateway) string { return g.settings.Load().watching.PercentilesText() },
		Set:  func(s *settings, value string) string { return s.watching.SetPercentiles(value) },
	},
	{Name: "maxclients", Get: func(g *Gateway) string { return strconv.Itoa(g.opts.Load().ClientsMax) }},
	{Name: "port", Get: func(g *Gateway) string { _, port := g.hostPort(); return port }},
	{Name: "proto-max-bulk-len", Get: func(g *Gateway) string { return strconv.FormatInt(g.settings.Load().bulkMax, 10) }, Set: setBulkMax},
	{Name: "requirepass", Get: func(g *Gateway) string { return g.settings.Load().password }, Set: setPassword},
	watched("slowlog-log-slower-than", -1, func(s *slow.Settings) *int64 { return &s.SlowUS }),
	watched("slowlog-max-len", 0, func(s *slow.Settings) *int64 { return &s.SlowMax }),
	{Name: "timeout", Get: func(g *Gateway) string { return strconv.Itoa(int(g.settings.Load().idle / time.Second)) }, Set: setIdle},
	{Name: "tracking-table-max-keys", Get: func(g *Gateway) string { return strconv.Itoa(g.settings.Load().trackedMax) }, Set: setTrackedMax},
}

func watched(name string, least int64, at func(*slow.Settings) *int64) client.Parameter[*Gateway, settings] {
	return client.Parameter[*Gateway, settings]{
		Name: name,
		Get: func(g *Gateway) string {
			set := g.settings.Load().watching
			return strconv.FormatInt(*at(&set), 10)
		},
		Set: func(s *settings, value string) string {
			n, wrong := client.ParseNumber(value, least, math.MaxInt64)
			if wrong == "" {
				*at(&s.watching) = n
			}
			return wrong
		},
	}
}

func setPassword(s *settings, value string) string {
	s.password = value
	return ""
}

func setRefusalsMax(s *settings, value string) string {
	n, wrong := client.ParseNumber(value, 0, math.MaxInt32)
	s.refusalsMax = int(n)
	return wrong
}

func setTrackedMax(s *settings, value string) string {
	n, wrong := client.ParseNumber(value, 0, math.MaxInt64)
	s.trackedMax = int(n)
	return wrong
}

func setOutputLimits(s *settings, value string) string { return s.outputLimits.Set(value) }

func setIdle(s *settings, value string) string {
	n, wrong := client.ParseNumber(value, 0, math.MaxInt32)
	s.idle = time.Duration(n) * time.Second
	return wrong
}

func setBulkMax(s *settings, value string) (wrong string) {
	const least = 1 << 20
	s.bulkMax, wrong = client.ParseMemory(value, least)
	return wrong
}

func (s *session) configHere(row *command.Row, args [][]byte) bool {
	switch row.ID {
	case command.CmdConfigGet:
		return s.configGet(row, args)
	case command.CmdConfigSet:
		return s.configSet(row, args[2:])
	case command.CmdConfigResetStat:
		return s.configResetStat(row, args)
	case command.CmdConfigRewrite:
		s.refuse(row, "ERR The server is running without a config file")
	default:
		s.help(row)
	}
	return true
}

// configGet answers with the gateway's own parameters and with those of a node, of which the gateway's are left out. Nodes have the same settings unless
// somebody has set them at a node: CONFIG SET reaches all.
func (s *session) configGet(row *command.Row, args [][]byte) bool {
	own := parameters.Get(s.p.g, args[2:])
	shard := s.p.inReach(s.proto)
	if shard < 0 || onlyOwn(args[2:]) {
		s.say(row, func(w *resp.Writer) { writeSettings(w, own) })
		return true
	}
	return s.poll(row, []int{shard}, kindReads, args, func(seq uint32, replies [][]byte) {
		all := own
		for it := resp.Elements(replies[0]); !resp.IsError(replies[0]); {
			name, _ := it.Next()
			value, ok := it.Next()
			if !ok {
				break
			}
			n, _ := resp.BulkOf(name)
			v, _ := resp.BulkOf(value)
			if parameters.Has(string(n)) {
				continue
			}
			all = append(all, client.Setting{Name: string(n), Value: string(v)})
		}
		s.later(seq, func(w *resp.Writer) { writeSettings(w, all) })
	})
}

// onlyOwn tells whether all names are of the gateway's own parameters, so that no node need be asked.
func onlyOwn(names [][]byte) bool {
	for _, name := range names {
		if !parameters.Has(string(name)) {
			return false
		}
	}
	return true
}

func writeSettings(w *resp.Writer, found []client.Setting) {
	w.Map(len(found))
	for _, p := range found {
		w.Bulk(p.Name)
		w.Bulk(p.Value)
	}
}

// inReach is a shard whose node can be asked, −1 if there is none.
func (p *part) inReach(proto int) int {
	for i, u := range p.shards {
		if u.lane(proto) != nil {
			return i
		}
	}
	return -1
}

// configSet changes all or nothing (Redis 7.0 config.c, configSetCommand): the gateway's own parameters here, all others on every node, and on both those
// that both have an interest in.
func (s *session) configSet(row *command.Row, pairs [][]byte) bool {
	if len(pairs)%2 != 0 {
		s.refuse(row, textSyntax)
		return true
	}
	var own [][]byte
	theirs := [][]byte{[]byte("CONFIG"), []byte("SET")}
	for i := 0; i < len(pairs); i += 2 {
		name := strings.ToLower(string(pairs[i]))
		switch {
		case nodesOwn(name):
			s.refuse(row, "ERR CONFIG SET failed (possibly related to argument "+command.Quote(pairs[i])+") - can't set immutable config")
			return true
		case parameters.Has(name):
			own = append(own, pairs[i], pairs[i+1])
		}
		if !parameters.Has(name) || shared[name] {
			theirs = append(theirs, pairs[i], pairs[i+1])
		}
	}
	next := *s.p.g.settings.Load()
	if wrong := parameters.Set(&next, own); wrong != "" {
		s.refuse(row, wrong)
		return true
	}
	own = copied(own)
	apply := func(seq uint32) { s.applySettings(seq, own) }
	if len(theirs) == 2 {
		apply(s.push(row))
		return s.settles()
	}
	return s.setNodes(row, theirs, apply) && s.settles()
}

// shared are the gateway's parameters that nodes have too and are to have the same.
var shared = map[string]bool{
	"latency-monitor-threshold": true, "latency-tracking": true, "latency-tracking-info-percentiles": true, "proto-max-bulk-len": true,
	"slowlog-log-slower-than": true, "slowlog-max-len": true,
}

// nodesOwn tells whether a parameter decides who may reach a node, and how, or where it keeps its files: no client of a gateway sets that.
func nodesOwn(name string) bool {
	for _, prefix := range []string{"bind-", "cluster-", "dir", "dbfilename", "enable-", "logfile", "master", "port", "primary", "protected-mode", "repl", "sentinel", "slave", "syslog", "tls-", "unixsocket"} {
		if strings.HasPrefix(name, prefix) && !parameters.Has(name) {
			return true
		}
	}
	return false
}

// applySettings takes over parameters, which have been found good, on all loops, and then answers.
func (s *session) applySettings(seq uint32, own [][]byte) {
	g := s.p.g
	have, next := g.editSettings(func(next *settings) { parameters.Set(next, own) })
	if next.password != have.password {
		g.setDefaultPassword(next.password)
	}
	if was, is := have.watching.Tracking, next.watching.Tracking; was != is {
		all := g.stats.sum()
		tracked := g.tracked.Load().Switched(was, is, &all.commands)
		g.tracked.Store(&tracked)
	}
	s.p.take()
	s.p.elsewhere((*part).take, func() {
		s.later(seq, (*resp.Writer).OK)
	})
}

// configResetStat has the counts of INFO begin anew, the gateway's and the nodes'.
func (s *session) configResetStat(row *command.Row, args [][]byte) bool {
	if s.unanswered() {
		return s.stall(stallEmpty)
	}
	return s.poll(row, s.p.allShards(), kindReads, args, func(seq uint32, replies [][]byte) {
		text := s.p.failedText(replies)
		s.p.everywhere((*part).publish, func() {
			base := s.p.g.stats.sum()
			s.p.g.base.Store(&base)
			tracked := s.p.g.tracked.Load().Reset(&base.commands)
			s.p.g.tracked.Store(&tracked)
			s.later(seq, func(w *resp.Writer) {
				if text != "" {
					w.Error(text)
					return
				}
				w.OK()
			})
		})
	}) && s.settles()
}
