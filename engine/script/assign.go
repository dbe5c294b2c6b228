package script

// target is something that can be assigned to; prepare gives what stands before, evaluated, in two values.
type target struct {
	prepare func(f *frame) (obj, key Value)
	store   func(f *frame, obj, key, val Value)
}

func (c *compiler) assign(s *assignStat) stepCode {
	if len(s.targets) == 1 && len(s.vals) == 1 {
		return c.assignOne(s.targets[0], s.vals[0], s.line)
	}
	targets := make([]target, len(s.targets))
	for i, e := range s.targets {
		targets[i] = c.target(e)
	}
	vals := c.exprs(s.vals)
	return func(f *frame) signal {
		m := f.th.mark()
		n := len(targets)
		room := f.th.reserve(3 * n)
		for i := range targets {
			room[i], room[n+i] = targets[i].prepare(f)
		}
		vals.into(f, room[2*n:])
		for i := n - 1; i >= 0; i-- {
			targets[i].store(f, room[i], room[n+i], room[2*n+i])
		}
		f.th.release(m)
		return sigNone
	}
}

func nothing(*frame) (obj, key Value) { return Value{}, Value{} }

func (c *compiler) target(e expr) target {
	switch e := e.(type) {
	case *localExpr:
		slot, captured := e.l.slot, e.l.captured
		return target{nothing, func(f *frame, _, _, v Value) {
			if captured {
				f.regs[slot].o.(*cell).v = v
				return
			}
			f.regs[slot] = v
		}}
	case *upExpr:
		i := e.index
		return target{nothing, func(f *frame, _, _, v Value) { f.cl.ups[i].v = v }}
	case *globalExpr:
		key, env, line := c.name(e.name), table(c.env), e.line
		return target{nothing, func(f *frame, _, _, v Value) { f.setIndex(env, key, v, line, nil) }}
	}
	i := e.(*indexExpr)
	obj, key, line, what := c.expr(i.obj), c.expr(i.key), i.line, i.obj
	return target{
		func(f *frame) (Value, Value) {
			o := obj(f)
			return o, key(f)
		},
		func(f *frame, o, k, v Value) { f.setIndex(o, k, v, line, what) },
	}
}

func (c *compiler) name(s string) Value {
	v := c.vm.text(s)
	v.o.(*str).hash()
	return v
}

func (c *compiler) assignOne(to, from expr, line int) stepCode {
	val := c.expr(from)
	switch e := to.(type) {
	case *localExpr:
		slot := e.l.slot
		if e.l.captured {
			return func(f *frame) signal {
				v := val(f)
				f.regs[slot].o.(*cell).v = v
				return sigNone
			}
		}
		return func(f *frame) signal {
			f.regs[slot] = val(f)
			return sigNone
		}
	case *indexExpr:
		obj, key, what := c.expr(e.obj), c.expr(e.key), e.obj
		return func(f *frame) signal {
			o := obj(f)
			k := key(f)
			v := val(f)
			if t, ok := o.o.(*Table); ok && !t.readOnly {
				if p := t.slot(k); p != nil && (t.meta == nil || !p.isNil()) {
					*p = v
					return sigNone
				}
			}
			f.setIndex(o, k, v, line, what)
			return sigNone
		}
	}
	t := c.target(to)
	return func(f *frame) signal {
		t.store(f, Value{}, Value{}, val(f))
		return sigNone
	}
}

const textReadOnly = "Attempt to modify a readonly table"

// setIndex is obj[key] = val; what is the expression that obj came from.
func (f *frame) setIndex(obj, key, val Value, line int, what expr) {
	vm := f.th.vm
	for range metaLoopMax {
		var h Value
		if t, ok := obj.o.(*Table); ok {
			if t.readOnly {
				f.fail(line, textReadOnly)
			}
			if p := t.slot(key); p != nil && !p.isNil() {
				*p = val
				return
			}
			if h = t.meta.metaField(nameNewIndex); h.isNil() {
				f.setNew(t, key, val, line)
				return
			}
		} else if h = vm.metamethod(obj, nameNewIndex); h.isNil() {
			f.fail(line, "attempt to index "+described(what, obj))
		}
		if isFunction(h) {
			f.line = line
			f.th.meta(h, obj, key, val)
			return
		}
		obj, what = h, nil
	}
	f.fail(line, "loop in settable")
}

func (f *frame) setNew(t *Table, key, val Value, line int) {
	if key.isNil() {
		f.fail(line, "table index is nil")
	}
	if n, ok := key.number(); ok && n != n {
		f.fail(line, "table index is NaN")
	}
	f.line = line
	t.set(f.th.vm, key, val)
}

func isFunction(v Value) bool {
	switch v.o.(type) {
	case *closure, *native:
		return true
	}
	return false
}
