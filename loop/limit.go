package loop

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Running out of descriptors while accepting ends gnet's engine, so clients are capped below the limit, with room for connections that the kernel has
// completed and that are accepted only to be refused, and for lanes, files and the like.
const descriptorsSpare = 4096 + 512

// clientsMax is how many clients may be let in.
func clientsMax(want int) (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the limit on open files: %w", err)
	}
	files := int(min(limit.Cur, 1<<30))
	// With a small limit a quarter of it has to do.
	most := files - min(descriptorsSpare, files/4)
	if want == 0 {
		return most, nil
	}
	return min(want, most), nil
}

// limit has the same taken over while the loops run. Clients that are in stay. A limit that cannot be read changes nothing.
func (e *engine) limit(want int) {
	if most, err := clientsMax(want); err == nil {
		e.most.Store(int64(most))
	}
}
