package script

import "math"

// dice is the generator of drand48, which Redis gives to scripts: the same seed gives the same numbers on each node.
type dice struct{ x uint64 }

func (d *dice) seed(n int32) { d.x = uint64(uint32(n))<<16 | 0x330e }

// diceStart is the state of a generator that nobody has seeded.
const diceStart = 0x1234abcd330e

const diceMax = math.MaxInt32

func (d *dice) next() float64 {
	d.x = (d.x*0x5deece66d + 0xb) & (1<<48 - 1)
	return float64(int64(d.x>>17)%diceMax) / diceMax
}

func (vm *VM) openMath() *Table {
	names := []string{
		"abs", "acos", "asin", "atan2", "atan", "ceil", "cosh", "cos", "deg", "exp", "floor", "fmod", "frexp", "ldexp", "log10", "log", "max", "min",
		"modf", "pow", "rad", "random", "randomseed", "sinh", "sin", "sqrt", "tanh", "tan",
	}
	lib := library{
		"abs": math1(math.Abs), "acos": math1(math.Acos), "asin": math1(math.Asin), "atan": math1(math.Atan), "ceil": math1(math.Ceil),
		"cosh": math1(math.Cosh), "cos": math1(undefined(math.Cos)), "deg": math1(func(n float64) float64 { return n / (math.Pi / 180) }), "exp": math1(math.Exp),
		"floor": math1(math.Floor), "log10": math1(math.Log10), "log": math1(undefined(math.Log)), "rad": math1(func(n float64) float64 { return n * (math.Pi / 180) }),
		"sinh": math1(math.Sinh), "sin": math1(undefined(math.Sin)), "sqrt": math1(math.Sqrt), "tanh": math1(math.Tanh), "tan": math1(undefined(math.Tan)),
		"atan2": math2(math.Atan2), "fmod": math2(remainder), "pow": math2(power),
		"frexp": mathFrexp, "ldexp": mathLdexp, "max": mathMax, "min": mathMin, "modf": mathModf, "random": mathRandom, "randomseed": mathSeed,
	}
	t := vm.open(vm.newTable(0, len(names)+3), names, lib)
	t.setText(vm, "pi", num(math.Pi))
	t.setText(vm, "huge", num(math.Inf(1)))
	t.setText(vm, "mod", t.getText("fmod"))
	return t
}

// math1 makes a function of a number; a NaN that is given comes back as it is.
func math1(f func(float64) float64) func(*thread, []Value) []Value {
	return func(th *thread, args []Value) []Value {
		n := th.needNumber(args, 0)
		if n == n {
			n = f(n)
		}
		return th.ret1(num(n))
	}
}

// undefined makes the NaN of a function outside its domain a negative one, as C's library has it for all but asin, acos and log10.
func undefined(f func(float64) float64) func(float64) float64 {
	return func(n float64) float64 { return noNumber(f(n)) }
}

func noNumber(n float64) float64 {
	if n != n {
		return math.Copysign(n, -1)
	}
	return n
}

func power(a, b float64) float64 {
	n := math.Pow(a, b)
	if n != n && a == a && b == b {
		return noNumber(n)
	}
	return n
}

func remainder(a, b float64) float64 {
	n := math.Mod(a, b)
	if n != n && a == a && b == b {
		return noNumber(n)
	}
	return n
}

func math2(f func(a, b float64) float64) func(*thread, []Value) []Value {
	return func(th *thread, args []Value) []Value {
		b := th.needNumber(args, 1) // C compilers look at the last first
		return th.ret1(num(f(th.needNumber(args, 0), b)))
	}
}

func mathFrexp(th *thread, args []Value) []Value {
	f, e := math.Frexp(th.needNumber(args, 0))
	return th.some(num(f), num(float64(e)))
}

func mathLdexp(th *thread, args []Value) []Value {
	exp := int(int32(th.needInt(args, 1)))
	return th.ret1(num(math.Ldexp(th.needNumber(args, 0), max(-1<<20, min(exp, 1<<20)))))
}

func mathModf(th *thread, args []Value) []Value {
	n := th.needNumber(args, 0)
	if math.IsInf(n, 0) {
		return th.some(num(n), num(math.Copysign(0, n)))
	}
	whole, rest := math.Modf(n)
	return th.some(num(whole), num(rest))
}

func mathMax(th *thread, args []Value) []Value {
	most := th.needNumber(args, 0)
	for i := 1; i < len(args); i++ {
		if n := th.needNumber(args, i); n > most {
			most = n
		}
	}
	return th.ret1(num(most))
}

func mathMin(th *thread, args []Value) []Value {
	least := th.needNumber(args, 0)
	for i := 1; i < len(args); i++ {
		if n := th.needNumber(args, i); n < least {
			least = n
		}
	}
	return th.ret1(num(least))
}

func mathRandom(th *thread, args []Value) []Value {
	r := th.vm.dice.next()
	switch len(args) {
	case 0:
		return th.ret1(num(r))
	case 1:
		most := int32(th.needInt(args, 0))
		if most < 1 {
			th.badArg(0, "interval is empty")
		}
		return th.ret1(num(math.Floor(r*float64(most)) + 1))
	case 2:
		low, high := int32(th.needInt(args, 0)), int32(th.needInt(args, 1))
		if low > high {
			th.badArg(1, "interval is empty")
		}
		return th.ret1(num(math.Floor(r*float64(high-low+1)) + float64(low)))
	}
	th.fail("wrong number of arguments")
	return nil
}

func mathSeed(th *thread, args []Value) []Value {
	th.vm.dice.seed(int32(th.needInt(args, 0)))
	return nil
}
