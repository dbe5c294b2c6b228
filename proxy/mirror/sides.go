package mirror

import (
	"context"
	"strconv"
	"strings"
	"time"

	"larder/backends"
)

const (
	ofSource = 0
	ofShadow = 1
)

// Side is what a side's INFO says, of all its nodes.
type Side struct {
	Memory  int64  `json:"used_memory"`
	RSS     int64  `json:"used_memory_rss"`
	Keys    int64  `json:"keys"`
	Evicted int64  `json:"evicted_keys"` // since the mirror began
	Error   string `json:"error,omitempty"`

	runs    string
	evicted int64 // since the servers began
}

func (m *Mirror) side(of int) Side {
	if s := m.sides[of].Load(); s != nil {
		return *s
	}
	return Side{}
}

// evicts says whether a key that a side lacks may be one that it has evicted.
func (m *Mirror) evicts(f finding) bool {
	switch f {
	case findsNoShadow:
		return m.side(ofShadow).Evicted > 0
	case findsNoSource:
		return m.side(ofSource).Evicted > 0
	}
	return false
}

// visit asks both sides for INFO.
func (m *Mirror) visit(ctx context.Context, first map[int]Side) {
	if m.off.Load() {
		return
	}
	var nodes []string
	for _, shard := range m.source.Topology().Shards {
		nodes = append(nodes, shard.Primary.Addr)
	}
	m.visitSide(ctx, ofSource, nodes, m.o.SourceAuth, first)
	m.visitSide(ctx, ofShadow, []string{m.o.Target}, m.o.TargetAuth, first)
}

func (m *Mirror) visitSide(ctx context.Context, of int, nodes []string, auth backends.Auth, first map[int]Side) {
	all := Side{}
	for _, addr := range nodes {
		if err := all.add(ctx, addr, auth, m.o.Timeout); err != nil {
			if ctx.Err() == nil {
				was := m.side(of)
				was.Error = err.Error()
				m.sides[of].Store(&was)
			}
			return
		}
	}
	began, ok := first[of]
	if !ok || began.runs != all.runs {
		if ok { // a server was started anew: it may have other data
			m.amiss.Store(true)
			m.log.Warn("a server was started anew: what is known of keys is forgotten", "side", [...]string{"source", "shadow"}[of])
		}
		began = all
		first[of] = all
	}
	all.Evicted = all.evicted - began.evicted
	m.sides[of].Store(&all)
}

// add asks one node.
func (s *Side) add(ctx context.Context, addr string, auth backends.Auth, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	admin, err := backends.Dial(ctx, addr, auth)
	if err != nil {
		return err
	}
	defer admin.Close()
	reply, err := admin.Do(ctx, "INFO")
	if err != nil {
		return err
	}
	for line := range strings.Lines(reply.Text) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), ":")
		n, _ := strconv.ParseInt(text, 10, 64)
		switch {
		case name == "used_memory":
			s.Memory += n
		case name == "used_memory_rss":
			s.RSS += n
		case name == "evicted_keys":
			s.evicted += n
		case name == "run_id":
			s.runs += text + " "
		case strings.HasPrefix(name, "db") && strings.HasPrefix(text, "keys="):
			keys, _, _ := strings.Cut(strings.TrimPrefix(text, "keys="), ",")
			n, _ := strconv.ParseInt(keys, 10, 64)
			s.Keys += n
		}
	}
	return nil
}

// empty says whether a side has no keys.
func (s Side) empty() bool { return s.Error == "" && s.Keys == 0 }
