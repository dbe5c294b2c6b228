// Package lzf is the compression of strings in RDB files and DUMP payloads: LZF, fast and weak (the format of Redis 7.0 lzf_c.c and lzf_d.c). All is
// pure; a Compressor belongs to one goroutine.
//
// Compressed bytes are a sequence of runs and copies:
//
//	000nnnnn  and n+1 bytes        those bytes, 1 to 32
//	nnnooooo oooooooo              n+2 bytes from o+1 bytes back, n 1 to 6: 3 to 8 bytes
//	111ooooo nnnnnnnn oooooooo     n+9 bytes from o+1 bytes back: 9 to 264 bytes
//
// A copy may reach into the bytes that it makes itself, and so repeat them.
package lzf

import (
	"errors"
	"slices"
)

// ErrCorrupt is what bytes give that are not the compressed form of a text of the length that was said.
var ErrCorrupt = errors.New("corrupt LZF data")

const (
	literalMax  = 32
	copyMin     = 3
	copyMax     = 264
	distanceMax = 1 << 13
	long        = 7 // in place of a copy's length: one more byte has the rest
)

// expansionMax is how many bytes one compressed byte makes at most: a copy of 264 bytes takes 3.
const expansionMax = copyMax / copyMin

// Decompress appends the text whose compressed form is src and that is size bytes long. A size that src cannot have is refused before any memory is
// taken for it.
func Decompress(dst, src []byte, size int) ([]byte, error) {
	if size < 0 || size/expansionMax > len(src) {
		return dst, ErrCorrupt
	}
	start := len(dst)
	out := slices.Grow(dst, size)
	for at := 0; at < len(src); {
		first := int(src[at])
		at++
		if first < literalMax {
			n := first + 1
			if n > len(src)-at || n > start+size-len(out) {
				return dst, ErrCorrupt
			}
			out = append(out, src[at:at+n]...)
			at += n
			continue
		}
		n := first >> 5
		if n == long && at < len(src) {
			n += int(src[at])
			at++
		}
		if at == len(src) {
			return dst, ErrCorrupt
		}
		distance := first&0x1f<<8 + int(src[at]) + 1
		at++
		n += copyMin - 1
		if distance > len(out)-start || n > start+size-len(out) {
			return dst, ErrCorrupt
		}
		out = repeat(out, distance, n)
	}
	if len(out) != start+size {
		return dst, ErrCorrupt
	}
	return out, nil
}

// repeat appends n bytes, each the one that lies the distance before it.
func repeat(out []byte, distance, n int) []byte {
	from := len(out) - distance
	for n > distance {
		out = append(out, out[from:from+distance]...)
		n -= distance
	}
	return append(out, out[from:from+n]...)
}
