package router

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Run is one start of a node's process, or one dropping of its data: who drops its data takes a new run.
type Run struct {
	Node string // its name in the cluster
	ID   string // of the run, never used twice
}

// String is the run as it stands in a record's line: node@id, both escaped.
func (r Run) String() string { return string(r.append(nil)) }

func (r Run) append(line []byte) []byte {
	return appendEscaped(append(appendEscaped(line, r.Node), '@'), r.ID)
}

// ParseRun reads what String wrote.
func ParseRun(word string) (r Run, err error) {
	node, id, ok := strings.Cut(word, "@")
	if !ok {
		return Run{}, fmt.Errorf("%q: want node@run", word)
	}
	if r.Node, err = unescape(node); err == nil {
		r.ID, err = unescape(id)
	}
	if err != nil || r.Node == "" || r.ID == "" {
		return Run{}, fmt.Errorf("%q: want node@run", word)
	}
	return r, nil
}

// Place is what ParsePlace reads.
func Place(node, addr string) string {
	return string(append(append(appendEscaped(nil, node), '='), addr...))
}

// ParsePlace reads "node=host:port": where a node that a record names is reached.
func ParsePlace(word string) (node, addr string, err error) {
	name, addr, ok := strings.Cut(word, "=")
	if node, err = unescape(name); !ok || err != nil || node == "" {
		return "", "", fmt.Errorf("%q: want node=host:port", word)
	}
	if err := checkAddr(addr); err != nil {
		return "", "", fmt.Errorf("%q: %w", word, err)
	}
	return node, addr, nil
}

// State is what a shard is about.
type State uint8

// The states of a shard.
const (
	Normal    State = iota
	Electing        // members are asked to promise the epoch; nobody serves
	Switching       // the primary is frozen, for another to take over
)

var stateNames = [...]string{"normal", "electing", "switching"}

func (s State) String() string { return stateNames[s] }

// Record says who is who in a shard. The registry holds it, and only compare-and-set changes it. It is never changed in place.
type Record struct {
	Epoch uint64 // grows with every change; 0: the shard has no record, and nobody gives its nodes orders
	Term  uint64 // the last epoch that was not a mere change of the set: what lanes say
	Reign uint64 // the epoch in which the present primary was chosen
	State State

	Primary Run
	Set     []Run // the members: every committed write is on each of them; the primary is one
	Joining []Run // counted like members, but nobody promotes them

	MinInSync  int  // with fewer members no write is accepted
	Replicated bool // a write is acknowledged when every member has it; else when the primary has
	Returned   bool // the primary before has given back all leases: nobody need wait for their end
}

// Member tells whether a run is in the set.
func (r *Record) Member(run Run) bool { return slices.Contains(r.Set, run) }

// Counted tells whether a run's acknowledgement is waited for.
func (r *Record) Counted(run Run) bool { return r.Member(run) || slices.Contains(r.Joining, run) }

// Equal tells whether two records say the same.
func (r *Record) Equal(o *Record) bool {
	return r.Epoch == o.Epoch && r.Term == o.Term && r.Reign == o.Reign && r.State == o.State && r.Primary == o.Primary &&
		slices.Equal(r.Set, o.Set) && slices.Equal(r.Joining, o.Joining) && r.MinInSync == o.MinInSync && r.Replicated == o.Replicated && r.Returned == o.Returned
}

// The line form of a record travels in the dialect, so it is one line of printable ASCII:
//
//	line = "1" SP epoch SP term SP reign SP state SP flags SP min SP runs SP runs     the 1 is the form's version; the set, the primary first; who joins
//	runs = "-" | run *( "," run )
//	run  = node "@" id                                                                  both escaped as in a topology's line
//	flags = "-" | "r" | "l" | "rl"                                                      Replicated, Returned
//
// Line is canonical: equal records give equal lines.
const recordWords = 9

// Line is the record in one line, without CR or LF.
func (r *Record) Line() string {
	line := append(make([]byte, 0, 128), lineVersion...)
	for _, n := range []uint64{r.Epoch, r.Term, r.Reign} {
		line = append(line, ' ')
		line = strconv.AppendUint(line, n, 10)
	}
	line = append(line, ' ')
	line = append(line, r.State.String()...)
	flags := ""
	if r.Replicated {
		flags = "r"
	}
	if r.Returned {
		flags += "l"
	}
	if flags == "" {
		flags = "-"
	}
	line = append(line, ' ')
	line = append(line, flags...)
	line = append(line, ' ')
	line = strconv.AppendInt(line, int64(r.MinInSync), 10)
	line = append(line, ' ')
	line = appendRuns(line, r.Set)
	line = append(line, ' ')
	line = appendRuns(line, r.Joining)
	return string(line)
}

func appendRuns(line []byte, runs []Run) []byte {
	if len(runs) == 0 {
		return append(line, '-')
	}
	for i, run := range runs {
		if i > 0 {
			line = append(line, ',')
		}
		line = run.append(line)
	}
	return line
}

// ParseRecord reads what Line wrote.
func ParseRecord(line string) (*Record, error) {
	words := strings.Split(line, " ")
	if words[0] != lineVersion {
		return nil, fmt.Errorf("parse record: version %q: want %s", words[0], lineVersion)
	}
	if len(words) != recordWords {
		return nil, fmt.Errorf("parse record: %d words: want %d", len(words), recordWords)
	}
	r := &Record{}
	for i, to := range []*uint64{&r.Epoch, &r.Term, &r.Reign} {
		n, ok := parseDecimal(words[1+i])
		if !ok {
			return nil, fmt.Errorf("parse record: %q: want a number from 0 to 2^64-1", words[1+i])
		}
		*to = n
	}
	state := slices.Index(stateNames[:], words[4])
	if state < 0 {
		return nil, fmt.Errorf("parse record: state %q: want one of %s", words[4], strings.Join(stateNames[:], ", "))
	}
	r.State = State(state)
	flags := slices.Index([]string{"-", "r", "l", "rl"}, words[5])
	if flags < 0 {
		return nil, fmt.Errorf("parse record: flags %q", words[5])
	}
	r.Replicated, r.Returned = flags&1 != 0, flags&2 != 0
	least, ok := parseDecimal(words[6])
	if !ok || least > ShardsMax {
		return nil, fmt.Errorf("parse record: least members %q", words[6])
	}
	r.MinInSync = int(least)
	var err error
	if r.Set, err = parseRuns(words[7]); err != nil {
		return nil, fmt.Errorf("parse record: set: %w", err)
	}
	if r.Joining, err = parseRuns(words[8]); err != nil {
		return nil, fmt.Errorf("parse record: joining: %w", err)
	}
	if len(r.Set) > 0 {
		r.Primary = r.Set[0]
	}
	return r, r.check()
}

func parseRuns(word string) (runs []Run, err error) {
	if word == "-" {
		return nil, nil
	}
	for part := range strings.SplitSeq(word, ",") {
		run, err := ParseRun(part)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

func (r *Record) check() error {
	switch {
	case r.Term > r.Epoch || r.Reign > r.Term:
		return fmt.Errorf("parse record: epoch %d, term %d, reign %d: each must be at most the one before", r.Epoch, r.Term, r.Reign)
	case len(r.Set) == 0:
		return errors.New("parse record: the set is empty")
	case r.Primary != r.Set[0]:
		return errors.New("parse record: the primary is not the first of the set")
	}
	seen := map[string]bool{}
	for _, run := range slices.Concat(r.Set, r.Joining) {
		if seen[run.Node] {
			return fmt.Errorf("parse record: node %q is named twice", run.Node)
		}
		seen[run.Node] = true
	}
	return nil
}
