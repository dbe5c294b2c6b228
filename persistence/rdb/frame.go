package rdb

import (
	"encoding/binary"
	"fmt"
	"strconv"

	form "larder/protocol/encoding/rdb"
)

// The opcodes that stand where a value's type byte could (Redis 7.2, 8.6 and Valkey 9 rdb.h).
const (
	OpExtra       = 243 // Redis 8.6: what modules keep beside the next key; Valkey 9: slots that are on their way in
	OpSlotInfo    = 244 // three lengths: a slot, and how many keys it has, and how many that expire
	OpFunctionOld = 246 // a function of a Redis 7.0 before its release
	OpModuleAux   = 247 // data of a module that belongs to no key
	OpExpiryS     = 253 // u32 LE: when the next key dies, seconds since 1970
	opLeast       = OpExtra

	OpFunction   = 245 // a library's code as a string
	OpFreq       = 249 // a byte: how often the next key was seen
	OpIdle       = 248 // a length: seconds since the next key was looked at
	OpAux        = 250 // two strings: something about the file
	OpResize     = 251 // two lengths: keys of the database, and those that expire
	OpExpiryMS   = 252 // i64 LE: when the next key dies, milliseconds since 1970
	OpSelectDB   = 254 // a length: the database of what follows
	OpEnd        = 255 // nothing follows but the checksum
	sumBytes     = 8
	magicRedis   = "REDIS%04d"
	magicValkey  = "VALKEY%03d"
	versionValky = 80 // Valkey 9's
)

// Frame writes a file: the frame by its own methods, the values by those of their types with its pen.
type Frame struct {
	form.Pen
	db    int // selected, and one more; 0: none is
	begun bool
}

// Begin appends what a file begins with: that of Redis 7.0, which every Redis from 7.0 on and every Valkey read, or with valkey that of Valkey 9.
func (w *Frame) Begin(valkey bool) {
	if valkey {
		w.BeginAs(versionValky, true)
		return
	}
	w.BeginAs(form.Version, false)
}

// BeginAs appends what a file of another's form begins with, whose entries are then copied.
func (w *Frame) BeginAs(version int, valkey bool) {
	w.begun = true
	magic := magicRedis
	if valkey {
		magic = magicValkey
	}
	w.Out = fmt.Appendf(w.Out, magic, version)
}

// Begun tells whether BeginAs was called.
func (w *Frame) Begun() bool { return w.begun }

// About appends what stands before a key that is not its value: when it ends, 0 = never, how long nobody looked at it and how often, each -1 = not told.
func (w *Frame) About(expiryMS, idleS int64, freq int) {
	if expiryMS != 0 {
		w.Expiry(expiryMS)
	}
	if idleS >= 0 {
		w.Idle(idleS)
	}
	if freq >= 0 {
		w.Freq(uint8(freq))
	}
}

// Copy appends what a Scanner has found of a key: a Key, a Begin or a Part, in the form of the file that it was found in.
func (w *Frame) Copy(e *Entry, found State) {
	if found == Part {
		w.Out = append(w.Out, e.Body...)
		return
	}
	w.Select(e.DB)
	w.About(e.ExpiryMS, e.IdleS, e.Freq)
	w.Out = form.AppendString(append(w.Out, e.Type.Byte()), e.Key, nil)
	if found == Begin {
		w.Out = form.AppendLength(w.Out, uint64(e.Length))
		return
	}
	w.Out = append(w.Out, e.Body...)
}

// Append appends what another frame has of keys.
func (w *Frame) Append(keys *Frame) {
	for _, text := range keys.Texts {
		text.At += len(w.Out)
		w.Texts = append(w.Texts, text)
	}
	w.Out = append(w.Out, keys.Out...)
	w.db = keys.db
}

// Clear forgets what was written, so that the frame is as a new one with the settings of the old.
func (w *Frame) Clear() { w.Out, w.Texts, w.db, w.begun = w.Out[:0], w.Texts[:0], 0, false }

// Aux says something about the file.
func (w *Frame) Aux(name, value string) {
	w.Out = form.AppendString(append(w.Out, OpAux), []byte(name), nil)
	w.Out = form.AppendString(w.Out, []byte(value), nil)
}

// AuxInt is Aux with a number.
func (w *Frame) AuxInt(name string, n int64) { w.Aux(name, strconv.FormatInt(n, 10)) }

// Function appends a library.
func (w *Frame) Function(code string) {
	w.Out = form.AppendString(append(w.Out, OpFunction), []byte(code), nil)
}

// Select goes to a database, and reports whether another one was selected until now.
func (w *Frame) Select(db int) bool {
	if w.db == db+1 {
		return false
	}
	w.db = db + 1
	w.Out = form.AppendLength(append(w.Out, OpSelectDB), uint64(db))
	return true
}

// Resize says how many keys are to come of the database, about, and how many of them expire.
func (w *Frame) Resize(keys, expiring int) {
	w.Out = form.AppendLength(append(w.Out, OpResize), uint64(keys))
	w.Out = form.AppendLength(w.Out, uint64(expiring))
}

// Expiry says when the next key dies.
func (w *Frame) Expiry(atMS int64) {
	w.Out = binary.LittleEndian.AppendUint64(append(w.Out, OpExpiryMS), uint64(atMS))
}

// Idle says for how many seconds nobody has looked at the next key.
func (w *Frame) Idle(seconds int64) {
	w.Out = form.AppendLength(append(w.Out, OpIdle), uint64(seconds))
}

// Freq says how often the next key was seen, as a counter of Redis.
func (w *Frame) Freq(n uint8) { w.Out = append(w.Out, OpFreq, n) }

// End says that nothing follows but the checksum.
func (w *Frame) End() { w.Out = append(w.Out, OpEnd) }

// AppendSum appends the checksum of all before it; 0 says that there is none.
func AppendSum(dst []byte, sum uint64) []byte { return binary.LittleEndian.AppendUint64(dst, sum) }
