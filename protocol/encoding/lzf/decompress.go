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
	dst = slices.Grow(dst, size)
	if !expand(dst[start:start+size], src) {
		return dst, ErrCorrupt
	}
	return dst[:start+size], nil
}

// expand writes the text to out, which it must fill.
func expand(out, src []byte) bool {
	end := 0 // of what is written
	for at := 0; at < len(src); {
		first := int(src[at])
		at++
		if first < literalMax {
			n := first + 1
			if n > len(src)-at || n > len(out)-end {
				return false
			}
			if n <= shortCopy && len(src)-at >= shortCopy && len(out)-end >= shortCopy {
				*(*[shortCopy]byte)(out[end:]) = *(*[shortCopy]byte)(src[at:]) // what is behind them is written over
			} else {
				copy(out[end:], src[at:at+n])
			}
			at += n
			end += n
			continue
		}
		n := first >> 5
		if n == long && at < len(src) {
			n += int(src[at])
			at++
		}
		if at == len(src) {
			return false
		}
		from := end - (first&0x1f<<8 + int(src[at]) + 1)
		at++
		n += copyMin - 1
		if from < 0 || n > len(out)-end {
			return false
		}
		repeat(out, from, end, n)
		end += n
	}
	return end == len(out)
}

// repeat writes n bytes to end, which are those that begin at from, as far as they are written meanwhile too.
func repeat(out []byte, from, end, n int) {
	if n <= shortCopy {
		if end-from >= shortCopy && len(out)-end >= shortCopy {
			*(*[shortCopy]byte)(out[end:]) = *(*[shortCopy]byte)(out[from:])
			return
		}
		for i := range n {
			out[end+i] = out[from+i]
		}
		return
	}
	for to := end + n; end < to; {
		end += copy(out[end:to], out[from:end])
	}
}

// shortCopy is up to how many bytes are copied as so many, or one by one where that cannot be: both are faster than to copy just those.
const shortCopy = 16
