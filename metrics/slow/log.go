package slow

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// Log is SLOWLOG: the commands that took longest lately, oldest first.
type Log struct{ entries []Entry }

// Entry is a command in it.
type Entry struct {
	ID, AtS, US  int64
	Args         [][]byte // as Shown gives them
	Client, Name string

	QueueUS, UpstreamUS, WriteUS int64 // a gateway's: parts of the time, see WriteSplit
}

// What an entry shows of a command at most.
const (
	argsMax  = 32
	bytesMax = 128
)

// Add keeps an entry, and most of them.
func (l *Log) Add(e Entry, most int64) {
	l.entries = append(l.entries, e)
	l.Limit(most)
}

// Limit forgets the oldest of too many.
func (l *Log) Limit(most int64) {
	over := int64(len(l.entries)) - most
	if over <= 0 {
		return
	}
	clear(l.entries[:over])
	if l.entries = l.entries[over:]; len(l.entries) == 0 {
		l.entries = nil
	}
}

// Len is how many there are.
func (l *Log) Len() int { return len(l.entries) }

// Reset forgets all.
func (l *Log) Reset() { l.entries = nil }

// Find gives the entry with this ID, nil if it is forgotten. It is valid until the next call.
func (l *Log) Find(id int64) *Entry {
	at, found := slices.BinarySearchFunc(l.entries, id, func(e Entry, id int64) int { return cmp.Compare(e.ID, id) })
	if !found {
		return nil
	}
	return &l.entries[at]
}

// Entries are all that there are, oldest first; they stay as they are.
func (l *Log) Entries() []Entry { return slices.Clone(l.entries) }

// Shown is a copy of a command's arguments as an entry shows them: without what nobody may see, and shortened (Redis 7.0 slowlog.c, slowlogCreateEntry).
func Shown(row *command.Row, args [][]byte) [][]byte { return Shortened(Redacted(row, args)) }

// Shortened is a copy of arguments, of which there may be too many, or too long ones.
func Shortened(args [][]byte) [][]byte {
	shown := make([][]byte, min(len(args), argsMax))
	for i := range shown {
		arg := args[i]
		switch {
		case i == argsMax-1 && len(args) > argsMax:
			shown[i] = fmt.Appendf(nil, "... (%d more arguments)", len(args)-argsMax+1)
		case len(arg) > bytesMax:
			shown[i] = fmt.Appendf(bytes.Clone(arg[:bytesMax]), "... (%d more bytes)", len(arg)-bytesMax)
		default:
			shown[i] = bytes.Clone(arg)
		}
	}
	return shown
}

// ParseCount reads the count of SLOWLOG GET, -1 for all.
func ParseCount(word []byte) (n int64, wrong string) {
	n, ok := resp.ParseNumber(word)
	if !ok || n < -1 {
		return 0, "ERR count should be greater than or equal to -1"
	}
	return n, ""
}

// CountDefault is how many SLOWLOG GET shows.
const CountDefault = 10

// Write answers SLOWLOG GET with the newest n of entries, which are oldest first; below 0: all.
func Write(w *resp.Writer, entries []Entry, n int64) { write(w, entries, n, false) }

// WriteSplit is Write with three more numbers an entry, in microseconds: how long the command waited in the gateway before it was on its way to a node, how
// long the node's answer took to come, and how long that waited for its turn behind the client's earlier ones.
func WriteSplit(w *resp.Writer, entries []Entry, n int64) { write(w, entries, n, true) }

func write(w *resp.Writer, entries []Entry, n int64, split bool) {
	if n < 0 || n > int64(len(entries)) {
		n = int64(len(entries))
	}
	fields := 6
	if split {
		fields = 9
	}
	w.Array(int(n))
	for _, e := range slices.Backward(entries[int64(len(entries))-n:]) {
		w.Array(fields)
		w.Int(e.ID)
		w.Int(e.AtS)
		w.Int(e.US)
		w.Array(len(e.Args))
		for _, arg := range e.Args {
			w.BulkBytes(arg)
		}
		w.Bulk(e.Client)
		w.Bulk(e.Name)
		if split {
			w.Int(e.QueueUS)
			w.Int(e.UpstreamUS)
			w.Int(e.WriteUS)
		}
	}
}
