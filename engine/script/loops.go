package script

func (c *compiler) while(s *whileStat) stepCode {
	cond, body := c.cond(s.cond), c.block(s.body)
	line := s.line
	return func(f *frame) signal {
		for cond(f) {
			if sig := body(f); sig == sigBreak {
				break
			} else if sig != sigNone {
				return sig
			}
			f.line = line
			f.th.tick()
		}
		return sigNone
	}
}

func (c *compiler) repeat(s *repeatStat) stepCode {
	body, cond := c.block(s.body), c.cond(s.cond)
	line := s.line
	return func(f *frame) signal {
		for {
			if sig := body(f); sig == sigBreak {
				break
			} else if sig != sigNone {
				return sig
			}
			if cond(f) {
				break
			}
			f.line = line
			f.th.tick()
		}
		return sigNone
	}
}

func (c *compiler) ifStat(s *ifStat) stepCode {
	defer c.deeper()()
	conds := make([]condCode, len(s.conds))
	bodies := make([]func(*frame) signal, len(s.conds))
	for i := range s.conds {
		conds[i], bodies[i] = c.cond(s.conds[i]), c.block(s.bodies[i])
	}
	other := c.block(s.other)
	if len(conds) == 1 {
		cond, body := conds[0], bodies[0]
		return func(f *frame) signal {
			if cond(f) {
				return body(f)
			}
			return other(f)
		}
	}
	return func(f *frame) signal {
		for i, cond := range conds {
			if cond(f) {
				return bodies[i](f)
			}
		}
		return other(f)
	}
}

// count is for v = from, to, step.
func (c *compiler) count(s *countStat) stepCode {
	from, to := c.expr(s.from), c.expr(s.to)
	step := func(*frame) Value { return num(1) }
	if s.step != nil {
		step = c.expr(s.step)
	}
	body, v, line := c.block(s.body), s.v, s.line
	return func(f *frame) signal {
		a, b, d := from(f), to(f), step(f)
		i, ok := toNumber(a)
		if !ok {
			f.fail(line, "'for' initial value must be a number")
		}
		end, ok := toNumber(b)
		if !ok {
			f.fail(line, "'for' limit must be a number")
		}
		by, ok := toNumber(d)
		if !ok {
			f.fail(line, "'for' step must be a number")
		}
		for ; by > 0 && i <= end || by <= 0 && end <= i; i += by {
			f.declare(v, num(i))
			if sig := body(f); sig == sigBreak {
				break
			} else if sig != sigNone {
				return sig
			}
			f.line = line
			f.th.tick()
		}
		return sigNone
	}
}

// each is for vars in iterator, state, control.
func (c *compiler) each(s *eachStat) stepCode {
	vals, body := c.exprs(s.vals), c.block(s.body)
	vars, base, vm, at := s.vars, s.state, c.vm, &site{line: s.line}
	return func(f *frame) signal {
		hidden := f.regs[base : base+3]
		clear(hidden)
		vals.into(f, hidden)
		if n, ok := hidden[0].o.(*native); ok && n == vm.kept.next {
			if t, ok := hidden[1].o.(*Table); ok && hidden[2].isNil() {
				return f.eachOf(t, vars, body, at.line)
			}
		}
		for {
			m := f.th.mark()
			args := f.th.reserve(2)
			args[0], args[1] = hidden[1], hidden[2]
			f.th.calls++ // an iterator may not yield for who loops
			rets := f.invoke(hidden[0], args, m, at)
			f.th.calls--
			if len(rets) == 0 || rets[0].isNil() {
				return sigNone
			}
			hidden[2] = rets[0]
			f.declareSome(vars, rets)
			if sig := body(f); sig == sigBreak {
				return sigNone
			} else if sig != sigNone {
				return sig
			}
			f.line = at.line
			f.th.tick()
		}
	}
}

func (f *frame) declareSome(vars []*local, rets []Value) {
	if len(rets) > 8 {
		rets = rets[:8]
	}
	var got [8]Value
	copy(got[:], rets) // declaring may make room where they lie
	for i, v := range vars {
		var val Value
		if i < len(rets) {
			val = got[i]
		}
		f.declare(v, val)
	}
}

// eachOf goes over a table without calling next. If the table's parts have changed, the position is found anew by the key.
func (f *frame) eachOf(t *Table, vars []*local, body func(*frame) signal, line int) signal {
	pos, list, nodes := 0, len(t.list), len(t.nodes)
	var pair [2]Value
	for {
		if len(t.list) != list || len(t.nodes) != nodes {
			if pos = t.position(pair[0]); pos < 0 {
				f.fail(line, "invalid key to 'next'")
			}
			list, nodes = len(t.list), len(t.nodes)
		}
		pair[0], pair[1], pos = t.at(pos)
		if pos == 0 {
			return sigNone
		}
		for i, v := range vars {
			var val Value
			if i < 2 {
				val = pair[i]
			}
			f.declare(v, val)
		}
		if sig := body(f); sig == sigBreak {
			return sigNone
		} else if sig != sigNone {
			return sig
		}
		f.line = line
		f.th.tick()
	}
}
