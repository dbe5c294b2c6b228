package conform

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"larder/protocol/command"
)

// valuesOf draws values of arguments.
type valuesOf struct {
	rng *rand.Rand
	now time.Time
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

func atoi(b []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil
}

func number64(n int64) []byte { return strconv.AppendInt(nil, n, 10) }

// families are the beginnings of the keys that a group's commands are mostly given, so that they meet values of their type.
var families = map[string]string{
	"hash": "h", "list": "l", "set": "s", "sorted-set": "z", "geo": "z", "stream": "x", "string": "k", "bitmap": "k", "hyperloglog": "p",
}

// key is one of a few names with the tag, so that commands meet the same keys; odd ones among them. group is the command's.
func (v valuesOf) key(tag, group string) []byte {
	family := families[group]
	if family == "" || v.rng.IntN(12) == 0 {
		family = pick(v.rng, []string{"k", "k", "k", "h", "l", "s", "z", "x", "p"})
	}
	if family != "k" {
		return []byte(tag + family + strconv.Itoa(v.rng.IntN(3)))
	}
	if v.rng.IntN(20) == 0 {
		return []byte(tag + pick(v.rng, []string{"", "\x00", "a\r\nb", "\xff\xfe", "{}x", "}{", "{", strings.Repeat("long", 100), " ", "*", "k[1]"}))
	}
	return []byte(tag + "k" + strconv.Itoa(v.rng.IntN(6)))
}

// of draws the value of an argument that is no key, token or group.
func (v valuesOf) of(row string, a *command.Arg) []byte {
	if v.rng.IntN(25) == 0 {
		return v.odd()
	}
	switch a.Type {
	case "integer":
		return v.integer(row, a.Name)
	case "unix-time":
		return v.unixTime(a.Name)
	case "double":
		switch a.Name {
		case "longitude":
			return v.degrees(180)
		case "latitude":
			return v.degrees(85)
		case "radius", "width", "height":
			return v.length()
		}
		return v.double()
	case "pattern":
		return []byte(pick(v.rng, []string{"*", "k*", "?*", "{a}*", "*[1-3]", "*[^1-3]", "k\\*", "", "*k*0", "[k-", "k[", "**", "{b}k?", "\\", "nope*"}))
	}
	return v.text(a.Name)
}

func (v valuesOf) text(name string) []byte {
	switch name {
	case "field":
		return []byte(pick(v.rng, []string{"f", "g", "h", "1", "-7", "", "100", "\xff\x00", "f1", "f2", "f3"}))
	case "operation":
		return []byte(pick(v.rng, []string{"AND", "or", "Xor", "NOT", "nand"}))
	case "encoding":
		return []byte(pick(v.rng, []string{"u1", "i1", "u8", "i8", "u63", "i64", "u7", "i13", "I5", "u64", "i65", "u0", "i0", "x8", "u", "u-1", "u08"}))
	case "id", "last-id", "max_deleted_entry_id", "threshold":
		return []byte(pick(v.rng, []string{"0", "0", "1-1", "1-2", "2-*", "3", "5-5", "10-0", "100-1", "1000", "0-0", ">", ">", ">", "$", "$", "-", "+", "*", "1-x", "18446744073709551615-18446744073709551615"}))
	case "start", "end":
		return []byte(pick(v.rng, []string{"-", "-", "+", "+", "0", "1", "(1-1", "5-5", "(100", "(+", "x", "("}))
	case "group", "groupname":
		return []byte(pick(v.rng, []string{"g", "g", "g", "g", "g", "h", ""}))
	case "consumer", "consumername":
		return []byte(pick(v.rng, []string{"c", "c", "d", ""}))
	case "min-idle-time":
		return []byte(pick(v.rng, []string{"0", "0", "100000", "-1", "x"}))
	case "min", "max": // of lexicographic ranges
		return []byte(pick(v.rng, []string{"-", "+", "[a", "(a", "[k", "(x", "-", "+", "[", "x", "1"}))
	case "section":
		return []byte(pick(v.rng, []string{"server", "keyspace", "all", "nope", "CLIENTS"}))
	case "type":
		return []byte(pick(v.rng, []string{"string", "STRING", "list", "hash", "nope"}))
	case "username":
		return []byte(pick(v.rng, []string{"default", "nobody"}))
	case "libname", "libver", "clientname", "connection-name":
		return []byte(pick(v.rng, []string{"go", "a-b_c.1", "with blank", "", "é", "line\n", "x\x7f"}))
	case "command-name":
		return []byte(pick(v.rng, []string{"get", "SET", "client|list", "nope", "bitop"}))
	case "serialized-value":
		return v.payload()
	}
	return v.value()
}

// value is what a string key holds: numbers often, so that INCR meets them.
func (v valuesOf) value() []byte {
	switch v.rng.IntN(10) {
	case 0, 1, 2:
		return v.anyInteger()
	case 3:
		return v.double()
	case 4:
		b := make([]byte, v.rng.IntN(64))
		for i := range b {
			b[i] = byte(v.rng.Uint32())
		}
		return b
	case 5: // around where Redis's encoding changes: 44 bytes
		return bytes.Repeat([]byte{'x'}, 40+v.rng.IntN(8))
	case 6:
		return bytes.Repeat([]byte("abc\xff\x00"), v.rng.IntN(600))
	default:
		return []byte(pick(v.rng, []string{"", "a", "hello", "foo", "foobar", "OHMYTEXT", "MYNEWTEXT", "0", "1", "-1", "9999", "10000", "\x00", "\xff\xf0\x00"}))
	}
}

// anyInteger is a number near where something may go wrong.
func (v valuesOf) anyInteger() []byte {
	return []byte(pick(v.rng, []string{
		"0", "1", "-1", "2", "3", "5", "7", "8", "10", "16", "100", "-5", "-100", "255", "256", "9999", "10000", "65535", "2147483647", "-2147483648",
		"4294967295", "4294967296", "9223372036854775807", "-9223372036854775808", "9223372036854775806", "-9223372036854775807",
	}))
}

func (v valuesOf) integer(row, name string) []byte {
	switch name {
	case "offset":
		return v.offset(row)
	case "bit":
		return []byte(pick(v.rng, []string{"0", "1", "1", "0", "2", "-1"}))
	case "db", "index", "destination-db":
		return []byte(pick(v.rng, []string{"0", "0", "0", "1", "1", "2", "15", "16", "-1", "9999999999"}))
	case "seconds", "milliseconds":
		return v.duration(name)
	case "start", "end":
		return []byte(pick(v.rng, []string{"0", "1", "2", "5", "-1", "-2", "-5", "10", "39", "40", "44", "100", "-100", "1000", "9223372036854775807", "-9223372036854775808"}))
	case "protover":
		return []byte(pick(v.rng, []string{"2", "3", "3", "2", "1", "4", "0", "-1", "03"}))
	case "cursor":
		return []byte(pick(v.rng, []string{"0", "0", "0", "00", "x", "-1", "18446744073709551616", "", " 1", "+0"}))
	case "numkeys":
		return []byte(pick(v.rng, []string{"1", "1", "1", "2", "2", "3", "4", "0", "-1"}))
	case "count":
		return []byte(pick(v.rng, []string{"1", "10", "1000", "0", "-1", "9223372036854775807"}))
	case "value":
		if row == "setbit" {
			return []byte(pick(v.rng, []string{"0", "1", "1", "1", "2", "-1"}))
		}
	}
	return v.anyInteger()
}

// offset stays small or is refused: what lies between would only take memory.
func (v valuesOf) offset(row string) []byte {
	s := pick(v.rng, []string{"0", "1", "3", "7", "8", "9", "15", "31", "63", "64", "100", "300", "1000", "2000", "-1", "34359738368", "4294967296", "9223372036854775807", "-9223372036854775808"})
	if row == "setrange" {
		s = pick(v.rng, []string{"0", "1", "3", "10", "44", "45", "1000", "-1", "536870912", "9223372036854775807", "-9223372036854775808"})
	}
	if strings.HasPrefix(row, "bitfield") && v.rng.IntN(3) == 0 {
		return []byte("#" + pick(v.rng, []string{"0", "1", "2", "10", "-1", "9223372036854775807", "x", ""}))
	}
	return []byte(s)
}

// duration is refused, or so far ahead that the time between the two sides doesn't matter. No two are alike, nor like an absolute time: GT and LT
// would tell which side was slower.
func (v valuesOf) duration(name string) []byte {
	scale := int64(1)
	if name == "milliseconds" {
		scale = 1000
	}
	if v.rng.IntN(3) == 0 {
		return []byte(pick(v.rng, []string{"0", "-1", "-1000000", "9223372036854775807", "-9223372036854775808", "9223372036854775", "9223370000000000", "9223372036854770000"}))
	}
	return number64(scale * (10000 + 7*v.rng.Int64N(1e7)))
}

func (v valuesOf) unixTime(name string) []byte {
	unit := v.now.Unix()
	scale := int64(1)
	if strings.Contains(name, "milli") {
		unit, scale = v.now.UnixMilli(), 1000
	}
	switch v.rng.IntN(6) {
	case 0:
		return number64(pick(v.rng, []int64{0, 1, -1, -1 << 63, 1<<63 - 1, 9223372036854775, 9223372036854776, 1 << 40}))
	case 1:
		return number64(unit - scale*pick(v.rng, []int64{10, 1000, 1 << 30}))
	}
	return number64(unit + scale*pick(v.rng, []int64{1000, 2000, 2001, 5000, 1 << 31}))
}

func (v valuesOf) double() []byte {
	return []byte(pick(v.rng, []string{
		"0", "1", "-1", "0.1", "1.5", "-2.25", "3.0", "1e3", "5.0e3", "1e-5", "-1e-10", "3.14159265358979", "1e17", "1e18", "123456789.123456789", "1e300", "1e308", "-1e308",
		"inf", "-inf", "+Inf", "infinity", "nan", "0x10", "0x1p3", " 1", "1 ", "", ".5", "5.", "1e", "--1", "+1", "1.0e400", "1,5", "9223372036854775807", "10000000000000000000000",
	}))
}

// odd is what no argument expects.
func (v valuesOf) odd() []byte {
	switch v.rng.IntN(12) {
	case 0:
		return v.anyInteger()
	case 1:
		b := make([]byte, 1+v.rng.IntN(8))
		for i := range b {
			b[i] = byte(v.rng.Uint32())
		}
		return b
	case 2:
		return bytes.Repeat([]byte{byte('A' + v.rng.IntN(26))}, 100+v.rng.IntN(60))
	case 3:
		return v.word()
	}
	return []byte(pick(v.rng, []string{
		"", " ", "\x00", "\r\n", "a\x00b", "\r", "\n", "'", "\"", "+1", "01", "-0", "1.0", " 1", "1 ", "0x1", "abc", "-", "+", "9223372036854775808", "-9223372036854775809",
		"18446744073709551615", "18446744073709551616", "99999999999999999999999", "1e3", "é", "\xff\xff", "#", "*", "$", "2147483648", "-2147483649",
	}))
}

// word is an option of some command.
func (v valuesOf) word() []byte {
	return []byte(pick(v.rng, []string{
		"NX", "XX", "GT", "LT", "GET", "EX", "PX", "EXAT", "PXAT", "KEEPTTL", "PERSIST", "ASYNC", "SYNC", "MATCH", "COUNT", "TYPE", "DB", "REPLACE", "BYTE", "BIT",
		"OVERFLOW", "WRAP", "SAT", "FAIL", "SET", "INCRBY", "LEN", "IDX", "MINMATCHLEN", "WITHMATCHLEN", "AUTH", "SETNAME", "ON", "OFF", "ID", "get", "nx",
	}))
}
