package script

import "math/bits"

func (vm *VM) openBit() *Table {
	names := []string{"tobit", "bnot", "band", "bor", "bxor", "lshift", "rshift", "arshift", "rol", "ror", "bswap", "tohex"}
	return vm.open(vm.newTable(0, len(names)), names, library{
		"tobit":   func(th *thread, args []Value) []Value { return th.retBits(th.needBits(args, 0)) },
		"bnot":    func(th *thread, args []Value) []Value { return th.retBits(^th.needBits(args, 0)) },
		"bswap":   func(th *thread, args []Value) []Value { return th.retBits(bits.ReverseBytes32(th.needBits(args, 0))) },
		"band":    bitFold(func(a, b uint32) uint32 { return a & b }),
		"bor":     bitFold(func(a, b uint32) uint32 { return a | b }),
		"bxor":    bitFold(func(a, b uint32) uint32 { return a ^ b }),
		"lshift":  bitShift(func(a uint32, n int) uint32 { return a << n }),
		"rshift":  bitShift(func(a uint32, n int) uint32 { return a >> n }),
		"arshift": bitShift(func(a uint32, n int) uint32 { return uint32(int32(a) >> n) }),
		"rol":     bitShift(bits.RotateLeft32),
		"ror":     bitShift(func(a uint32, n int) uint32 { return bits.RotateLeft32(a, -n) }),
		"tohex":   bitHex,
	})
}

// needBits rounds a number to 32 bits, as adding 2^52 + 2^51 does.
func (th *thread) needBits(args []Value, i int) uint32 {
	n := th.needNumber(args, i)
	return uint32(bits64(n + 6755399441055744))
}

func (th *thread) retBits(b uint32) []Value { return th.ret1(num(float64(int32(b)))) }

func bitFold(f func(a, b uint32) uint32) func(*thread, []Value) []Value {
	return func(th *thread, args []Value) []Value {
		b := th.needBits(args, 0)
		for i := 1; i < len(args); i++ {
			b = f(b, th.needBits(args, i))
		}
		return th.retBits(b)
	}
}

func bitShift(f func(a uint32, n int) uint32) func(*thread, []Value) []Value {
	return func(th *thread, args []Value) []Value {
		b := th.needBits(args, 0)
		return th.retBits(f(b, int(th.needBits(args, 1)&31)))
	}
}

func bitHex(th *thread, args []Value) []Value {
	b := th.needBits(args, 0)
	n := 8
	if len(args) > 1 {
		n = int(int32(th.needBits(args, 1)))
	}
	digits := "0123456789abcdef"
	if n < 0 {
		n, digits = -max(n, -8), "0123456789ABCDEF"
	}
	n = min(n, 8)
	out := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		out[i] = digits[b&15]
		b >>= 4
	}
	return th.retText(string(out))
}
