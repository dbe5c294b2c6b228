package proxy

// buffers is a loop's free list of byte slices for replies that wait.
type buffers struct {
	free [][]byte
	held int // bytes of copies not given back
}

const (
	bufferKeepMax  = 64 << 10 // a larger one is left to the collector
	buffersFreeMax = 1024     // slices
)

func (b *buffers) get() []byte {
	if n := len(b.free); n > 0 {
		buf := b.free[n-1]
		b.free = b.free[:n-1]
		return buf
	}
	return make([]byte, 0, 128)
}

func (b *buffers) copy(p []byte) []byte {
	b.held += len(p)
	return append(b.get(), p...)
}

// put takes back what copy gave.
func (b *buffers) put(p []byte) {
	b.held -= len(p)
	b.recycle(p)
}

func (b *buffers) recycle(p []byte) {
	if cap(p) > 0 && cap(p) <= bufferKeepMax && len(b.free) < buffersFreeMax {
		b.free = append(b.free, p[:0])
	}
}
