package store

import "encoding/binary"

// An item is a slot that holds, little endian:
//
//	 0  next item of the bucket (ref)
//	 8  expiry, milliseconds since 1970; 0 = none
//	16  hash of the key, 32 bits
//	20  flags, 8 bits; time of the last access, seconds modulo 2^24
//	24  length of the key, 32 bits
//	28  length of the value, 32 bits
//	32  key, then the value: text, or 8 bytes of a number, or the number of a big value
const headerBytes = 32

const (
	flagEncoding = 3 << 0 // an Encoding
	flagBig      = 1 << 2 // the value is in DB.bigs
	flagArmed    = 1 << 3 // the wheel holds an entry that fires no later than the expiry

	accessShift  = 8
	accessPeriod = 1 << 24
)

func nextOf(b []byte) ref       { return ref(binary.LittleEndian.Uint64(b)) }
func setNext(b []byte, r ref)   { binary.LittleEndian.PutUint64(b, uint64(r)) }
func expiryOf(b []byte) int64   { return int64(binary.LittleEndian.Uint64(b[8:])) }
func hashOf(b []byte) uint32    { return binary.LittleEndian.Uint32(b[16:]) }
func flagsOf(b []byte) uint8    { return b[20] }
func keyLen(b []byte) int       { return int(binary.LittleEndian.Uint32(b[24:])) }
func valueLen(b []byte) int     { return int(binary.LittleEndian.Uint32(b[28:])) }
func setFlags(b []byte, f byte) { b[20] = f }

func setExpiryOf(b []byte, at int64) { binary.LittleEndian.PutUint64(b[8:], uint64(at)) }
func setHash(b []byte, h uint32)     { binary.LittleEndian.PutUint32(b[16:], h) }
func setKeyLen(b []byte, n int)      { binary.LittleEndian.PutUint32(b[24:], uint32(n)) }
func setValueLen(b []byte, n int)    { binary.LittleEndian.PutUint32(b[28:], uint32(n)) }

func keyOf(b []byte) []byte {
	end := headerBytes + keyLen(b)
	return b[headerBytes:end:end]
}

// rest is the slot's bytes behind the key, all of them.
func rest(b []byte) []byte { return b[headerBytes+keyLen(b):] }

func accessOf(b []byte) uint32 { return binary.LittleEndian.Uint32(b[20:]) >> accessShift }

func touch(b []byte, now int64) {
	seconds := uint32(now/1000) % accessPeriod
	if word := binary.LittleEndian.Uint32(b[20:]); word>>accessShift != seconds {
		binary.LittleEndian.PutUint32(b[20:], word&0xff|seconds<<accessShift)
	}
}

func expiredAt(b []byte, now int64) bool {
	at := expiryOf(b)
	return at != 0 && at <= now
}
