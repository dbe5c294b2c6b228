package algebra

// MaxRegisters makes each register of dst the greater of its own and that of src, a register a byte: the union of two HyperLogLogs. Both are of the same
// length.
func MaxRegisters(dst, src []byte) {
	src = src[:len(dst)]
	for i, r := range src {
		if r > dst[i] {
			dst[i] = r
		}
	}
}
