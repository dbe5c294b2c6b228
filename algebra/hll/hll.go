// Package hll reads and changes Redis's HyperLogLogs: strings of 16,384 registers of 6 bits from which the number of different elements is estimated.
//
// A block is 16 bytes of header and the registers:
//
//	0  "HYLL"
//	4  form: 0 dense, 1 sparse; 3 bytes unused
//	8  the last estimate, 8 bytes little endian; the highest bit: it is out of date
//	16 dense: the registers, 6 bits each, from the lowest bit of each byte on; sparse: runs, see sparse.go
//
// What must hold: no bytes, whoever made them, make a function here panic once Is holds for them; an element changes the same register by the same number
// as in Redis, and the same registers give the same estimate to the last bit. The package is pure.
package hll

import (
	"encoding/binary"
	"math"
)

// Registers is how many there are.
const Registers = 1 << indexBits

const (
	indexBits    = 14
	valueBits    = 64 - indexBits // of a hash, in which zeros are counted
	registerBits = 6
	registerMax  = 1<<registerBits - 1

	headerLen = 16
	formAt    = 4
	cacheAt   = 8
	staleAt   = 15
	stale     = 0x80

	// DenseLen is the length of a dense block in bytes.
	DenseLen = headerLen + (Registers*registerBits+7)/8

	dense  = 0
	sparse = 1
)

// Limits say up to where a block stays sparse.
type Limits struct {
	SparseMax int // hll-sparse-max-bytes: bytes of the block
}

// DefaultLimits are Redis 7.2's.
func DefaultLimits() Limits { return Limits{SparseMax: 3000} }

// New appends an empty sparse block.
func New(dst []byte) []byte {
	dst = append(dst, "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	return appendZeros(dst, Registers)
}

// Is tells whether bytes may be a block: its header is right, and a dense one has its length (Redis 7.0 hyperloglog.c, isHLLObjectOrReply).
func Is(b []byte) bool {
	return len(b) >= headerLen && string(b[:4]) == "HYLL" && b[formAt] <= sparse && (b[formAt] != dense || len(b) == DenseLen)
}

// Dense tells the form.
func Dense(b []byte) bool { return b[formAt] == dense }

// Cached gives the last estimate; not ok: it is out of date.
func Cached(b []byte) (n uint64, ok bool) {
	return binary.LittleEndian.Uint64(b[cacheAt:]), b[staleAt]&stale == 0
}

// SetCached writes the estimate down.
func SetCached(b []byte, n uint64) { binary.LittleEndian.PutUint64(b[cacheAt:], n) }

// Forget says that the estimate is out of date.
func Forget(b []byte) { b[staleAt] |= stale }

// Unpack gives the registers, a byte each. Not ok: the block is corrupt.
func Unpack(b []byte, registers *[Registers]byte) bool {
	if b[formAt] == dense {
		body := b[headerLen:]
		for i := range registers {
			registers[i] = denseAt(body, i)
		}
		return true
	}
	*registers = [Registers]byte{}
	at := 0
	for body := b[headerLen:]; len(body) > 0; {
		r := runOf(body)
		if r.size > len(body) || at+r.count > Registers {
			return false
		}
		if r.value > 0 {
			for i := range r.count {
				registers[at+i] = r.value
			}
		}
		at += r.count
		body = body[r.size:]
	}
	return at == Registers
}

// Register gives a register of a dense block.
func Register(b []byte, i int) byte { return denseAt(b[headerLen:], i) }

// SetRegister sets a register of a dense block, in place; the estimate stays.
func SetRegister(b []byte, i int, r byte) { setDense(b[headerLen:], i, r) }

// AppendDense appends a sparse block's dense form; the estimate and the unused bytes stay. Not ok: the block is corrupt.
func AppendDense(dst, b []byte) (out []byte, ok bool) {
	var registers [Registers]byte
	if !Unpack(b, &registers) {
		return dst, false
	}
	at := len(dst)
	dst = append(dst, b[:headerLen]...)
	dst = append(dst, emptyRegisters[:]...)
	dst[at+formAt] = dense
	for i, r := range registers {
		if r > 0 {
			setDense(dst[at+headerLen:], i, r)
		}
	}
	return dst, true
}

// emptyRegisters are those of a dense block without elements.
var emptyRegisters [DenseLen - headerLen]byte

// Merge raises each register to the block's. Not ok: the block is corrupt.
func Merge(b []byte, registers *[Registers]byte) bool {
	var own [Registers]byte
	if !Unpack(b, &own) {
		return false
	}
	for i, r := range own {
		registers[i] = max(registers[i], r)
	}
	return true
}

func denseAt(body []byte, i int) byte {
	at, shift := i*registerBits/8, i*registerBits%8
	v := uint(body[at])
	if at+1 < len(body) {
		v |= uint(body[at+1]) << 8
	}
	return byte(v>>shift) & registerMax
}

func setDense(body []byte, i int, r byte) {
	at, shift := i*registerBits/8, i*registerBits%8
	mask := uint(registerMax) << shift
	v := uint(r) << shift
	body[at] = body[at]&^byte(mask) | byte(v)
	if at+1 < len(body) {
		body[at+1] = body[at+1]&^byte(mask>>8) | byte(v>>8)
	}
}

// Place gives the register of an element, and what it counts for there: one more than the zeros at the end of its hash.
func Place(element []byte) (register int, count byte) {
	hash := murmur(element)
	register = int(hash & (Registers - 1))
	hash = hash>>indexBits | 1<<valueBits
	count = 1
	for hash&1 == 0 {
		count, hash = count+1, hash>>1
	}
	return register, count
}

// Estimate is Otmar Ertl's estimator, as Redis works it out (hllCount): operation by operation, since its rounding is seen.
func Estimate(registers *[Registers]byte) uint64 {
	var histogram [256]int // of any byte, so that no index is checked
	for _, r := range registers {
		histogram[r]++
	}
	const m = float64(Registers)
	z := m * tau((m-float64(histogram[valueBits+1]))/m)
	for j := valueBits; j >= 1; j-- {
		z += float64(histogram[j])
		z *= 0.5
	}
	z += float64(m * sigma(float64(histogram[0])/m))
	const alpha = 0.721347520444481703680
	e := math.Round(alpha * m * m / z)
	if e >= 1<<63 { // registers that no elements make; what a processor makes of such a number
		return 1 << 63
	}
	return uint64(e)
}

func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for before := math.NaN(); before != z; {
		x *= x
		before = z
		z += float64(x * y)
		y += y
	}
	return z
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for before := math.NaN(); before != z; {
		x = math.Sqrt(x)
		before = z
		y *= 0.5
		z -= float64(float64((1-x)*(1-x)) * y)
	}
	return z / 3
}

// murmur is MurmurHash64A with Redis's seed.
func murmur(b []byte) uint64 {
	const m, r, seed = 0xc6a4a7935bd1e995, 47, 0xadc83b19
	h := uint64(seed) ^ uint64(len(b))*m
	for ; len(b) >= 8; b = b[8:] {
		k := binary.LittleEndian.Uint64(b) * m
		k ^= k >> r
		h = (h ^ k*m) * m
	}
	if len(b) > 0 {
		var tail [8]byte
		copy(tail[:], b)
		h = (h ^ binary.LittleEndian.Uint64(tail[:])) * m
	}
	h ^= h >> r
	h *= m
	return h ^ h>>r
}
