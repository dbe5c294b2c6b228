package script

import "math"

func (c *compiler) expr(e expr) code {
	defer c.deeper()()
	switch e := e.(type) {
	case *constExpr:
		v := c.constant(e.v)
		return func(*frame) Value { return v }
	case *dotsExpr:
		return func(f *frame) Value {
			if len(f.varargs) == 0 {
				return Value{}
			}
			return f.varargs[0]
		}
	case *localExpr:
		slot := e.l.slot
		if e.l.captured {
			return func(f *frame) Value { return f.regs[slot].o.(*cell).v }
		}
		return func(f *frame) Value { return f.regs[slot] }
	case *upExpr:
		i := e.index
		return func(f *frame) Value { return f.cl.ups[i].v }
	case *globalExpr:
		return c.global(e)
	case *indexExpr:
		return c.index(e)
	case *callExpr:
		call := c.call(e)
		return func(f *frame) Value {
			if rets := call(f); len(rets) > 0 {
				return rets[0]
			}
			return Value{}
		}
	case *functionExpr:
		return c.closure(e.f)
	case *binaryExpr:
		return c.binary(e)
	case *unaryExpr:
		return c.unary(e)
	case *logicExpr:
		l, r, and := c.expr(e.l), c.expr(e.r), e.and
		return func(f *frame) Value {
			if v := l(f); truth(v) != and {
				return v
			}
			return r(f)
		}
	case *parenExpr:
		return c.expr(e.e)
	default:
		return c.table(e.(*tableExpr))
	}
}

// constant is a constant as its function has it: 0 and -0 are one, the one that comes first.
func (c *compiler) constant(v Value) Value {
	if n, ok := v.number(); ok && n == 0 {
		if c.zero == nil {
			c.zero = &v
		}
		return *c.zero
	}
	return v
}

// multi compiles what may have many values, nil if e has one.
func (c *compiler) multi(e expr) multiCode {
	switch e := e.(type) {
	case *callExpr:
		return c.call(e)
	case *dotsExpr:
		return func(f *frame) []Value { return f.varargs }
	}
	return nil
}

func (c *compiler) global(e *globalExpr) code {
	env, key, line := c.env, c.name(e.name), e.line
	s := key.o.(*str)
	return func(f *frame) Value {
		if v := env.getStr(s); !v.isNil() {
			return v
		}
		return f.index(table(env), key, line, nil)
	}
}

func (c *compiler) index(e *indexExpr) code {
	obj, line, what := c.expr(e.obj), e.line, e.obj
	if k, ok := e.key.(*constExpr); ok {
		key := k.v
		if s, ok := key.o.(*str); ok {
			return func(f *frame) Value {
				o := obj(f)
				if t, ok := o.o.(*Table); ok {
					if v := t.getStr(s); !v.isNil() || t.meta == nil {
						return v
					}
				}
				return f.index(o, key, line, what)
			}
		}
	}
	key := c.expr(e.key)
	return func(f *frame) Value {
		o := obj(f)
		k := key(f)
		if t, ok := o.o.(*Table); ok {
			if v := t.get(k); !v.isNil() || t.meta == nil {
				return v
			}
		}
		return f.index(o, k, line, what)
	}
}

func (c *compiler) unary(e *unaryExpr) code {
	operand, line, what := c.expr(e.e), e.line, e.e
	switch e.op {
	case opNot:
		return func(f *frame) Value { return boolean(!truth(operand(f))) }
	case opLen:
		return func(f *frame) Value { return f.length(operand(f), line, what) }
	}
	return func(f *frame) Value {
		v := operand(f)
		if n, ok := toNumber(v); ok {
			return num(-n)
		}
		h := f.th.vm.metamethod(v, nameUnm)
		if h.isNil() {
			f.fail(line, "attempt to perform arithmetic on "+described(what, v))
		}
		f.line = line
		return f.th.meta(h, v, v)
	}
}

func (f *frame) length(v Value, line int, what expr) Value {
	switch o := v.o.(type) {
	case *str:
		return num(float64(len(o.s)))
	case *Table:
		return num(float64(o.length()))
	}
	f.fail(line, "attempt to get length of "+described(what, v))
	return Value{}
}

func (c *compiler) binary(e *binaryExpr) code {
	switch e.op {
	case opConcat:
		return c.concat(e)
	case opLT, opGT, opLE, opGE, opEQ, opNE:
		cond := c.compare(e)
		return func(f *frame) Value { return boolean(cond(f)) }
	}
	return c.arith(e)
}

func (c *compiler) arith(e *binaryExpr) code {
	l, r := c.expr(e.l), c.expr(e.r)
	slow := func(f *frame, a, b Value) Value { return f.arith(e, a, b) }
	var fast func(a, b float64) float64
	switch e.op {
	case opAdd:
		return func(f *frame) Value {
			a := l(f)
			b := r(f)
			if _, ok := a.o.(numTag); ok {
				if _, ok := b.o.(numTag); ok {
					return num(a.n + b.n)
				}
			}
			return slow(f, a, b)
		}
	case opSub:
		return func(f *frame) Value {
			a := l(f)
			b := r(f)
			if _, ok := a.o.(numTag); ok {
				if _, ok := b.o.(numTag); ok {
					return num(a.n - b.n)
				}
			}
			return slow(f, a, b)
		}
	default:
		fast = arithmetic[e.op]
	}
	return func(f *frame) Value {
		a := l(f)
		b := r(f)
		if _, ok := a.o.(numTag); ok {
			if _, ok := b.o.(numTag); ok {
				return num(fast(a.n, b.n))
			}
		}
		return slow(f, a, b)
	}
}

var arithmetic = map[operator]func(a, b float64) float64{
	opAdd: func(a, b float64) float64 { return a + b },
	opSub: func(a, b float64) float64 { return a - b },
	opMul: func(a, b float64) float64 { return a * b },
	opDiv: func(a, b float64) float64 { return a / b },
	opMod: func(a, b float64) float64 { return a - math.Floor(a/b)*b },
	opPow: power,
}

// arith is arithmetic on what is not two numbers.
func (f *frame) arith(e *binaryExpr, a, b Value) Value {
	x, okX := toNumber(a)
	y, okY := toNumber(b)
	if okX && okY {
		return num(arithmetic[e.op](x, y))
	}
	vm := f.th.vm
	h := vm.metamethod(a, arithNames[e.op])
	if h.isNil() {
		h = vm.metamethod(b, arithNames[e.op])
	}
	if h.isNil() {
		what, v := e.l, a
		if okX {
			what, v = e.r, b
		}
		f.fail(e.line, "attempt to perform arithmetic on "+described(what, v))
	}
	f.line = e.line
	return f.th.meta(h, a, b)
}

// cond compiles an expression of which only the truth counts.
func (c *compiler) cond(e expr) condCode {
	defer c.deeper()()
	switch e := e.(type) {
	case *binaryExpr:
		if e.op >= opLT && e.op <= opEQ {
			return c.compare(e)
		}
	case *logicExpr:
		l, r, and := c.cond(e.l), c.cond(e.r), e.and
		if and {
			return func(f *frame) bool { return l(f) && r(f) }
		}
		return func(f *frame) bool { return l(f) || r(f) }
	case *unaryExpr:
		if e.op == opNot {
			inner := c.cond(e.e)
			return func(f *frame) bool { return !inner(f) }
		}
	case *parenExpr:
		return c.cond(e.e)
	}
	v := c.expr(e)
	return func(f *frame) bool { return truth(v(f)) }
}

func (c *compiler) compare(e *binaryExpr) condCode {
	l, r, line := c.expr(e.l), c.expr(e.r), e.line
	switch e.op {
	case opEQ:
		return func(f *frame) bool {
			a := l(f)
			return f.equal(a, r(f), line)
		}
	case opNE:
		return func(f *frame) bool {
			a := l(f)
			return !f.equal(a, r(f), line)
		}
	case opLT, opGT:
		swap := e.op == opGT
		return func(f *frame) bool {
			a := l(f)
			b := r(f)
			if swap {
				a, b = b, a
			}
			if _, ok := a.o.(numTag); ok {
				if _, ok := b.o.(numTag); ok {
					return a.n < b.n
				}
			}
			f.line = line
			return f.th.less(a, b, f, line)
		}
	}
	swap := e.op == opGE
	return func(f *frame) bool {
		a := l(f)
		b := r(f)
		if swap {
			a, b = b, a
		}
		if _, ok := a.o.(numTag); ok {
			if _, ok := b.o.(numTag); ok {
				return a.n <= b.n
			}
		}
		return f.lessEqual(a, b, line)
	}
}

func (f *frame) equal(a, b Value, line int) bool {
	if rawEqual(a, b) {
		return true
	}
	x, ok := a.o.(*Table)
	y, ok2 := b.o.(*Table)
	if !ok || !ok2 || x.meta == nil || y.meta == nil {
		return false
	}
	h := x.meta.getStr(nameEq)
	if h.isNil() || !rawEqual(h, y.meta.getStr(nameEq)) {
		return false
	}
	f.line = line
	return truth(f.th.meta(h, a, b))
}

// less is a < b; f is nil if a library function asks.
func (th *thread) less(a, b Value, f *frame, line int) bool {
	if x, ok := a.number(); ok {
		if y, ok := b.number(); ok {
			return x < y
		}
	}
	if x, ok := a.o.(*str); ok {
		if y, ok := b.o.(*str); ok {
			return x.s < y.s
		}
	}
	if typeName(a) == typeName(b) {
		h := th.vm.metamethod(a, nameLT)
		if !h.isNil() && rawEqual(h, th.vm.metamethod(b, nameLT)) {
			return truth(th.meta(h, a, b))
		}
	}
	th.incomparable(a, b, f, line)
	return false
}

func (f *frame) lessEqual(a, b Value, line int) bool {
	if x, ok := a.o.(*str); ok {
		if y, ok := b.o.(*str); ok {
			return x.s <= y.s
		}
	}
	f.line = line
	th := f.th
	if typeName(a) == typeName(b) {
		if h := th.vm.metamethod(a, nameLE); !h.isNil() && rawEqual(h, th.vm.metamethod(b, nameLE)) {
			return truth(th.meta(h, a, b))
		}
		if h := th.vm.metamethod(a, nameLT); !h.isNil() && rawEqual(h, th.vm.metamethod(b, nameLT)) {
			return !truth(th.meta(h, b, a))
		}
	}
	th.incomparable(a, b, f, line)
	return false
}

func (th *thread) incomparable(a, b Value, f *frame, line int) {
	x, y := typeName(a), typeName(b)
	text := "attempt to compare " + x + " with " + y
	if x == y {
		text = "attempt to compare two " + x + " values"
	}
	if f == nil {
		th.failBare(text)
	}
	f.fail(line, text)
}
