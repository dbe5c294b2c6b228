package script

import (
	"strconv"
)

// Limits of a run.
const (
	depthMax  = 20000   // Lua functions inside each other
	weightMax = 400_000 // their heights together: levels of closures on the Go stack
	nativeMax = 198     // library functions that call back inside each other
	chunkSize = 1024    // values of a piece of a stack

	levelsCounted = 1024 // heights whose memory is counted at once
	manyArgs      = 64
)

// signal says how a statement ended.
type signal int

const (
	sigNone signal = iota
	sigBreak
	sigReturn // the values are in frame.ret
	sigTail   // frame.tail is to be called with frame.ret
)

// thread is a coroutine, or the main program: a stack of frames. Values above top are nil.
type thread struct {
	vm     *VM
	id     uint32
	chunks [][]Value
	chunk  int // the piece in use
	top    int // in it
	frames []*frame
	depth  int // of the running frame in frames, 0 = none
	weight int // heights of the running frames' functions
	// counted is for how much weight the Go stack's memory has been counted: a stack does not shrink while its coroutine lives.
	counted int
	calls   int // library functions that call back, inside each other
	base    int // of a coroutine: calls when it was resumed; it may yield only there

	site  *site // of the call of the library function that runs, nil: another library function called it
	fromC bool  // likewise
	one   [1]Value
	rets  []Value

	// A coroutine's.
	body    Value
	state   coState
	resumer *thread
	handed  []Value
	next    func() ([]Value, bool)
	stop    func()
	yield   func([]Value) bool
	raised  *luaError
}

// frame is a Lua function that runs.
type frame struct {
	th       *thread
	cl       *closure
	regs     []Value
	varargs  []Value
	ret      []Value
	few      [3]Value
	tail     Value
	line     int
	external bool  // a library function called it
	self     Value // of a method call whose arguments are evaluated
}

// site is a place of a call: what messages say of it.
type site struct {
	line       int
	kind, name string // "global", "f"
}

// mark is a place on a stack.
type mark struct{ chunk, top int }

func (vm *VM) newThread() *thread {
	th := &thread{vm: vm, id: vm.id()}
	th.chunks = append(th.chunks, make([]Value, chunkSize))
	th.frames = append(th.frames, &frame{th: th})
	return th
}

func (th *thread) mark() mark { return mark{th.chunk, th.top} }

// reserve gives n values on the stack, which are nil.
func (th *thread) reserve(n int) []Value {
	c := th.chunks[th.chunk]
	if th.top+n > len(c) {
		th.chunk++
		th.top = 0
		if th.chunk == len(th.chunks) {
			th.vm.grow(int64(max(n, chunkSize)) * valueSize)
			th.chunks = append(th.chunks, make([]Value, max(n, chunkSize)))
		} else if len(th.chunks[th.chunk]) < n {
			th.vm.grow(int64(n) * valueSize)
			th.chunks[th.chunk] = make([]Value, n)
		}
		c = th.chunks[th.chunk]
	}
	out := c[th.top : th.top+n : th.top+n]
	th.top += n
	return out
}

// release gives back what was reserved since the mark.
func (th *thread) release(m mark) {
	for th.chunk > m.chunk {
		clear(th.chunks[th.chunk][:th.top])
		th.chunk--
		th.top = len(th.chunks[th.chunk])
	}
	if th.top > m.top {
		clear(th.chunks[m.chunk][m.top:th.top])
	}
	th.top = m.top
}

// enter makes the frame of a function whose arguments are the last that was reserved.
func (th *thread) enter(cl *closure, args []Value, external bool) *frame {
	p := cl.p
	if th.depth >= depthMax || th.weight+p.height > weightMax {
		th.overflow()
	}
	th.depth++
	if th.weight += p.height; th.weight > th.counted {
		th.counted += levelsCounted
		th.vm.grow(levelsCounted * levelSize)
	}
	if th.depth == len(th.frames) {
		th.frames = append(th.frames, &frame{th: th})
	}
	f := th.frames[th.depth]
	f.cl, f.ret, f.varargs, f.external, f.line = cl, nil, nil, external, p.line
	n := len(args)
	if n > manyArgs {
		th.steps(n / manyArgs) // passing them takes time
	}
	if p.vararg && n > p.params {
		th.vm.grow(int64(n) * valueSize)
		f.varargs = append(f.varargs, args[p.params:]...)
	}
	if n > p.params {
		clear(args[p.params:])
	}
	if base := th.top - n; base >= 0 && base+p.slots <= len(th.chunks[th.chunk]) {
		f.regs = th.chunks[th.chunk][base : base+p.slots : base+p.slots]
		th.top = max(th.top, base+p.slots)
	} else {
		f.regs = th.reserve(p.slots)
		copy(f.regs, args[:min(n, p.params)])
	}
	p.open(f)
	return f
}

func (th *thread) overflow() {
	source, line := th.place(1)
	text := "stack overflow"
	if line > 0 {
		text = placed(source, line, text)
	}
	panic(&luaError{value: th.vm.text(text), source: source, line: line})
}

// run calls a function whose arguments are the last that was reserved, since m; it gives back the stack from m on. What it returns is valid until the
// next call.
func (th *thread) run(cl *closure, args []Value, m mark, external bool) []Value {
	for {
		f := th.enter(cl, args, external)
		th.tick()
		sig := cl.p.body(f)
		th.depth--
		th.weight -= cl.p.height
		th.release(m)
		if sig != sigTail {
			return f.ret
		}
		fn, given := f.tail, f.ret
		f.tail = Value{}
		next, ok := fn.o.(*closure)
		if !ok {
			return th.apply(fn, given, external)
		}
		cl = next
		args = th.reserve(len(given))
		copy(args, given)
	}
}

// apply calls any value with arguments that lie elsewhere.
func (th *thread) apply(fn Value, given []Value, external bool) []Value {
	switch o := fn.o.(type) {
	case *closure:
		m := th.mark()
		args := th.reserve(len(given))
		copy(args, given)
		return th.run(o, args, m, external)
	case *native:
		return o.fn(th, given)
	}
	h := th.vm.metamethod(fn, nameCall)
	if h.isNil() {
		th.fail("attempt to call a " + typeName(fn) + " value")
	}
	return th.apply(h, append([]Value{fn}, given...), external)
}

// call is for library functions that call back.
func (th *thread) call(fn Value, args ...Value) []Value { return th.callAs(true, fn, args) }

// meta calls a metamethod for the program.
func (th *thread) meta(fn Value, args ...Value) Value {
	if rets := th.callAs(false, fn, args); len(rets) > 0 {
		return rets[0]
	}
	return Value{}
}

// callAs calls fn from Go; external: for a library, not for the program itself.
func (th *thread) callAs(external bool, fn Value, args []Value) []Value {
	if th.calls >= nativeMax {
		if external {
			th.failBare("C stack overflow")
		}
		th.fail("C stack overflow")
	}
	th.calls++
	was, wasC := th.site, th.fromC
	th.site, th.fromC = nil, external
	rets := th.apply(fn, args, external)
	th.site, th.fromC = was, wasC
	th.calls--
	return rets
}

func (th *thread) call1(fn Value, args ...Value) Value {
	if rets := th.call(fn, args...); len(rets) > 0 {
		return rets[0]
	}
	return Value{}
}

// state is what a protected call puts back.
type state struct {
	m            mark
	depth, calls int
	weight       int
	site         *site
	fromC        bool
}

func (th *thread) saved() state {
	return state{th.mark(), th.depth, th.calls, th.weight, th.site, th.fromC}
}

func (th *thread) restore(s state) {
	th.release(s.m)
	th.depth, th.calls, th.weight, th.site, th.fromC = s.depth, s.calls, s.weight, s.site, s.fromC
}

// protect calls and catches what is raised, but for fatal errors.
func (th *thread) protect(body func() []Value) (rets []Value, raised *luaError) {
	s := th.saved()
	vm := th.vm
	defer func() {
		if p := recover(); p != nil {
			e, ok := p.(*luaError)
			if !ok || e.fatal {
				panic(p)
			}
			vm.running = th
			th.restore(s)
			rets, raised = nil, e
		}
	}()
	return body(), nil
}

// place tells where the function runs that stands level functions up: 1 is the one that called the running library function.
func (th *thread) place(level int) (source string, line int) {
	if level == 1 && th.fromC {
		return "", 0
	}
	d := th.depth
	if th.fromC {
		level--
	}
	for ; level > 1 && d > 0; level-- {
		if th.frames[d].external {
			if level--; level <= 1 {
				return "", 0
			}
		}
		d--
	}
	if d <= 0 {
		return "", 0
	}
	f := th.frames[d]
	return f.cl.p.source, f.line
}

// fail raises an error of the running library function, with the place of its caller.
func (th *thread) fail(text string) {
	source, line := th.place(1)
	if line > 0 {
		text = placed(source, line, text)
	}
	panic(&luaError{value: th.vm.text(text), source: source, line: line})
}

// failBare raises an error without a place in its text.
func (th *thread) failBare(text string) {
	source, line := th.place(1)
	panic(&luaError{value: th.vm.text(text), source: source, line: line})
}

// fail raises an error of a Lua function.
func (f *frame) fail(line int, text string) {
	f.line = line
	source := f.cl.p.source
	panic(&luaError{value: f.th.vm.text(placed(source, line, text)), source: source, line: line})
}

// ret1 makes a result of one value.
func (th *thread) ret1(v Value) []Value {
	th.one[0] = v
	return th.one[:]
}

// prefix puts a value before results.
func (th *thread) prefix(v Value, rets []Value) []Value {
	n := len(rets) + 1
	if cap(th.rets) < n {
		th.rets = append(make([]Value, 0, 2*n), th.rets...)
	}
	out := th.rets[:n]
	copy(out[1:], rets)
	out[0] = v
	return out
}

// some makes results.
func (th *thread) some(vals ...Value) []Value {
	th.rets = append(th.rets[:0], vals...)
	return th.rets
}

// placed puts a place before a message.
func placed(source string, line int, text string) string {
	return source + ":" + strconv.Itoa(line) + ": " + text
}
