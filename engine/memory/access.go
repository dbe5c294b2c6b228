package memory

import (
	"encoding/binary"
	"unsafe"
)

func (r *Range) ptr(at uint64, n int) unsafe.Pointer {
	if Checked {
		r.check(at, n)
	}
	return unsafe.Add(r.base, at)
}

// Byte reads one byte.
func (r *Range) Byte(at uint64) byte { return *(*byte)(r.ptr(at, 1)) }

// SetByte writes one byte.
func (r *Range) SetByte(at uint64, v byte) { *(*byte)(r.ptr(at, 1)) = v }

// U16 reads 16 bits.
func (r *Range) U16(at uint64) uint16 { return binary.LittleEndian.Uint16((*[2]byte)(r.ptr(at, 2))[:]) }

// SetU16 writes 16 bits.
func (r *Range) SetU16(at uint64, v uint16) {
	binary.LittleEndian.PutUint16((*[2]byte)(r.ptr(at, 2))[:], v)
}

// U32 reads 32 bits.
func (r *Range) U32(at uint64) uint32 { return binary.LittleEndian.Uint32((*[4]byte)(r.ptr(at, 4))[:]) }

// SetU32 writes 32 bits.
func (r *Range) SetU32(at uint64, v uint32) {
	binary.LittleEndian.PutUint32((*[4]byte)(r.ptr(at, 4))[:], v)
}

// U64 reads 64 bits.
func (r *Range) U64(at uint64) uint64 { return binary.LittleEndian.Uint64((*[8]byte)(r.ptr(at, 8))[:]) }

// SetU64 writes 64 bits.
func (r *Range) SetU64(at, v uint64) { binary.LittleEndian.PutUint64((*[8]byte)(r.ptr(at, 8))[:], v) }

// U40 reads 40 bits. The three bytes behind them must be usable too.
func (r *Range) U40(at uint64) uint64 { return r.U64(at) & (1<<40 - 1) }

// SetU40 writes 40 bits.
func (r *Range) SetU40(at, v uint64) {
	b := (*[5]byte)(r.ptr(at, 5))
	binary.LittleEndian.PutUint32(b[:], uint32(v))
	b[4] = byte(v >> 32)
}

// Bytes gives a view of n bytes. It has no room to append.
func (r *Range) Bytes(at uint64, n int) []byte {
	return unsafe.Slice((*byte)(r.ptr(at, n)), n)
}

// Copy moves n bytes within the range; the two places may overlap.
func (r *Range) Copy(to, from uint64, n int) { copy(r.Bytes(to, n), r.Bytes(from, n)) }

// Zero clears n bytes.
func (r *Range) Zero(at uint64, n int) { clear(r.Bytes(at, n)) }
