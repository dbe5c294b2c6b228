package rdb

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"

	"larder/protocol/encoding/rdb"
)

// readMagic reads the first bytes: whose file it is, and its version.
func (s *Scanner) readMagic() error {
	text := string(s.buf[s.start:s.at])
	digits := text[len("REDIS"):]
	switch {
	case text[:len("REDIS")] == "REDIS":
	case text[:len("VALKEY")] == "VALKEY":
		s.valkey, digits = true, text[len("VALKEY"):]
	default:
		return s.wrong(0, ErrMagic, "it begins with %q, not with REDIS or VALKEY and a version", text)
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 {
		return s.wrong(0, ErrMagic, "it begins with %q, which has no version", text)
	}
	newest := NewestRedis
	if s.valkey {
		newest = NewestValkey
	}
	if s.version = int(n); s.version > newest {
		return s.wrong(0, ErrVersion, "it is of version %d (%s), and the newest that is read is %d", n, text, newest)
	}
	return nil
}

// readOp reads the byte that says what follows.
func (s *Scanner) readOp() error {
	if s.given {
		s.clear()
	}
	s.op = s.buf[s.start]
	if s.op >= opLeast {
		switch {
		case s.op == OpFunctionOld:
			return s.wrong(s.start, ErrUnknown, "a function of a Redis 7.0 before its release, which nobody else reads: load the file there and use FUNCTION DUMP")
		case s.op == OpEnd && s.version < versionSum:
			s.ended = true
			return nil
		}
		s.become(inOperands)
		return nil
	}
	t, ok := rdb.TypeOf(s.op, s.version, s.valkey)
	if !ok {
		return s.wrong(s.start, ErrUnknown, "a byte of %d, which is no type of a value and no mark in files of version %d", s.op, s.version)
	}
	s.entry.Type, s.entry.Offset = t, s.base+int64(s.start)
	s.become(inKey)
	return nil
}

// readKey reads the key, and begins with the value.
func (s *Scanner) readKey() error {
	s.keyEnd = s.at - s.start
	switch t := s.entry.Type; {
	case t == rdb.TypeModule1:
		return s.wrong(s.start, ErrModule, "key %s is data of a module of Redis 4.0 before its release, whose end nobody else can find", quote(s.key()))
	case t == rdb.TypeString && s.LargeMin > 0:
		s.doing = inHead
	default:
		s.become(inBody)
	}
	return nil
}

// key decodes the key of the record at hand; nil: it is wrong.
func (s *Scanner) key() []byte { return s.text(s.buf[s.start+1 : s.start+s.keyEnd]) }

// readHead looks at how long a text is.
func (s *Scanner) readHead() (state State, found bool, err error) {
	f, size, err := rdb.StringForm(s.buf[s.at:])
	switch {
	case errors.Is(err, rdb.ErrShort):
		return More, true, nil
	case err != nil:
		return More, false, s.corrupt()
	case f.IsInt || f.Compressed || f.Bytes < s.LargeMin:
		s.become(inBody)
		return More, false, nil
	}
	if s.entry.Key = s.key(); s.entry.Key == nil {
		return More, false, s.brokenKey()
	}
	s.at += size
	s.start = s.at
	s.left = f.Bytes
	s.doing = inParts
	s.entry.Length = f.Bytes
	s.entry.Size = s.base + int64(s.at) - s.from
	return Begin, true, nil
}

// part gives what is there of a large text.
func (s *Scanner) part() (state State, found bool) {
	if s.left == 0 {
		s.become(inOp)
		return More, false
	}
	n := min(s.left, len(s.buf)-s.at)
	if n == 0 {
		return More, true
	}
	e := &s.entry
	e.Key, e.Body = nil, s.buf[s.at:s.at+n]
	s.left -= n
	e.Left = s.left
	s.at += n
	s.start = s.at
	return Part, true
}

// give makes the entry that of a key with its value.
func (s *Scanner) give() error {
	e := &s.entry
	if e.Key = s.key(); e.Key == nil {
		return s.brokenKey()
	}
	e.Body = s.buf[s.start+s.keyEnd : s.at : s.at]
	e.Size = s.base + int64(s.at) - s.from
	e.Count = s.machine.counts[0]
	if e.Type == rdb.TypeStream4 {
		e.Producers = s.machine.counts[producersAt]
	}
	if e.Type == rdb.TypeModule {
		number, _, _ := rdb.Length(e.Body)
		e.Module, _ = rdb.ModuleName(number)
	}
	s.become(inOp)
	return nil
}

// readOperands reads what followed a mark.
func (s *Scanner) readOperands() (state State, found bool, err error) {
	b := s.buf[s.start+1 : s.at]
	e := &s.entry
	switch s.op {
	case OpEnd:
		if err = s.readSum(b); err != nil {
			return More, false, err
		}
		return End, true, nil
	case OpExpiryMS:
		e.ExpiryMS = expiry(int64(binary.LittleEndian.Uint64(b)))
	case OpExpiryS:
		e.ExpiryMS = expiry(1000 * int64(int32(binary.LittleEndian.Uint32(b))))
	case OpIdle:
		n, _, _ := rdb.Length(b)
		e.IdleS = int64(min(n, math.MaxInt64))
	case OpFreq:
		e.Freq = int(b[0])
	case OpSelectDB:
		n, _, _ := rdb.Length(b)
		if n > math.MaxInt32 {
			return More, false, s.wrong(s.start, ErrCorrupt, "database %d, which no server can have", n)
		}
		e.DB = int(n)
	case OpResize:
		size := 0
		e.Keys, size, _ = rdb.Length(b)
		e.Expires, _, _ = rdb.Length(b[size:])
		state = Sizes
	case OpFunction:
		e.Body = s.text(b)
		if state = Function; e.Body == nil {
			return More, false, s.corrupt()
		}
	case OpAux:
		_, size, err := rdb.String(b, nil)
		if err != nil {
			return More, false, s.corrupt()
		}
		e.Key, e.Body = s.text(b[:size]), s.text(b[size:])
		if state = Aux; e.Body == nil {
			return More, false, s.corrupt()
		}
	default:
		s.drop(b)
	}
	if state != More {
		e.Offset = s.base + int64(s.start)
	}
	s.become(inOp)
	return state, state != More, nil
}

// drop notes what is passed over.
func (s *Scanner) drop(b []byte) {
	const kinds = 32 // different ones that are told apart
	what := ""
	switch {
	case s.op == OpModuleAux:
		number, _, _ := rdb.Length(b)
		name, _ := rdb.ModuleName(number)
		what = "data of the module " + name
	case s.op == OpExtra && s.valkey:
		what = "slots on their way to the server that wrote it"
	case s.op == OpExtra:
		what = "what modules keep beside a key"
	default:
		return // sizes of slots: a hint
	}
	if s.dropped == nil {
		s.dropped = map[string]int{}
	}
	if len(s.dropped) < kinds || s.dropped[what] > 0 {
		s.dropped[what]++
	}
}

// readSum compares the sum behind the end mark; none is 0.
func (s *Scanner) readSum(b []byte) error {
	s.add(s.start + 1)
	want := binary.LittleEndian.Uint64(b)
	s.checked = want != 0
	if s.checked && want != s.sum && !s.AnySum {
		return s.wrong(s.start+1, ErrSum, "the checksum is %016x where the bytes before it give %016x: they have changed since they were written", want, s.sum)
	}
	s.start = s.at
	s.ended = true
	return nil
}

// text decodes a string that is there as a whole; nil: it is wrong.
func (s *Scanner) text(b []byte) []byte {
	f, head, err := rdb.StringForm(b)
	if err != nil {
		return nil
	}
	if !f.IsInt && !f.Compressed {
		return b[head:len(b):len(b)]
	}
	from := len(s.texts)
	out, err := f.AppendText(s.texts, b[head:])
	if err != nil {
		return nil
	}
	s.texts = out
	return out[from:len(out):len(out)]
}

// expiry makes a time of a file one that can be kept: what is no time after 1970 is long ago.
func expiry(ms int64) int64 {
	switch {
	case ms == -1:
		return 0
	case ms <= 0:
		return 1
	}
	return ms
}
