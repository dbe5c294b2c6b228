package proxy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/match"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// parameter is one of CONFIG's. set changes a copy of the settings, or says what is
// wrong with the value; nil: it cannot be changed while the gateway runs.
type parameter struct {
	name string
	get  func(*Gateway) string
	set  func(*settings, string) string
}

// parameters are in the order of their names. Those of a node's data (maxmemory,
// persistence) have the value that is true of a gateway, which has none: tools ask for them.
var parameters = []parameter{
	{"appendonly", func(*Gateway) string { return "no" }, nil},
	{"bind", func(g *Gateway) string { host, _ := g.hostPort(); return host }, nil},
	{"databases", func(g *Gateway) string { return strconv.Itoa(g.opts.Databases) }, nil},
	{"maxclients", func(g *Gateway) string { return strconv.Itoa(g.opts.ClientsMax) }, nil},
	{"maxmemory", func(*Gateway) string { return "0" }, nil},
	{"maxmemory-policy", func(*Gateway) string { return "noeviction" }, nil},
	{"port", func(g *Gateway) string { _, port := g.hostPort(); return port }, nil},
	{"proto-max-bulk-len", func(g *Gateway) string { return strconv.FormatInt(g.settings.Load().bulkMax, 10) }, setBulkMax},
	{"requirepass", func(g *Gateway) string { return g.settings.Load().password }, setPassword},
	{"save", func(*Gateway) string { return "" }, nil},
	{"timeout", func(g *Gateway) string { return strconv.Itoa(int(g.settings.Load().idle / time.Second)) }, setIdle},
}

func setPassword(s *settings, value string) string {
	s.password = value
	return ""
}

func setIdle(s *settings, value string) string {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return "argument couldn't be parsed into an integer"
	}
	if n < 0 {
		return "argument must be between 0 and 2147483647 inclusive"
	}
	s.idle = time.Duration(n) * time.Second
	return ""
}

func setBulkMax(s *settings, value string) string {
	n, ok := parseMemory(value)
	if !ok {
		return "argument must be a memory value"
	}
	if n < 1<<20 {
		return "argument must be between 1048576 and 9223372036854775807 inclusive"
	}
	s.bulkMax = n
	return ""
}

// parseMemory reads sizes as Redis writes them: 512mb, 1g, 100 (Redis 7.0 util.c, memtoull).
func parseMemory(text string) (int64, bool) {
	digits := strings.TrimRight(strings.ToLower(text), "bkmg")
	unit, ok := map[string]int64{"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1e6, "mb": 1 << 20, "g": 1e9, "gb": 1 << 30}[strings.ToLower(text[len(digits):])]
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 0 || n > (1<<62)/unit {
		return 0, false
	}
	return n * unit, true
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

func (s *session) configGet(row *command.Row, patterns [][]byte) {
	var found []parameter
	for _, p := range parameters {
		if slices.ContainsFunc(patterns, func(pattern []byte) bool {
			return match.Match(p.name, strings.ToLower(string(pattern)))
		}) {
			found = append(found, p)
		}
	}
	s.say(row, func(w *resp.Writer) {
		w.Map(len(found))
		for _, p := range found {
			w.Bulk(p.name)
			w.Bulk(p.get(s.p.g))
		}
	})
}

// configSet changes all or nothing (Redis 7.0 config.c, configSetCommand).
func (s *session) configSet(row *command.Row, pairs [][]byte) {
	if len(pairs)%2 != 0 {
		s.refuse(row, command.ArityError(row))
		return
	}
	next := *s.p.g.settings.Load()
	seen := map[string]bool{}
	for i := 0; i < len(pairs); i += 2 {
		name := strings.ToLower(string(pairs[i]))
		at := slices.IndexFunc(parameters, func(p parameter) bool { return p.name == name })
		failed := "ERR CONFIG SET failed (possibly related to argument '" + string(pairs[i]) + "') - "
		switch {
		case at < 0:
			s.refuse(row, "ERR Unknown option or number of arguments for CONFIG SET - '"+string(pairs[i])+"'")
			return
		case seen[name]:
			s.refuse(row, failed+"duplicate parameter")
			return
		case parameters[at].set == nil:
			s.refuse(row, failed+"can't set immutable config")
			return
		}
		seen[name] = true
		if wrong := parameters[at].set(&next, string(pairs[i+1])); wrong != "" {
			s.refuse(row, failed+wrong)
			return
		}
	}
	s.p.g.settings.Store(&next)
	seq := s.push(row)
	s.p.everywhere(func(p *part) {
		for _, other := range p.sessions {
			other.requests.SetLimits(p.g.limits(other.authed))
		}
	}, func() {
		s.later(seq, (*resp.Writer).OK)
	})
}
