package rdb

import (
	"errors"

	"larder/protocol/encoding/rdb"
)

// What values and other records are made of is written as a word of these letters, so that one small machine finds where each ends, stops wherever the
// bytes stop, and goes on there:
//
//	s        a string
//	l        a length
//	1 4 8    so many bytes
//	w        16 bytes: an ID of a stream
//	t        a double in text
//	m        values of a module, each behind a length that says what it is, up to a 0
//	( … )    a length, and what stands between as many times
const (
	grammarText    = "s"
	grammarTexts   = "(s)"
	grammarPairs   = "(ss)"
	grammarModule  = "lm"
	grammarEntries = "(ss)lll"      // of a stream: blocks of entries, how many those are, the last ID
	grammarCounts  = "lllll"        // from Redis 7.0 on: the first ID, the greatest deleted one, how many there ever were
	grammarGroups  = "(slll(w8l)"   // name, last ID, entries read; pending ones with the time and number of deliveries
	grammarOwned   = "(w)"          // the pending ones that are a consumer's
	grammarProduce = "ll(s(sll))ll" // Redis 8.6: what producers have added that must not be added again
)

// producersAt is the place of the producers among a stream's outer loops, behind its blocks and groups.
const producersAt = 2

// bodyOf is what follows the key in a value of a type; "" for types whose end nobody can find.
func bodyOf(t rdb.Type) string {
	switch t {
	case rdb.TypeList, rdb.TypeSet, rdb.TypeListQuicklist:
		return grammarTexts
	case rdb.TypeHash:
		return grammarPairs
	case rdb.TypeZSetText:
		return "(st)"
	case rdb.TypeZSet:
		return "(s8)"
	case rdb.TypeListQuicklist2:
		return "(ls)"
	case rdb.TypeHashTimed:
		return "(ss8)"
	case rdb.TypeHashExpiriesEarly:
		return "(lss)"
	case rdb.TypeHashExpiries:
		return "8(lss)"
	case rdb.TypeHashPackExpiries:
		return "8s"
	case rdb.TypeModule:
		return grammarModule
	case rdb.TypeModule1:
		return ""
	}
	if body, ok := streamOf(t); ok {
		return body
	}
	return grammarText
}

// streamOf is bodyOf for streams. A consumer has a time, from Redis 7.2 on two.
func streamOf(t rdb.Type) (body string, ok bool) {
	switch t {
	case rdb.TypeStream:
		return grammarEntries + "(sll(w8l)(s8" + grammarOwned + "))", true
	case rdb.TypeStream2:
		return grammarEntries + grammarCounts + grammarGroups + "(s8" + grammarOwned + "))", true
	case rdb.TypeStream3:
		return grammarEntries + grammarCounts + grammarGroups + "(s88" + grammarOwned + "))", true
	case rdb.TypeStream4:
		return grammarEntries + grammarCounts + grammarGroups + "(s88" + grammarOwned + "))" + grammarProduce, true
	}
	return "", false
}

// depthMax is how deep loops stand in each other.
const depthMax = 3

// machine finds the end of what a word of the grammar describes.
type machine struct {
	word  string
	at    int // in the word
	depth int
	loops [depthMax]loop
	skip  int // bytes that are still to be passed over

	counts [depthMax]uint64 // how often the first loops run that stand in no other
	loop   int              // how many of them were met
}

type loop struct {
	left  uint64
	begin int // its first letter
}

func (m *machine) begin(word string) {
	m.word, m.at, m.depth, m.skip, m.loop = word, 0, 0, 0, 0
	m.counts = [depthMax]uint64{}
}

// run passes over as much of b, from pos on, as is there and belongs to the word. Not done: more bytes are needed, and pos is where to go on. It looks at no
// byte twice but those of a head that was cut.
func (m *machine) run(b []byte, pos int) (next int, done bool, err error) {
	for {
		if m.skip > 0 {
			n := min(m.skip, len(b)-pos)
			pos += n
			if m.skip -= n; m.skip > 0 {
				return pos, false, nil
			}
		}
		if m.at == len(m.word) {
			return pos, true, nil
		}
		size, err := m.step(b[pos:])
		if err == nil {
			pos += size
			continue
		}
		if errors.Is(err, rdb.ErrShort) {
			return pos, false, nil
		}
		return pos, false, err
	}
}

// step reads what the next letter stands for, or its head if skip is to pass over the rest.
func (m *machine) step(b []byte) (size int, err error) {
	switch m.word[m.at] {
	case 's':
		var f rdb.Form
		f, size, err = rdb.StringForm(b)
		m.skip = f.Bytes
	case 'l':
		_, size, err = rdb.Length(b)
	case '1':
		m.skip = 1
	case '4':
		m.skip = 4
	case '8':
		m.skip = 8
	case 'w':
		m.skip = 16
	case 't':
		_, size, err = rdb.TextDouble(b)
	case 'm':
		return m.stepModule(b)
	case '(':
		return m.enter(b)
	case ')':
		m.again()
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	m.at++
	return size, nil
}

// What follows in a module's value (Redis 7.0 rdb.h).
const (
	moduleEnd    = 0
	moduleInt    = 1
	moduleUint   = 2
	moduleFloat  = 3
	moduleDouble = 4
	moduleText   = 5
)

// stepModule reads one of a module's values, or the end of them.
func (m *machine) stepModule(b []byte) (size int, err error) {
	what, size, err := rdb.Length(b)
	if err != nil {
		return 0, err
	}
	more, skip := 0, 0
	switch what {
	case moduleEnd:
		m.at++
	case moduleInt, moduleUint:
		_, more, err = rdb.Length(b[size:])
	case moduleFloat:
		skip = 4
	case moduleDouble:
		skip = 8
	case moduleText:
		var f rdb.Form
		f, more, err = rdb.StringForm(b[size:])
		skip = f.Bytes
	default:
		err = rdb.ErrCorrupt
	}
	if err != nil {
		return 0, err
	}
	m.skip = skip
	return size + more, nil
}

// enter begins a loop, or passes it over.
func (m *machine) enter(b []byte) (size int, err error) {
	n, size, err := rdb.Length(b)
	if err != nil {
		return 0, err
	}
	if m.depth == 0 {
		m.counts[m.loop%depthMax] = n
		m.loop++
	}
	m.at++
	if n > 0 {
		m.loops[m.depth] = loop{left: n, begin: m.at}
		m.depth++
		return size, nil
	}
	for open := 1; open > 0; m.at++ {
		switch m.word[m.at] {
		case '(':
			open++
		case ')':
			open--
		}
	}
	return size, nil
}

// again ends a turn of the innermost loop.
func (m *machine) again() {
	l := &m.loops[m.depth-1]
	if l.left--; l.left > 0 {
		m.at = l.begin
		return
	}
	m.depth--
	m.at++
}
