package acl

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// Log is ACL LOG: what was refused to users lately, newest first. The same thing refused again within a minute counts as one entry.
type Log struct {
	entries []Refusal
	most    int // acllog-max-len
}

// Refusal is an entry.
type Refusal struct {
	Reason  string // command, key, channel or auth
	Context string // toplevel, multi or lua
	Object  string
	User    string
	Client  client.Info

	id                int64
	count             int64
	line              string // the client's, as CLIENT LIST has it
	createdMS, lastMS int64
}

// MostDefault is how many entries are kept unless acllog-max-len says otherwise.
const MostDefault = 128

// NewLog keeps at most so many entries.
func NewLog(most int) Log { return Log{most: most} }

// Limit changes how many entries are kept.
func (l *Log) Limit(most int) {
	l.most = most
	l.entries = l.entries[:min(len(l.entries), most)]
}

// Reset forgets all entries.
func (l *Log) Reset() { l.entries = nil }

// Entries are all that there are; they stay as they are.
func (l *Log) Entries() []Refusal { return slices.Clone(l.entries) }

const togetherMS = int64(60 * time.Second / time.Millisecond)

// again tells whether e is the same refusal as an older one of lately.
func (r *Refusal) again(older *Refusal) bool {
	return older.Reason == r.Reason && older.Context == r.Context && older.Object == r.Object && older.User == r.User &&
		r.lastMS-older.lastMS <= togetherMS
}

// Note keeps a refusal; id makes its number, if it is a new one.
func (l *Log) Note(r Refusal, nowMS int64, id func() int64) {
	r.count, r.createdMS, r.lastMS = 1, nowMS, nowMS
	r.line = strings.TrimSuffix(string(r.Client.AppendLine(nil)), "\n")
	for i := range l.entries {
		older := &l.entries[i]
		if r.again(older) {
			older.count++
			older.line, older.lastMS = r.line, r.lastMS
			again := *older
			copy(l.entries[1:i+1], l.entries[:i])
			l.entries[0] = again
			return
		}
	}
	r.id = id()
	l.entries = append([]Refusal{r}, l.entries[:min(len(l.entries), max(0, l.most-1))]...)
	l.entries = l.entries[:min(len(l.entries), l.most)]
}

// Joined makes one log of the entries of several: newest first, what is the same in two of them once.
func Joined(entries []Refusal, most int) []Refusal {
	slices.SortStableFunc(entries, func(a, b Refusal) int { return cmp.Or(cmp.Compare(b.lastMS, a.lastMS), cmp.Compare(b.id, a.id)) })
	var joined []Refusal
	for _, e := range entries {
		at := slices.IndexFunc(joined, func(newer Refusal) bool { return newer.again(&e) })
		if at < 0 {
			joined = append(joined, e)
			continue
		}
		newer := &joined[at]
		newer.count += e.count
		newer.createdMS, newer.id = min(newer.createdMS, e.createdMS), min(newer.id, e.id)
	}
	return joined[:min(len(joined), most)]
}

// Ask is what ACL LOG is asked for.
type Ask struct {
	Reset bool
	Count int64
}

// ParseAsk reads ACL LOG.
func ParseAsk(args [][]byte) (a Ask, wrong string) {
	const countDefault = 10
	a.Count = countDefault
	switch {
	case len(args) > 3:
		return a, command.ArityError(command.ByID(command.CmdACLLog))
	case len(args) == 3 && strings.EqualFold(string(args[2]), "reset"):
		a.Reset = true
	case len(args) == 3:
		if a.Count, wrong = client.ParseNumber(string(args[2]), math.MinInt64, math.MaxInt64); wrong != "" {
			return a, errNotInt
		}
	}
	return a, ""
}

// Write answers ACL LOG with the newest of entries.
func (a Ask) Write(w *resp.Writer, entries []Refusal, nowMS int64) {
	entries = entries[:max(0, min(a.Count, int64(len(entries))))]
	w.Array(len(entries))
	for i := range entries {
		entries[i].write(w, nowMS)
	}
}

func (r *Refusal) write(w *resp.Writer, nowMS int64) {
	w.Map(10)
	w.Bulk("count")
	w.Int(r.count)
	for _, pair := range [][2]string{{"reason", r.Reason}, {"context", r.Context}, {"object", r.Object}, {"username", r.User}} {
		w.Bulk(pair[0])
		w.Bulk(pair[1])
	}
	w.Bulk("age-seconds")
	age := float64(nowMS-r.lastMS) / 1000
	if w.Proto == 3 {
		w.Double(age)
	} else {
		w.Bulk(strconv.FormatFloat(age, 'g', -1, 64))
	}
	w.Bulk("client-info")
	w.Bulk(r.line)
	w.Bulk("entry-id")
	w.Int(r.id)
	w.Bulk("timestamp-created")
	w.Int(r.createdMS)
	w.Bulk("timestamp-last-updated")
	w.Int(r.lastMS)
}
