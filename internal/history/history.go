// Package history notes what clients of a store did and saw, and judges whether a store that loses nothing and shows nothing old can have answered so.
//
// There are registers, which are set and read, and lists, to which is only ever appended and which are read as a whole. Each value is written once. What must
// hold of either: all that is done and seen can be put in one order, key by key, in which each deed stands between its call and its answer (linearizability);
// of whom no answer is known the deed may have been done at any time since, or never. Lists show in addition which deed is missing.
//
// Log's methods may be called from any goroutine.
package history

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// Kind is what was done.
type Kind uint8

// The kinds.
const (
	Set    Kind = iota // a register has Value now
	Get                // a register was read, and had Value; empty: nothing
	Append             // Value is at the end of a list, at place Len if that is not 0
	Range              // a list was read, and had Values
	Hear               // somebody who does not read was told that Value is in a list
)

// Outcome is how it ended.
type Outcome uint8

// The outcomes.
const (
	Done    Outcome = iota
	Refused         // it was not done, and the client was told so
	Unknown         // no answer came, or one that says that it may have been done
)

// Deed is one thing that a client did. Times are of Log.Now.
type Deed struct {
	Client           int
	Kind             Kind
	Key              string
	Value            string
	Values           []string
	Len              int
	Outcome          Outcome
	Called, Returned int64
}

// Log is a history.
type Log struct {
	begun time.Time

	mu    sync.Mutex
	deeds []Deed
}

// New begins a history.
func New() *Log { return &Log{begun: time.Now()} }

// Now is the time, in nanoseconds since the history began.
func (l *Log) Now() int64 { return int64(time.Since(l.begun)) }

// Add notes a deed. A read that was not answered is nothing.
func (l *Log) Add(d Deed) {
	if d.Outcome != Done && (d.Kind == Get || d.Kind == Range) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deeds = append(l.deeds, d)
}

// Count is how many deeds of a kind had an outcome.
func (l *Log) Count(k Kind, o Outcome) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range l.deeds {
		if d.Kind == k && d.Outcome == o {
			n++
		}
	}
	return n
}

// Faults says what in the history cannot be. It is for when nobody adds any more, and all keys were read once more.
func (l *Log) Faults(within time.Duration) (faults []string) {
	keys := map[string][]Deed{}
	for _, d := range l.deeds {
		keys[d.Key] = append(keys[d.Key], d)
	}
	for key, deeds := range keys {
		if k := deeds[0].Kind; k == Set || k == Get {
			faults = append(faults, registerFaults(key, deeds, within)...)
		} else {
			faults = append(faults, listFaults(key, deeds)...)
		}
	}
	return faults
}

// registerFaults has porcupine look for an order.
func registerFaults(key string, deeds []Deed, within time.Duration) (faults []string) {
	read := map[string]bool{}
	for _, d := range deeds {
		read[d.Value] = read[d.Value] || d.Kind == Get
	}
	var history []porcupine.Operation
	for _, d := range deeds {
		switch {
		case d.Outcome == Refused && read[d.Value]:
			faults = append(faults, fmt.Sprintf("register %s: %s was refused and is there", key, d.Value))
		case d.Outcome == Refused, d.Outcome == Unknown && !read[d.Value]: // one that nobody saw can always have been done last
			continue
		case d.Outcome == Unknown:
			d.Returned = math.MaxInt64
		}
		history = append(history, porcupine.Operation{ClientId: d.Client, Input: d, Output: d, Call: d.Called, Return: d.Returned})
	}
	switch porcupine.CheckOperationsTimeout(register, history, within) {
	case porcupine.Illegal:
		faults = append(faults, fmt.Sprintf("register %s: %d deeds stand in no order", key, len(history)))
	case porcupine.Unknown:
		faults = append(faults, fmt.Sprintf("register %s: %d deeds were not judged within %v", key, len(history), within))
	}
	return faults
}

// register is how one behaves.
var register = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, _ any) (bool, any) {
		d := input.(Deed)
		if d.Kind == Set {
			return true, d.Value
		}
		return d.Value == state, state
	},
}
