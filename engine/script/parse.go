package script

import "fmt"

// Limits of a program, Lua 5.1's.
const (
	nestedMax   = 200   // levels of syntax
	localsMax   = 200   // locals in sight of a function
	capturesMax = 60    // captured variables of a function
	chainMax    = 20000 // operators, indexes and calls one behind the other
)

type parser struct {
	lexer
	vm    *VM
	f     *function
	depth int
}

// parse makes a function of a program. Faults are raised as luaErrors.
func parse(vm *VM, src, name string) *function {
	p := &parser{lexer: lexer{src: src, name: name, line: 1}, vm: vm}
	p.f = &function{vararg: true, name: "main chunk"}
	p.advance()
	p.f.body = p.block()
	p.expect(tokEOF)
	return p.f
}

func (p *parser) deeper() {
	if p.depth++; p.depth > nestedMax {
		p.fail("chunk has too many syntax levels", "")
	}
}

func (p *parser) chained(n int) {
	if n > chainMax {
		p.fail("chunk has too many syntax levels", "")
	}
}

func (p *parser) accept(t token) bool {
	if p.tok == t {
		p.advance()
		return true
	}
	return false
}

func (p *parser) expect(t token) {
	if !p.accept(t) {
		p.syntax("'" + t.String() + "' expected")
	}
}

// closes expects the word that ends what open began at a line.
func (p *parser) closes(t, open token, line int) {
	if p.tok == t {
		p.advance()
		return
	}
	if line == p.line {
		p.syntax("'" + t.String() + "' expected")
	}
	p.syntax(fmt.Sprintf("'%s' expected (to close '%s' at line %d)", t, open, line))
}

func (p *parser) name() string {
	if p.tok != tokName {
		p.syntax("'<name>' expected")
	}
	name := p.text
	p.advance()
	return name
}

// declare makes a local, in sight from now on.
func (p *parser) declare(name string) *local {
	l := p.place(name)
	p.f.live = append(p.f.live, l)
	return l
}

func (p *parser) place(name string) *local {
	if len(p.f.live) >= localsMax {
		p.tooMany("local variables", localsMax)
	}
	l := &local{name: name, slot: len(p.f.live)}
	p.f.slots = max(p.f.slots, l.slot+1)
	return l
}

func (p *parser) tooMany(what string, limit int) {
	where := "main function"
	if p.f.parent != nil {
		where = fmt.Sprintf("function at line %d", p.f.line)
	}
	p.fail(fmt.Sprintf("%s has more than %d %s", where, limit, what), "")
}

// declareAll makes locals of names at once: none is in sight of the others' values.
func (p *parser) declareAll(names []string) []*local {
	out := make([]*local, len(names))
	for i, n := range names {
		out[i] = p.declare(n)
	}
	return out
}

func (p *parser) scoped(body func()) {
	live := len(p.f.live)
	body()
	p.f.live = p.f.live[:live]
}

// resolve finds what a name means in a function.
func (p *parser) resolve(f *function, name string) expr {
	for i := len(f.live) - 1; i >= 0; i-- {
		if f.live[i].name == name {
			return &localExpr{f.live[i]}
		}
	}
	if i := p.capture(f, name); i >= 0 {
		return &upExpr{i, name}
	}
	return &globalExpr{name, p.line}
}

func (p *parser) capture(f *function, name string) int {
	if i, ok := f.upsIndex[name]; ok { // what is around a function stays while it is parsed
		return i
	}
	if f.parent == nil {
		return -1
	}
	c := capture{index: -1}
	for i := len(f.parent.live) - 1; i >= 0; i-- {
		if f.parent.live[i].name == name {
			c.l = f.parent.live[i]
			c.l.captured = true
			break
		}
	}
	if c.l == nil {
		if c.index = p.capture(f.parent, name); c.index < 0 {
			return -1
		}
	}
	if len(f.ups) >= capturesMax {
		p.f = f
		p.tooMany("upvalues", capturesMax)
	}
	if f.upsIndex == nil {
		f.upsIndex = map[string]int{}
	}
	f.ups = append(f.ups, c)
	f.upsIndex[name] = len(f.ups) - 1
	return len(f.ups) - 1
}

func (p *parser) block() []statement {
	var out []statement
	p.scoped(func() {
		for !p.blockEnds() {
			last := p.tok == tokReturn || p.tok == tokBreak
			out = p.statement(out)
			p.accept(';')
			if last {
				break
			}
		}
	})
	return out
}

func (p *parser) blockEnds() bool {
	switch p.tok {
	case tokElse, tokElseIf, tokEnd, tokEOF, tokUntil:
		return true
	}
	return false
}

func (p *parser) statement(out []statement) []statement {
	p.deeper()
	defer func() { p.depth-- }()
	line := p.line
	switch p.tok {
	case tokIf:
		return append(out, p.ifStatement(line))
	case tokWhile:
		p.advance()
		cond := p.expr()
		p.expect(tokDo)
		body := p.loop()
		p.closes(tokEnd, tokWhile, line)
		return append(out, &whileStat{cond, body, line})
	case tokDo:
		p.advance()
		body := p.block()
		p.closes(tokEnd, tokDo, line)
		return append(out, &doStat{body})
	case tokFor:
		return append(out, p.forStatement(line))
	case tokRepeat:
		return append(out, p.repeatStatement(line))
	case tokFunction:
		return append(out, p.functionStatement(line))
	case tokLocal:
		p.advance()
		if p.accept(tokFunction) {
			v := p.declare(p.name())
			return append(out, &functionStat{v, p.function(false, line, v.name)})
		}
		return append(out, p.localStatement(line))
	case tokReturn:
		return append(out, p.returnStatement(line))
	case tokBreak:
		p.advance()
		if p.f.loops == 0 {
			p.syntax("no loop to break")
		}
		return append(out, &breakStat{})
	}
	return append(out, p.expressionStatement(line))
}

func (p *parser) loop() []statement {
	p.f.loops++
	body := p.block()
	p.f.loops--
	return body
}

func (p *parser) ifStatement(line int) statement {
	s := &ifStat{}
	for {
		p.advance()
		s.conds = append(s.conds, p.expr())
		p.expect(tokThen)
		s.bodies = append(s.bodies, p.block())
		if p.tok != tokElseIf {
			break
		}
	}
	if p.accept(tokElse) {
		s.other = p.block()
	}
	p.closes(tokEnd, tokIf, line)
	return s
}

func (p *parser) repeatStatement(line int) statement {
	p.advance()
	s := &repeatStat{line: line}
	p.scoped(func() { // the condition sees the body's locals
		p.f.loops++
		for !p.blockEnds() {
			last := p.tok == tokReturn || p.tok == tokBreak
			s.body = p.statement(s.body)
			p.accept(';')
			if last {
				break
			}
		}
		p.f.loops--
		p.closes(tokUntil, tokRepeat, line)
		s.cond = p.expr()
	})
	return s
}

func (p *parser) forStatement(line int) statement {
	p.advance()
	name := p.name()
	var out statement
	p.scoped(func() {
		switch p.tok {
		case '=':
			out = p.countLoop(name, line)
		case ',', tokIn:
			out = p.eachLoop(name)
		default:
			p.syntax("'=' or 'in' expected")
		}
	})
	p.closes(tokEnd, tokFor, line)
	return out
}

func (p *parser) countLoop(name string, line int) statement {
	p.advance()
	s := &countStat{line: line}
	s.from = p.expr()
	p.expect(',')
	s.to = p.expr()
	if p.accept(',') {
		s.step = p.expr()
	}
	p.expect(tokDo)
	s.v = p.declare(name)
	s.body = p.loop()
	return s
}

func (p *parser) eachLoop(name string) statement {
	names := []string{name}
	for p.accept(',') {
		names = append(names, p.name())
	}
	p.expect(tokIn)
	s := &eachStat{line: p.line}
	s.vals = p.exprs()
	p.expect(tokDo)
	s.state = p.declare("(for generator)").slot
	p.declare("(for state)")
	p.declare("(for control)")
	s.vars = p.declareAll(names)
	s.body = p.loop()
	return s
}

func (p *parser) functionStatement(line int) statement {
	p.advance()
	full := p.name()
	target := p.resolve(p.f, full)
	method := false
	for p.tok == '.' || p.tok == ':' {
		method = p.tok == ':'
		p.advance()
		key := p.name()
		full += "." + key
		target = &indexExpr{target, &constExpr{p.constant(key)}, p.line}
		if method {
			break
		}
	}
	f := p.function(method, line, full)
	return &assignStat{[]expr{target}, []expr{&functionExpr{f}}, line}
}

func (p *parser) localStatement(line int) statement {
	names := []string{p.name()}
	for p.accept(',') {
		names = append(names, p.name())
	}
	s := &localStat{line: line}
	if p.accept('=') {
		s.vals = p.exprs()
	}
	s.vars = p.declareAll(names)
	return s
}

func (p *parser) returnStatement(line int) statement {
	p.advance()
	s := &returnStat{line: line}
	if !p.blockEnds() && p.tok != ';' {
		s.vals = p.exprs()
	}
	return s
}

// expressionStatement is a call or an assignment.
func (p *parser) expressionStatement(line int) statement {
	e := p.suffixed()
	if p.tok != '=' && p.tok != ',' {
		switch e := e.(type) {
		case *callExpr:
			return &callStat{e}
		case *parenExpr:
			p.syntax("syntax error")
		}
		p.expect('=')
	}
	s := &assignStat{line: line}
	for {
		switch e.(type) {
		case *localExpr, *upExpr, *globalExpr, *indexExpr:
		default:
			p.syntax("syntax error")
		}
		s.targets = append(s.targets, e)
		if len(s.targets) > nestedMax {
			p.fail("chunk has too many syntax levels", "")
		}
		if !p.accept(',') {
			break
		}
		e = p.suffixed()
	}
	p.expect('=')
	s.vals = p.exprs()
	return s
}

func (p *parser) exprs() []expr {
	out := []expr{p.expr()}
	for p.accept(',') {
		out = append(out, p.expr())
	}
	return out
}

func (p *parser) constant(s string) Value {
	v := p.vm.text(s)
	v.o.(*str).hash()
	return v
}

func (p *parser) expr() expr { return p.binary(0) }

func (p *parser) binary(limit int) expr {
	p.deeper()
	defer func() { p.depth-- }()
	e := p.unary()
	for n := 0; ; n++ {
		p.chained(n)
		op, ok := binaryOps[p.tok]
		if !ok || priorities[op].left <= limit {
			return e
		}
		line := p.line
		p.advance()
		r := p.binary(priorities[op].right)
		switch op {
		case opAnd, opOr:
			e = &logicExpr{op == opAnd, e, r}
		default:
			e = &binaryExpr{op, e, r, line}
		}
	}
}

func (p *parser) unary() expr {
	var op operator
	switch p.tok {
	case tokNot:
		op = opNot
	case '-':
		op = opNeg
	case '#':
		op = opLen
	default:
		return p.simple()
	}
	line := p.line
	p.advance()
	e := p.binary(unaryPriority)
	if c, ok := e.(*constExpr); ok && op == opNeg {
		if n, ok := c.v.number(); ok {
			return &constExpr{num(-n)}
		}
	}
	return &unaryExpr{op, e, line}
}

func (p *parser) simple() expr {
	var v Value
	switch p.tok {
	case tokNumber:
		v = num(p.number)
	case tokString:
		v = p.constant(p.text)
	case tokNil:
	case tokTrue:
		v = boolean(true)
	case tokFalse:
		v = boolean(false)
	case tokDots:
		if !p.f.vararg {
			p.syntax("cannot use '...' outside a vararg function")
		}
		p.f.dots = true
		p.advance()
		return &dotsExpr{}
	case '{':
		return p.table()
	case tokFunction:
		line := p.line
		p.advance()
		return &functionExpr{p.function(false, line, "")}
	default:
		return p.suffixed()
	}
	p.advance()
	return &constExpr{v}
}

func (p *parser) primary() expr {
	line := p.line
	switch p.tok {
	case tokName:
		name := p.text
		e := p.resolve(p.f, name)
		p.advance()
		return e
	case '(':
		p.advance()
		e := p.expr()
		p.closes(')', '(', line)
		return &parenExpr{e}
	}
	p.syntax("unexpected symbol")
	return nil
}

func (p *parser) suffixed() expr {
	e := p.primary()
	for n := 0; ; n++ {
		p.chained(n)
		switch p.tok {
		case '.':
			p.advance()
			e = &indexExpr{e, &constExpr{p.constant(p.name())}, p.last}
		case '[':
			p.advance()
			key := p.expr()
			p.expect(']')
			e = &indexExpr{e, key, p.last}
		case ':':
			p.advance()
			name := p.name()
			e = p.call(e, name)
		case '(', tokString, '{':
			e = p.call(e, "")
		default:
			return e
		}
	}
}

func (p *parser) call(fn expr, method string) expr {
	c := &callExpr{fn: fn, method: method, line: p.line}
	switch p.tok {
	case tokString:
		c.args = []expr{&constExpr{p.constant(p.text)}}
		p.advance()
	case '{':
		c.args = []expr{p.table()}
	case '(':
		line := p.line
		if line != p.last {
			p.syntax("ambiguous syntax (function call x new statement)")
		}
		p.advance()
		if p.tok != ')' {
			c.args = p.exprs()
		}
		p.closes(')', '(', line)
	default:
		p.syntax("function arguments expected")
	}
	return c
}

func (p *parser) table() expr {
	line := p.line
	t := &tableExpr{line: line}
	p.expect('{')
	for p.tok != '}' {
		switch {
		case p.tok == tokName && p.peek() == '=':
			key := &constExpr{p.constant(p.name())}
			p.advance()
			t.add(key, p.expr())
		case p.tok == '[':
			p.advance()
			key := p.expr()
			p.expect(']')
			p.expect('=')
			t.add(key, p.expr())
		default:
			t.list = append(t.list, p.expr())
		}
		if !p.accept(',') && !p.accept(';') {
			break
		}
	}
	p.closes('}', '{', line)
	return t
}

func (t *tableExpr) add(key, val expr) {
	t.fields = append(t.fields, field{key, val})
	t.order = append(t.order, len(t.list))
}

// function parses parameters and body.
func (p *parser) function(method bool, line int, name string) *function {
	f := &function{parent: p.f, line: line, name: name}
	p.f = f
	if method {
		f.params = append(f.params, p.declare("self"))
	}
	p.expect('(')
	for p.tok != ')' {
		if p.tok == tokDots {
			p.advance()
			f.vararg = true
			break
		}
		if p.tok != tokName {
			p.syntax("<name> or '...' expected")
		}
		f.params = append(f.params, p.declare(p.name()))
		if !p.accept(',') {
			break
		} else if p.tok == ')' {
			p.syntax("<name> or '...' expected")
		}
	}
	p.expect(')')
	if f.vararg {
		f.arg = p.declare("arg")
	}
	f.body = p.block()
	p.closes(tokEnd, tokFunction, line)
	p.f = f.parent
	return f
}
