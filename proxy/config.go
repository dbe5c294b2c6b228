package proxy

import (
	"math"
	"strconv"
	"time"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// parameters are in the order of their names. Those of a node's data (maxmemory, persistence) have the value that is true of a gateway, which has none:
// tools ask for them.
var parameters = client.Parameters[*Gateway, settings]{
	{Name: "aclfile", Get: func(g *Gateway) string { return g.opts.ACLFile }},
	{Name: "acllog-max-len", Get: func(g *Gateway) string { return strconv.Itoa(g.settings.Load().refusalsMax) }, Set: setRefusalsMax},
	{Name: "appendonly", Get: func(*Gateway) string { return "no" }},
	{Name: "bind", Get: func(g *Gateway) string { host, _ := g.hostPort(); return host }},
	{Name: "client-output-buffer-limit", Get: func(g *Gateway) string { return g.settings.Load().outputLimits.String() }, Set: setOutputLimits},
	{Name: "databases", Get: func(g *Gateway) string { return strconv.Itoa(g.opts.Databases) }},
	{Name: "maxclients", Get: func(g *Gateway) string { return strconv.Itoa(g.opts.ClientsMax) }},
	{Name: "maxmemory", Get: func(*Gateway) string { return "0" }},
	{Name: "maxmemory-policy", Get: func(*Gateway) string { return "noeviction" }},
	{Name: "port", Get: func(g *Gateway) string { _, port := g.hostPort(); return port }},
	{Name: "proto-max-bulk-len", Get: func(g *Gateway) string { return strconv.FormatInt(g.settings.Load().bulkMax, 10) }, Set: setBulkMax},
	{Name: "requirepass", Get: func(g *Gateway) string { return g.settings.Load().password }, Set: setPassword},
	{Name: "save", Get: func(*Gateway) string { return "" }},
	{Name: "timeout", Get: func(g *Gateway) string { return strconv.Itoa(int(g.settings.Load().idle / time.Second)) }, Set: setIdle},
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

func (s *session) configHere(row *command.Row, args [][]byte) {
	switch row.ID {
	case command.CmdConfigGet:
		s.configGet(row, args[2:])
	case command.CmdConfigSet:
		s.configSet(row, args[2:])
	case command.CmdConfigResetStat:
		base := s.p.g.stats.sum()
		s.p.g.base.Store(&base)
		s.ok(row, nil)
	default:
		s.help(row)
	}
}

// applySettings takes over settings on all loops, and then answers.
func (s *session) applySettings(row *command.Row, next *settings) {
	g := s.p.g
	if next.password != g.settings.Load().password {
		g.setDefaultPassword(next.password)
	}
	g.settings.Store(next)
	seq := s.push(row)
	s.p.everywhere(func(p *part) {
		p.usersChanged(nil, nil)
		p.refusals.Limit(next.refusalsMax)
		for _, other := range p.sessions {
			other.requests.SetLimits(p.g.limits(other.authed))
		}
	}, func() {
		s.later(seq, (*resp.Writer).OK)
	})
}

func (s *session) configGet(row *command.Row, patterns [][]byte) {
	found := parameters.Get(s.p.g, patterns)
	s.say(row, func(w *resp.Writer) {
		w.Map(len(found))
		for _, p := range found {
			w.Bulk(p.Name)
			w.Bulk(p.Value)
		}
	})
}

// configSet changes all or nothing (Redis 7.0 config.c, configSetCommand).
func (s *session) configSet(row *command.Row, pairs [][]byte) {
	next := *s.p.g.settings.Load()
	if wrong := parameters.Set(&next, pairs); wrong != "" {
		s.refuse(row, wrong)
		return
	}
	s.applySettings(row, &next)
}
