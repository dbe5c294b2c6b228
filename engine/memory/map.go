package memory

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Map is anonymous memory of the system.
type Map struct {
	ReserveBytes int // of addresses, which cost nothing by themselves; 0 = ReserveMax, or as much of it as the system gives
}

func (m Map) reserve() (unsafe.Pointer, int, error) {
	const reserveMin = 1 << 30
	bytes := m.ReserveBytes
	if bytes == 0 {
		bytes = ReserveMax
	}
	if bytes < 0 || bytes > ReserveMax || bytes%PageBytes != 0 {
		return nil, 0, fmt.Errorf("%d bytes: want whole pages, at most %d bytes", bytes, int64(ReserveMax))
	}
	for {
		base, err := unix.MmapPtr(-1, 0, nil, uintptr(bytes), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
		switch {
		case err == nil:
			return base, bytes, nil
		case m.ReserveBytes != 0 || bytes <= reserveMin:
			return nil, 0, fmt.Errorf("map %d bytes: %w", bytes, err)
		}
		bytes /= 2 // a limit on addresses (RLIMIT_AS): take what there is
	}
}

func view(base unsafe.Pointer, at, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(base, at)), n)
}

func (m Map) grow(base unsafe.Pointer, from, to int) error {
	if from == to {
		return nil
	}
	b := view(base, from, to-from)
	if err := unix.Mprotect(b, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		return fmt.Errorf("make usable: %w", err)
	}
	// A touched page is to take its own bytes, not 2 MiB: with huge pages lookups are a twentieth faster, but a key takes 2 bytes more and a first touch may
	// wait for milliseconds.
	if err := unix.Madvise(b, unix.MADV_NOHUGEPAGE); err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: a kernel without huge pages
		return fmt.Errorf("advise: %w", err)
	}
	return nil
}

func (m Map) discard(base unsafe.Pointer, at, n int) {
	if err := unix.Madvise(view(base, at, n), unix.MADV_DONTNEED); err != nil {
		panic("memory: give pages back: " + err.Error()) // only wrong arguments fail
	}
}

func (m Map) release(base unsafe.Pointer, bytes int) error {
	return unix.MunmapPtr(base, uintptr(bytes))
}
