package mirror

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// counters may be read from any goroutine.
type counters struct {
	taken, dropped, halves          atomic.Uint64 // of the loops
	mirrored, missed, needless      atomic.Uint64
	compared, differing             atomic.Uint64
	blind, unknown, refused         atomic.Uint64
	raced, forgotten                atomic.Uint64
	passing, undecided, unchecked   atomic.Uint64
	evicted, learned, confirmed     atomic.Uint64
	denied                          atomic.Uint64 // commands that the shadow does not do at all
	lost                            atomic.Uint64 // times that something was not mirrored that may have written
	odd                             atomic.Int64  // keys that are not known, where all others are
	away                            atomic.Int32
	allKnown                        atomic.Bool
	keysKnown, keysDoubted, keysCap atomic.Int64
}

// rowStats is what is told of one command.
type rowStats struct {
	compared, differing uint64
	source, shadow      times
}

// The kinds of differences.
const (
	DiffersValue    = "value"             // the key holds something else
	DiffersReply    = "reply"             // the key holds the same, the command is answered differently
	DiffersExpiry   = "expiry"            // the key expires on one side only, or at quite another time
	DiffersMissing  = "missing at shadow" // the shadow does not have the key
	DiffersOnlyHere = "missing at source" // the source does not have the key
	DiffersRefused  = "refused"           // the shadow does not do such a command
)

func (f finding) kind() string {
	switch f {
	case findsValue:
		return DiffersValue
	case findsExpiry:
		return DiffersExpiry
	case findsNoShadow:
		return DiffersMissing
	case findsNoSource:
		return DiffersOnlyHere
	}
	return DiffersReply
}

// Difference is one that was confirmed.
type Difference struct {
	Kind      string    `json:"kind"`
	Row       string    `json:"command"`
	DB        int       `json:"database"`
	Key       string    `json:"key"`
	Command   string    `json:"said"`
	Source    string    `json:"source_reply"`
	Shadow    string    `json:"shadow_reply"`
	SourceNow string    `json:"source_now,omitempty"` // what the sides had when they were asked again
	ShadowNow string    `json:"shadow_now,omitempty"`
	At        time.Time `json:"at"`
	Times     uint64    `json:"times"`
}

// differences are the latest, one a kind, command and key; of refusals one a command.
type differences struct {
	list []*Difference
	by   map[string]*Difference
}

const differencesMost = 1000

// differs notes a difference that is one for sure.
func (m *Mirror) differs(d *Difference) {
	m.count.confirmed.Add(1)
	name := d.Kind + "\x00" + d.Row
	if d.Kind != DiffersRefused {
		name += "\x00" + strconv.Itoa(d.DB) + "\x00" + d.Key
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	f := &m.found
	if have := f.by[name]; have != nil {
		d.Times = have.Times
		*have = *d
		have.Times++
		have.At = time.Now()
		return
	}
	if f.by == nil {
		f.by = map[string]*Difference{}
	}
	d.Times, d.At = 1, time.Now()
	if len(f.list) >= differencesMost {
		return // they are counted
	}
	f.by[name] = d
	f.list = append(f.list, d)
	if now := m.nowNS(); now-m.noteNS > int64(time.Second) {
		m.noteNS = now
		m.log.Warn("shadow differs", "kind", d.Kind, "command", d.Row, "key", d.Key, "database", d.DB, "source", d.Source, "shadow", d.Shadow)
	}
}

func (m *Mirror) stats(row *command.Row) *rowStats {
	s := m.rows[row.ID]
	if s == nil {
		s = &rowStats{}
		m.rows[row.ID] = s
	}
	return s
}

func (m *Mirror) compared(row *command.Row, equal bool) {
	m.count.compared.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats(row)
	s.compared++
	if !equal {
		s.differing++
		m.count.differing.Add(1)
	}
}

// refused notes that the shadow could not do a command.
func (m *Mirror) refused(reply []byte) {
	m.count.refused.Add(1)
	m.mu.Lock()
	m.trouble = short(reply)
	m.mu.Unlock()
}

// times notes how long both sides took.
func (m *Mirror) times(d *deed, beganNS int64) {
	now := m.nowNS()
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats(d.it.row)
	if !d.it.row.Flags.Has(command.Blocking) {
		s.source.add(d.it.endNS - d.it.startNS)
		s.shadow.add(now - beganNS)
	}
}

const shortMost = 200

// short is a reply for people.
func short(reply []byte) string {
	if reply == nil {
		return "(too large to keep)"
	}
	return shorten(shown(reply, 2))
}

func shorten(s string) string {
	if len(s) > shortMost {
		s = s[:shortMost] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

func shown(reply []byte, depth int) string {
	v := resp.Value(reply)
	if v.IsNull() {
		return "(nil)"
	}
	text, ok := v.Bytes()
	switch {
	case ok && v.Kind() == resp.KindBulk:
		return string(resp.AppendQuoted(nil, text[:min(len(text), shortMost)]))
	case ok:
		return string(text[:min(len(text), shortMost)])
	case depth == 0:
		return "[…]"
	}
	const most = 20
	var parts []string
	for it := resp.Elements(reply); it.Left() > 0 && len(parts) < most; {
		element, ok := it.Next()
		if !ok {
			break
		}
		parts = append(parts, shown(element, depth-1))
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// text is the command for people.
func (d *deed) text() string {
	if !d.it.piece {
		return commandText(d.args)
	}
	var all []string
	for _, e := range d.inner {
		all = append(all, commandText(e.args))
	}
	return shorten("MULTI: " + strings.Join(all, "; "))
}

func commandText(args [][]byte) string {
	const most = 40
	var out []byte
	for i, arg := range args {
		if i > 0 {
			out = append(out, ' ')
		}
		if i == 0 {
			out = append(out, arg...)
			continue
		}
		out = resp.AppendQuoted(out, arg[:min(len(arg), most)])
		if len(out) > shortMost {
			break
		}
	}
	return shorten(string(out))
}

// Report is what is known so far.
type Report struct {
	Since    time.Time `json:"since"`
	Share    float64   `json:"share"`
	Shadow   string    `json:"shadow"`
	Away     bool      `json:"shadow_away"` // it is out of reach
	Stopped  bool      `json:"stopped"`
	Mirrored uint64    `json:"mirrored"` // commands that the shadow has answered
	Waiting  int64     `json:"waiting"`
	Dropped  uint64    `json:"dropped"`           // for want of room
	Missed   uint64    `json:"missed"`            // while the shadow was away, or lost
	Refused  uint64    `json:"refused"`           // the shadow was in trouble
	Compared uint64    `json:"compared"`          // replies
	Trouble  string    `json:"trouble,omitempty"` // what it said the last time

	// Not compared: of keys that are not known to be the same on both sides, of commands whose replies depend on chance, time or the server.
	Unknown uint64 `json:"unknown"`
	Blind   uint64 `json:"nondeterministic"`
	Halves  uint64 `json:"half_in_share"` // commands not mirrored, as not all their keys are of the share
	Raced   uint64 `json:"raced"`         // writes whose order at the source is not known

	Differing  uint64 `json:"differing_replies"` // of those compared; what came of them:
	Confirmed  uint64 `json:"confirmed"`
	Passing    uint64 `json:"passing"`   // the same when asked again
	Undecided  uint64 `json:"undecided"` // the key was never quiet, or was overwritten
	Unchecked  uint64 `json:"unchecked"` // too many at once
	Evicted    uint64 `json:"evicted"`   // the key is missing on a side that evicts
	InDoubt    int64  `json:"in_doubt"`
	KeysKnown  int64  `json:"keys_followed"`
	AllKnown   bool   `json:"all_known"`
	Forgotten  uint64 `json:"forgotten"` // times at which all that was known of keys was forgotten
	KeysDenied int64  `json:"keys_not_followed"`

	SourceSide Side          `json:"source_node"`
	ShadowSide Side          `json:"shadow_node"`
	Commands   []CommandStat `json:"commands"`
	Found      []Difference  `json:"differences"`
}

// CommandStat is one command, side by side.
type CommandStat struct {
	Command   string        `json:"command"`
	Mirrored  uint64        `json:"mirrored"`
	Compared  uint64        `json:"compared"`
	Differing uint64        `json:"differing"`
	SourceP50 time.Duration `json:"source_p50_ns"`
	SourceP99 time.Duration `json:"source_p99_ns"`
	ShadowP50 time.Duration `json:"shadow_p50_ns"`
	ShadowP99 time.Duration `json:"shadow_p99_ns"`
}

// Report tells what is known so far. Any goroutine.
func (m *Mirror) Report() Report {
	c := &m.count
	r := Report{
		Since: m.base, Share: m.o.Share, Shadow: m.o.Target, Away: c.away.Load() != 0, Stopped: m.off.Load(),
		Mirrored: c.mirrored.Load(), Waiting: m.queued.Load(), Dropped: c.dropped.Load(), Missed: c.missed.Load(), Refused: c.refused.Load(),
		Compared: c.compared.Load(), Unknown: c.unknown.Load(), Blind: c.blind.Load(), Halves: c.halves.Load(), Raced: c.raced.Load(),
		Differing: c.differing.Load(), Confirmed: c.confirmed.Load(), Passing: c.passing.Load(), Undecided: c.undecided.Load(), Unchecked: c.unchecked.Load(),
		Evicted: c.evicted.Load(), InDoubt: c.keysDoubted.Load(), KeysKnown: c.keysKnown.Load(), AllKnown: c.allKnown.Load(), Forgotten: c.forgotten.Load(), KeysDenied: c.keysCap.Load(),
		SourceSide: m.side(ofSource), ShadowSide: m.side(ofShadow), Commands: []CommandStat{}, Found: []Difference{},
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r.Trouble = m.trouble
	var all rowStats
	for id, s := range m.rows {
		r.Commands = append(r.Commands, s.stat(command.ByID(id).Name))
		all.compared += s.compared
		all.differing += s.differing
		all.source.join(&s.source)
		all.shadow.join(&s.shadow)
	}
	slices.SortFunc(r.Commands, func(a, b CommandStat) int {
		return cmp.Or(cmp.Compare(b.Mirrored, a.Mirrored), cmp.Compare(a.Command, b.Command))
	})
	r.Commands = append([]CommandStat{all.stat("all")}, r.Commands...)
	for _, d := range m.found.list {
		r.Found = append(r.Found, *d)
	}
	return r
}

func (s *rowStats) stat(name string) CommandStat {
	const p50, p99 = 500, 990
	return CommandStat{
		Command: name, Mirrored: s.shadow.n, Compared: s.compared, Differing: s.differing,
		SourceP50: s.source.percentile(p50), SourceP99: s.source.percentile(p99), ShadowP50: s.shadow.percentile(p50), ShadowP99: s.shadow.percentile(p99),
	}
}
