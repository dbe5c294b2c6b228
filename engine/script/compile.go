package script

// proto is a compiled function.
type proto struct {
	source string
	line   int
	params int
	slots  int
	height int // how deep its closures nest, which is what it takes of the Go stack
	vararg bool
	body   func(*frame) signal
	open   func(*frame) // makes cells of parameters that are captured
	ups    []capture
}

type (
	code      func(f *frame) Value
	multiCode func(f *frame) []Value
	condCode  func(f *frame) bool
	stepCode  func(f *frame) signal
)

// compiler makes closures of a function. All functions of a chunk share its globals.
type compiler struct {
	vm     *VM
	env    *Table
	source string
	level  int
	height int
	zero   *Value // of a function: its first constant that is 0, with its sign
}

// compile makes a function of a program; globals are looked for in env.
func (vm *VM) compile(src, name string, env *Table) *closure {
	f := parse(vm, src, name)
	vm.grow(int64(len(src)) * 8)
	c := &compiler{vm: vm, env: env, source: name}
	return &closure{p: c.function(f), id: vm.id()}
}

func (c *compiler) function(f *function) *proto {
	inner := &compiler{vm: c.vm, env: c.env, source: c.source}
	p := &proto{source: c.source, line: f.line, params: len(f.params), slots: f.slots, vararg: f.vararg, ups: f.ups}
	p.body = inner.block(f.body)
	p.open = inner.opening(f)
	p.height = inner.height + 4
	return p
}

func (c *compiler) opening(f *function) func(*frame) {
	var slots []int
	for _, l := range f.params {
		if l.captured {
			slots = append(slots, l.slot)
		}
	}
	arg := f.arg
	if len(slots) == 0 && arg == nil {
		return func(*frame) {}
	}
	vm, dots := c.vm, f.dots
	return func(f *frame) {
		for _, s := range slots {
			f.regs[s] = Value{o: &cell{f.regs[s]}}
		}
		if arg == nil {
			return
		}
		var v Value
		if !dots {
			t := vm.newTable(len(f.varargs), 1)
			copy(t.list, f.varargs)
			t.setText(vm, "n", num(float64(len(f.varargs))))
			v = table(t)
		}
		f.declare(arg, v)
	}
}

// declare gives a new local its value.
func (f *frame) declare(l *local, v Value) {
	if l.captured {
		f.th.vm.grow(cellSize)
		v = Value{o: &cell{v}}
	}
	f.regs[l.slot] = v
}

func (c *compiler) deeper() func() {
	c.level++
	c.height = max(c.height, c.level)
	return func() { c.level-- }
}

func (c *compiler) block(stats []statement) func(*frame) signal {
	defer c.deeper()()
	steps := make([]stepCode, len(stats))
	for i, s := range stats {
		steps[i] = c.statement(s)
	}
	switch len(steps) {
	case 0:
		return func(*frame) signal { return sigNone }
	case 1:
		return steps[0]
	}
	return func(f *frame) signal {
		for _, s := range steps {
			if sig := s(f); sig != sigNone {
				return sig
			}
		}
		return sigNone
	}
}

func (c *compiler) statement(s statement) stepCode {
	switch s := s.(type) {
	case *localStat:
		return c.localStat(s)
	case *assignStat:
		return c.assign(s)
	case *callStat:
		call := c.call(s.call)
		return func(f *frame) signal {
			call(f)
			return sigNone
		}
	case *doStat:
		return c.block(s.body)
	case *whileStat:
		return c.while(s)
	case *repeatStat:
		return c.repeat(s)
	case *ifStat:
		return c.ifStat(s)
	case *countStat:
		return c.count(s)
	case *eachStat:
		return c.each(s)
	case *functionStat:
		v, closed := s.v, c.closure(s.f)
		return func(f *frame) signal {
			f.declare(v, Value{})
			fn := closed(f)
			if v.captured {
				f.regs[v.slot].o.(*cell).v = fn
			} else {
				f.regs[v.slot] = fn
			}
			return sigNone
		}
	case *returnStat:
		return c.returns(s)
	default:
		return func(*frame) signal { return sigBreak }
	}
}

func (c *compiler) localStat(s *localStat) stepCode {
	if len(s.vars) == 1 && len(s.vals) == 1 {
		v, val := s.vars[0], c.expr(s.vals[0])
		if !v.captured {
			slot := v.slot
			return func(f *frame) signal {
				f.regs[slot] = val(f)
				return sigNone
			}
		}
		return func(f *frame) signal {
			f.declare(v, val(f))
			return sigNone
		}
	}
	vars := s.vars
	if len(s.vals) == 0 {
		return func(f *frame) signal {
			for _, v := range vars {
				f.declare(v, Value{})
			}
			return sigNone
		}
	}
	vals := c.exprs(s.vals)
	return func(f *frame) signal {
		m := f.th.mark()
		got := f.th.reserve(len(vars))
		vals.into(f, got)
		for i, v := range vars {
			f.declare(v, got[i])
		}
		f.th.release(m)
		return sigNone
	}
}

// exprList is a list of expressions of which the last may have many values.
type exprList struct {
	single []code
	multi  multiCode
}

func (c *compiler) exprs(es []expr) *exprList {
	l := &exprList{}
	for i, e := range es {
		if i == len(es)-1 {
			if l.multi = c.multi(e); l.multi != nil {
				break
			}
		}
		l.single = append(l.single, c.expr(e))
	}
	return l
}

// into evaluates all and keeps as many values as there is room.
func (l *exprList) into(f *frame, out []Value) {
	for i, e := range l.single {
		if v := e(f); i < len(out) {
			out[i] = v
		}
	}
	if l.multi != nil {
		rets := l.multi(f)
		if n := len(l.single); n < len(out) {
			copy(out[n:], rets)
		}
	}
}

// reserve evaluates all to the top of the stack.
func (l *exprList) reserve(f *frame) []Value {
	th := f.th
	if l.multi == nil {
		out := th.reserve(len(l.single))
		for i, e := range l.single {
			out[i] = e(f)
		}
		return out
	}
	m := th.mark()
	first := th.reserve(len(l.single))
	for i, e := range l.single {
		first[i] = e(f)
	}
	rets := l.multi(f)
	if len(first) == 0 {
		out := th.reserve(len(rets))
		copy(out, rets)
		return out
	}
	if c := th.chunks[th.chunk]; th.top+len(rets) <= len(c) && th.chunk == m.chunk {
		th.reserve(len(rets))
		out := c[m.top:th.top:th.top]
		copy(out[len(first):], rets)
		return out
	}
	out := th.reserve(len(first) + len(rets))
	copy(out, first)
	copy(out[len(first):], rets)
	return out
}

// slice evaluates all to a slice that lives as long as the frame's values.
func (l *exprList) slice(f *frame) []Value {
	var out []Value
	if l.multi == nil && len(l.single) <= len(f.few) {
		var got [3]Value // evaluating may use few
		for i, e := range l.single {
			got[i] = e(f)
		}
		f.few = got
		return f.few[:len(l.single)]
	}
	out = make([]Value, len(l.single), len(l.single)+4)
	for i, e := range l.single {
		out[i] = e(f)
	}
	if l.multi != nil {
		out = append(out, l.multi(f)...)
	}
	f.th.vm.grow(int64(len(out)) * valueSize)
	return out
}

func (c *compiler) returns(s *returnStat) stepCode {
	if len(s.vals) == 0 {
		return func(f *frame) signal {
			f.ret = nil
			return sigReturn
		}
	}
	if len(s.vals) == 1 {
		if call, ok := s.vals[0].(*callExpr); ok {
			return c.tailCall(call)
		}
		if _, dots := s.vals[0].(*dotsExpr); !dots {
			val := c.expr(s.vals[0])
			return func(f *frame) signal {
				f.few[0] = val(f)
				f.ret = f.few[:1]
				return sigReturn
			}
		}
	}
	vals := c.exprs(s.vals)
	return func(f *frame) signal {
		f.ret = vals.slice(f)
		return sigReturn
	}
}

func (c *compiler) closure(f *function) code {
	p := c.function(f)
	c.height = max(c.height, c.level+1)
	vm := c.vm
	return func(f *frame) Value {
		vm.grow(closureSize + int64(len(p.ups))*cellSize)
		cl := &closure{p: p, id: vm.id()}
		if len(p.ups) > 0 {
			cl.ups = make([]*cell, len(p.ups))
			for i, up := range p.ups {
				if up.l != nil {
					cl.ups[i] = f.regs[up.l.slot].o.(*cell)
				} else {
					cl.ups[i] = f.cl.ups[up.index]
				}
			}
		}
		return Value{o: cl}
	}
}
