package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// keysMax is how many keys the seven digits of a key's end can tell apart.
const keysMax = 10_000_000

// Workload is one kind of command over random keys.
type Workload struct {
	Op    string // GET, SET, MGET, MSET
	Keys  int    // keys a command: 1, or more for MGET and MSET
	Value int    // bytes of a value, at least 7
	Depth int    // commands a connection sends before it waits for all their replies
	Space int    // keys to choose from; 0: as many as the run has
	Noise bool   // no compression shortens a value
	Fresh string // the kind of values, of which no two are alike (values.go); SET of one key only. Empty: all are alike but for their digits
	Seed  uint64 // of those values, not 0
	TTL   bool   // SET with the moment the key expires at
}

func (w Workload) String() string {
	name := fmt.Sprintf("%s/%s/d%d", w.Op, sizeName(w.Value), w.Depth)
	if w.Space > 0 {
		name += "/" + countName(w.Space)
	}
	return name
}

func sizeName(bytes int) string {
	if bytes >= 1024 && bytes%1024 == 0 {
		return strconv.Itoa(bytes/1024) + "KiB"
	}
	return strconv.Itoa(bytes) + "B"
}

// countName is a number of keys as people say it.
func countName(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return strconv.Itoa(n/1_000_000) + "M"
	case n >= 1000 && n%1000 == 0:
		return strconv.Itoa(n/1000) + "k"
	}
	return strconv.Itoa(n)
}

func (w Workload) reads() bool { return w.Op == "GET" || w.Op == "MGET" }

// shape is a workload as bytes: one command and its only right reply, and where in them the digits stand that differ
// from key to key. A value begins with its key's digits, so a reply that belongs to another key is seen.
type shape struct {
	command []byte
	spots   [][]int // for each key of the command: where its digits stand in command
	reply   []byte
	tags    []int // for each key of a read: where its digits stand in reply
	when    int   // where the moment of expiry stands in command; 0: it has none
	fresh   []int // of a SET with values of its own: where what is made anew begins and ends in command
}

const (
	keyPrefix  = "key:00000" // redis-benchmark's form of a random key, so both generators use the same keys
	digits     = 7
	digitsNone = "0000000"
	whenNone   = "0000000000000" // Unix time in ms
)

func (w Workload) shape() shape {
	value := append([]byte(digitsNone), w.filler(max(w.Value-digits, 0))...)
	args := [][]byte{[]byte(w.Op)}
	for range w.Keys {
		args = append(args, []byte(keyPrefix+digitsNone))
		if !w.reads() {
			args = append(args, value)
		}
	}
	if w.TTL {
		args = append(args, []byte("PXAT"), []byte(whenNone))
	}
	s := shape{spots: make([][]int, w.Keys)}
	s.command = append(strconv.AppendInt([]byte("*"), int64(len(args)), 10), "\r\n"...)
	for i, a := range args {
		s.command = appendBulk(s.command, a)
		if w.TTL && i >= len(args)-2 {
			s.when = len(s.command) - 2 - len(whenNone) // the last argument stays
			continue
		}
		if i == 0 {
			continue
		}
		key, at := i-1, len(s.command)-2-digits // the key ends in its digits
		if !w.reads() {
			key = (i - 1) / 2
			if i%2 == 0 { // the value begins with them
				at = len(s.command) - 2 - len(a)
			}
		}
		s.spots[key] = append(s.spots[key], at)
	}
	if !w.reads() {
		s.reply = []byte("+OK\r\n")
		if w.Fresh != "" {
			at := s.spots[0][1]
			s.fresh = []int{at + digits, at + len(value)}
		}
		return s
	}
	if w.Op == "MGET" {
		s.reply = append(strconv.AppendInt([]byte("*"), int64(w.Keys), 10), "\r\n"...)
	}
	for range w.Keys {
		s.reply = appendBulk(s.reply, value)
		s.tags = append(s.tags, len(s.reply)-2-len(value))
	}
	return s
}

// filler is what stands in a value behind its digits.
func (w Workload) filler(n int) []byte {
	text := bytes.Repeat([]byte("v"), n)
	if w.Noise {
		d := dice(1)
		for i := range text {
			text[i] = byte(d.below(1 << 8))
		}
	}
	return text
}

func appendBulk(dst, b []byte) []byte {
	dst = append(dst, '$')
	dst = strconv.AppendInt(dst, int64(len(b)), 10)
	dst = append(dst, "\r\n"...)
	dst = append(dst, b...)
	return append(dst, "\r\n"...)
}

// putDigits writes n, below keysMax, as seven digits.
func putDigits(dst []byte, n uint32) {
	_ = dst[digits-1]
	for i := digits - 1; i >= 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
}

// putWhen writes Unix milliseconds, of this century or the next two.
func putWhen(dst []byte, ms int64) {
	for i := len(whenNone) - 1; i >= 0; i-- {
		dst[i] = byte('0' + ms%10)
		ms /= 10
	}
}

func hasDigits(b []byte, n uint32) bool {
	for i := digits - 1; i >= 0; i-- {
		if b[i] != byte('0'+n%10) {
			return false
		}
		n /= 10
	}
	return true
}

// right says whether b, as long as the right reply, is the right reply for these keys.
func (s *shape) right(b []byte, keys []uint32) bool {
	at := 0
	for i, tag := range s.tags {
		if !bytes.Equal(b[at:tag], s.reply[at:tag]) || !hasDigits(b[tag:], keys[i]) {
			return false
		}
		at = tag + digits
	}
	return bytes.Equal(b[at:], s.reply[at:])
}

// replyLen is the length of the RESP2 reply that b begins with: 0 while it is incomplete, -1 if it is none. It is
// only asked about replies that are short or not what they should be.
func replyLen(b []byte) int {
	end := bytes.Index(b, []byte("\r\n"))
	if len(b) == 0 || end < 0 {
		return 0
	}
	if bytes.IndexByte([]byte("+-:$*"), b[0]) < 0 {
		return -1
	}
	head := end + 2
	if b[0] == '+' || b[0] == '-' || b[0] == ':' {
		return head
	}
	n, err := strconv.Atoi(string(b[1:end]))
	switch {
	case err != nil || n < -1:
		return -1
	case n == -1:
		return head
	case b[0] == '$':
		return bulkLen(b, head, n)
	}
	for range n {
		l := replyLen(b[head:])
		if l <= 0 {
			return l
		}
		head += l
	}
	return head
}

func bulkLen(b []byte, head, n int) int {
	if len(b) < head+n+2 {
		return 0
	}
	if b[head+n] != '\r' || b[head+n+1] != '\n' {
		return -1
	}
	return head + n + 2
}

// dice is xorshift64*: keys need no better chance, and a run is the same each time.
type dice uint64

func (d *dice) below(n uint32) uint32 {
	x := uint64(*d)
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	*d = dice(x)
	return uint32(((x * 0x2545F4914F6CDD1D) >> 32) * uint64(n) >> 32)
}
