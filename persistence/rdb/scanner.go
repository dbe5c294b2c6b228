package rdb

import (
	"larder/protocol/encoding/crc64"
)

// The newest versions that are read.
const (
	NewestRedis  = 13 // Redis 8.6
	NewestValkey = 80 // Valkey 9.1
)

const (
	magicLen = 9

	versionSum = 5 // from it on a sum follows the end

	keepMax = 1 << 20 // scratch that is kept after a large value, bytes
)

// Scanner reads a file. The zero Scanner stands before its first byte.
type Scanner struct {
	// LargeMin is the length in bytes from which a text that is not compressed comes in parts; 0 = none does.
	LargeMin int
	// AnySum passes over a wrong sum at the end.
	AnySum bool

	buf    []byte
	start  int   // of the record at hand, in buf
	at     int   // up to where it was read
	summed int   // up to where it is in sum
	base   int64 // where buf begins in the file
	sum    uint64

	doing   doing
	machine machine
	op      byte
	left    int  // bytes of a large text that are still to come
	given   bool // the entry was handed out: what comes now is another's

	version int
	valkey  bool
	from    int64 // where the bytes of the entry at hand begin in the file
	keyEnd  int   // in buf, from start
	entry   Entry
	texts   []byte // decoded ones, since the last feed
	checked bool
	dropped map[string]int
	failed  error
	ended   bool
}

// doing is what the bytes at hand are.
type doing uint8

const (
	inMagic doing = iota
	inOp
	inOperands
	inKey
	inHead // of a text that may be large
	inBody
	inParts
)

// Feed gives the scanner more bytes, which it copies. All that Next has given is dead.
func (s *Scanner) Feed(b []byte) {
	s.settle()
	s.buf = append(s.buf, b...)
}

// settle lets go of what was read.
func (s *Scanner) settle() {
	s.texts = s.texts[:0]
	if cap(s.texts) > keepMax {
		s.texts = nil
	}
	if s.start == 0 {
		return
	}
	s.add(s.start)
	rest := s.buf[s.start:]
	if cap(s.buf) > keepMax && len(rest) < cap(s.buf)/8 {
		s.buf = append(make([]byte, 0, 2*len(rest)), rest...)
	} else {
		s.buf = s.buf[:copy(s.buf, rest)]
	}
	s.base += int64(s.start)
	s.at -= s.start
	s.summed -= s.start
	s.start = 0
}

// add takes what comes before a place in buf into the sum.
func (s *Scanner) add(to int) {
	if s.summed < to && !s.ended {
		s.sum = crc64.Update(s.sum, s.buf[s.summed:to])
	}
	s.summed = max(s.summed, to)
}

// Next finds the next entry. The entry is the scanner's and changes with the next call; it is never nil.
func (s *Scanner) Next() (e *Entry, state State, err error) {
	e = &s.entry
	if s.failed != nil {
		return e, More, s.failed
	}
	for !s.ended {
		found := false
		switch s.doing {
		case inParts:
			state, found = s.part()
		case inHead:
			state, found, err = s.readHead()
		default:
			state, found, err = s.advance()
		}
		if err != nil {
			s.failed = err
			return e, More, err
		}
		if found {
			s.given = s.given || state != More
			return e, state, nil
		}
	}
	return e, End, nil
}

// advance reads on, to the end of the bytes at hand or as far as they are there.
func (s *Scanner) advance() (state State, found bool, err error) {
	if s.machine.word == "" {
		s.become(inMagic)
	}
	pos, done, err := s.machine.run(s.buf, s.at)
	s.at = pos
	switch {
	case err != nil:
		return More, false, s.corrupt()
	case !done:
		return More, true, nil
	}
	switch s.doing {
	case inMagic:
		if err = s.readMagic(); err == nil {
			s.become(inOp)
			s.clear()
		}
	case inOp:
		err = s.readOp()
	case inOperands:
		return s.readOperands()
	case inKey:
		err = s.readKey()
	default:
		return Key, true, s.give()
	}
	return More, false, err
}

// become begins with bytes of another kind.
func (s *Scanner) become(d doing) {
	s.doing = d
	switch d {
	case inMagic:
		s.machine.begin("81") // magicLen bytes
	case inOp:
		s.start = s.at
		s.machine.begin("1")
	case inOperands:
		s.machine.begin(operandsOf(s.op, s.valkey))
	case inKey:
		s.machine.begin("s")
	case inBody:
		s.machine.begin(bodyOf(s.entry.Type))
	}
}

// clear forgets what was said of a key.
func (s *Scanner) clear() {
	db := s.entry.DB
	s.entry = Entry{DB: db}
	s.entry.IdleS, s.entry.Freq = -1, -1
	s.from = s.base + int64(s.start)
	s.given = false
}

// Ended says whether the file may end here: nil behind its end, else an error that says what is missing.
func (s *Scanner) Ended() error {
	switch {
	case s.failed != nil || s.ended:
		return s.failed
	case s.doing == inMagic:
		return s.wrong(len(s.buf), ErrCut, "the file ends before its first %d bytes", magicLen)
	}
	return s.wrong(len(s.buf), ErrCut, "the file ends here, in the middle: the rest of it is missing")
}

// Rest gives the bytes behind the end that were fed.
func (s *Scanner) Rest() []byte {
	if !s.ended {
		return nil
	}
	return s.buf[s.at:]
}

// Offset is how many bytes of the file were read.
func (s *Scanner) Offset() int64 { return s.base + int64(s.at) }

// Kept is how many bytes of memory the scanner holds.
func (s *Scanner) Kept() int { return cap(s.buf) + cap(s.texts) }

// Version is the file's, and whether it is Valkey's; 0 until the first bytes are there.
func (s *Scanner) Version() (version int, valkey bool) { return s.version, s.valkey }

// Checked tells, at the end, whether the file had a sum.
func (s *Scanner) Checked() bool { return s.checked }

// Dropped tells what was passed over because only servers of other kinds have it, and how often.
func (s *Scanner) Dropped() map[string]int { return s.dropped }
