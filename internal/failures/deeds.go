// Package failures judges what clients that write steadily were told while parts of a fleet died: how long their writes stood still, which errors they saw,
// which acknowledged writes are lost, and which ran twice. It is pure: the clients, in whatever language, tell their deeds in lines, and who has the fleet tells
// what is there in the end.
package failures

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Kind is what was written.
type Kind string

// The kinds. Each lane has keys of its own for each, and numbers its values from 1.
const (
	Set     Kind = "set"     // SET key value GET: the reply is the value before
	Incr    Kind = "incr"    // the reply is the number
	Push    Kind = "push"    // RPUSH of the value: the reply is the length
	Multi   Kind = "multi"   // MULTI, INCR, LPUSH of the value, EXEC: the reply is both numbers, which are the same
	Connect Kind = "connect" // a connection was made
)

// Kinds are those that write.
var Kinds = []Kind{Set, Incr, Push, Multi}

// Key is that of a kind in a lane: of a transaction its list, beside which is a counter, CounterKey.
func (k Kind) Key(lane string) string { return lane + ":" + string(k) }

// CounterKey is that of the counter of a lane's transactions.
func CounterKey(lane string) string { return Multi.Key(lane) + ":n" }

// Deed is one write of a lane, or one connection.
type Deed struct {
	Lane             string // who wrote: lanes write one thing at a time, over one connection
	Kind             Kind
	Value            int // that was written: its number of those of this kind in this lane
	Called, Returned time.Time
	Reply            string // empty: Err is there
	Err              string // what the client library said
}

// ParseDeed reads a line: lane, kind, value, when it was called and when it returned in microseconds, and "=" with the reply or "!" with the error.
func ParseDeed(line string) (Deed, error) {
	words := strings.SplitN(line, " ", 6)
	const all = 6
	if len(words) != all || words[5] == "" {
		return Deed{}, fmt.Errorf("not a deed: %q", line)
	}
	d := Deed{Lane: words[0], Kind: Kind(words[1])}
	var numbers [3]int64
	for i := range numbers {
		n, err := strconv.ParseInt(words[2+i], 10, 64)
		if err != nil {
			return Deed{}, fmt.Errorf("not a deed: %q: %w", line, err)
		}
		numbers[i] = n
	}
	d.Value, d.Called, d.Returned = int(numbers[0]), time.UnixMicro(numbers[1]), time.UnixMicro(numbers[2])
	switch said := words[5]; said[0] {
	case '=':
		d.Reply = said[1:]
	case '!':
		d.Err = strings.TrimSpace(said[1:])
		if d.Err == "" {
			d.Err = "an error without a word"
		}
	default:
		return Deed{}, fmt.Errorf("not a deed: %q", line)
	}
	return d, nil
}

// Line is what ParseDeed reads.
func (d Deed) Line() string {
	said := "=" + d.Reply
	if d.Err != "" {
		said = "!" + strings.ReplaceAll(d.Err, "\n", " ")
	}
	return fmt.Sprintf("%s %s %d %d %d %s", d.Lane, d.Kind, d.Value, d.Called.UnixMicro(), d.Returned.UnixMicro(), said)
}

// Done tells whether it was acknowledged.
func (d Deed) Done() bool { return d.Err == "" && d.Kind != Connect }

// refusals begin the errors by which a client is told that its command has surely not run (docs/failures.md).
var refusals = []string{"CLUSTERDOWN", "NOREPLICAS", "READONLY", "LOADING", "MASTERDOWN", "MISCONF", "OOM", "EXECABORT", "NOTSENT"}

// Refused tells whether it surely did not run.
func (d Deed) Refused() bool {
	for _, r := range refusals {
		if strings.HasPrefix(d.Err, r) {
			return true
		}
	}
	return false
}

// ErrorKind is what errors are counted by: the word that drivers match on, or that the connection was lost.
func (d Deed) ErrorKind() string {
	first, _, _ := strings.Cut(d.Err, " ")
	switch {
	case d.Err == "":
		return ""
	case first == "NOTSENT":
		return "no connection"
	case first == strings.ToUpper(first) && len(first) > 1 && first[0] >= 'A' && first[0] <= 'Z':
		return first
	}
	return "connection lost"
}
