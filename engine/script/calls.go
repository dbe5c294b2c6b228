package script

import "strings"

// call compiles a call: all that it returns, valid until the next one.
func (c *compiler) call(e *callExpr) multiCode {
	defer c.deeper()()
	callee, args, at := c.callee(e)
	return func(f *frame) []Value {
		m := f.th.mark()
		fn, given := callee(f, args)
		return f.invoke(fn, given, m, at)
	}
}

// callee compiles what gives the function and its arguments, on the stack.
func (c *compiler) callee(e *callExpr) (func(*frame, *exprList) (Value, []Value), *exprList, *site) {
	args := c.exprs(e.args)
	at := &site{line: e.line}
	if e.method == "" {
		at.kind, at.name = origin(e.fn)
		fn := c.expr(e.fn)
		return func(f *frame, args *exprList) (Value, []Value) {
			v := fn(f)
			return v, args.reserve(f)
		}, args, at
	}
	at.kind, at.name = "method", e.method
	obj, key, what, line := c.expr(e.fn), c.name(e.method), e.fn, e.line
	s := key.o.(*str)
	withSelf := &exprList{single: append([]code{func(f *frame) Value { return f.self }}, args.single...), multi: args.multi}
	return func(f *frame, _ *exprList) (Value, []Value) {
		o := obj(f)
		var fn Value
		if t, ok := o.o.(*Table); ok {
			fn = t.getStr(s)
		}
		if fn.isNil() {
			fn = f.index(o, key, line, what)
		}
		f.self = o
		return fn, withSelf.reserve(f)
	}, args, at
}

// invoke calls a function with arguments that are the last on the stack, and gives the stack back from m on.
func (f *frame) invoke(fn Value, args []Value, m mark, at *site) []Value {
	th := f.th
	f.line = at.line
	switch o := fn.o.(type) {
	case *closure:
		return th.run(o, args, m, false)
	case *native:
		was, wasC := th.site, th.fromC
		th.site, th.fromC = at, false
		rets := o.fn(th, args)
		th.site, th.fromC = was, wasC
		th.release(m)
		return rets
	}
	h := th.vm.metamethod(fn, nameCall)
	if h.isNil() {
		f.fail(at.line, "attempt to call "+at.described(fn))
	}
	given := append([]Value{fn}, args...)
	th.release(m)
	again := th.reserve(len(given))
	copy(again, given)
	return f.invoke(h, again, m, at)
}

func (s *site) described(v Value) string {
	if s.kind == "" {
		return "a " + typeName(v) + " value"
	}
	return s.kind + " '" + s.name + "' (a " + typeName(v) + " value)"
}

// tailCall leaves a call to the one who runs the function, so that its frame is gone by then. A library function is called at once.
func (c *compiler) tailCall(e *callExpr) stepCode {
	defer c.deeper()()
	callee, args, at := c.callee(e)
	return func(f *frame) signal {
		m := f.th.mark()
		fn, given := callee(f, args)
		if _, ok := fn.o.(*closure); ok {
			f.line = at.line
			if len(given) <= len(f.few) {
				f.ret = f.few[:copy(f.few[:], given)]
			} else {
				f.ret = append([]Value(nil), given...)
			}
			f.tail = fn
			f.th.release(m)
			return sigTail
		}
		f.ret = f.invoke(fn, given, m, at)
		return sigReturn
	}
}

// concat compiles a chain of .. as one.
func (c *compiler) concat(e *binaryExpr) code {
	var parts []expr
	line := e.line
	var last expr = e
	for {
		b, ok := last.(*binaryExpr)
		if !ok || b.op != opConcat {
			break
		}
		parts = append(parts, b.l)
		last = b.r
	}
	parts = append(parts, last)
	codes := make([]code, len(parts))
	for i, p := range parts {
		codes[i] = c.expr(p)
	}
	return func(f *frame) Value {
		th := f.th
		m := th.mark()
		vals := th.reserve(len(codes))
		for i, code := range codes {
			vals[i] = code(f)
		}
		v := f.join(vals, parts, line)
		th.release(m)
		return v
	}
}

// join concatenates from the right.
func (f *frame) join(vals []Value, parts []expr, line int) Value {
	n := len(vals)
	for n > 1 {
		from, size := n, 0
		for from > 0 {
			s, ok := asTextSize(vals[from-1])
			if !ok {
				break
			}
			size += s
			from--
		}
		if n-from >= 2 {
			vals[from] = f.glue(vals[from:n], size)
			n = from + 1
			continue
		}
		a, b := vals[n-2], vals[n-1]
		vm := f.th.vm
		h := vm.metamethod(a, nameConcat)
		if h.isNil() {
			h = vm.metamethod(b, nameConcat)
		}
		if h.isNil() {
			what, v := parts[n-2], a
			if _, ok := asTextSize(a); ok {
				what, v = parts[n-1], b
			}
			f.fail(line, "attempt to concatenate "+described(what, v))
		}
		f.line = line
		vals[n-2] = f.th.meta(h, a, b)
		n--
	}
	return vals[0]
}

func asTextSize(v Value) (int, bool) {
	switch o := v.o.(type) {
	case *str:
		return len(o.s), true
	case numTag:
		return 24, true
	}
	return 0, false
}

func (f *frame) glue(vals []Value, size int) Value {
	f.th.vm.grow(int64(size) + stringSize)
	if len(vals) == 2 {
		a, okA := vals[0].o.(*str)
		b, okB := vals[1].o.(*str)
		if okA && okB {
			return Value{o: &str{s: a.s + b.s}}
		}
	}
	var out strings.Builder
	out.Grow(size)
	var room [32]byte
	for _, v := range vals {
		if s, ok := v.o.(*str); ok {
			out.WriteString(s.s)
		} else {
			out.Write(appendNumber(room[:0], v.n))
		}
	}
	return Value{o: &str{s: out.String()}}
}
