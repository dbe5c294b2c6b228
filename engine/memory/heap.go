package memory

import (
	"fmt"
	"unsafe"
)

// Heap is a slice of the Go heap, for tests: what is touched outside it faults or is seen by the race detector.
type Heap struct {
	ReserveBytes int // whole pages; 0 = 16 MiB
}

func (h Heap) reserve() (unsafe.Pointer, int, error) {
	const reserveDefault = 16 << 20
	bytes := h.ReserveBytes
	if bytes == 0 {
		bytes = reserveDefault
	}
	if bytes < 0 || bytes%PageBytes != 0 {
		return nil, 0, fmt.Errorf("%d bytes: want whole pages", bytes)
	}
	b := make([]byte, bytes)
	return unsafe.Pointer(unsafe.SliceData(b)), bytes, nil
}

func (h Heap) grow(unsafe.Pointer, int, int) error    { return nil }
func (h Heap) discard(base unsafe.Pointer, at, n int) { clear(view(base, at, n)) }
func (h Heap) release(unsafe.Pointer, int) error      { return nil }
