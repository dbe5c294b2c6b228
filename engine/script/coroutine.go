package script

import "iter"

type coState int

const (
	coSuspended coState = iota
	coRunning
	coNormal // it has resumed another
	coDead
)

func (s coState) String() string {
	return [...]string{"suspended", "running", "normal", "dead"}[s]
}

// coroutinesMax is how many coroutines of a run may be alive at once: each has a stack of its own.
const coroutinesMax = 10000

func (vm *VM) openCoroutine() *Table {
	return vm.open(vm.newTable(0, 8), []string{"create", "resume", "running", "status", "wrap", "yield"}, library{
		"create": coCreate, "resume": coResume, "running": coRunningThread, "status": coStatus, "wrap": coWrap, "yield": coYield,
	})
}

func coCreate(th *thread, args []Value) []Value { return th.ret1(Value{o: th.spawn(args)}) }

func (th *thread) spawn(args []Value) *thread {
	fn, ok := arg(args, 0).o.(*closure)
	if !ok {
		th.badArg(0, "Lua function expected")
	}
	vm := th.vm
	if len(vm.coroutines) >= coroutinesMax {
		vm.forgetDead()
		if len(vm.coroutines) >= coroutinesMax {
			th.fail("too many coroutines")
		}
	}
	vm.grow(threadSize)
	co := vm.newThread()
	co.body = Value{o: fn}
	vm.coroutines = append(vm.coroutines, co)
	return co
}

func (vm *VM) forgetDead() {
	alive := vm.coroutines[:0]
	for _, co := range vm.coroutines {
		if co.state != coDead {
			alive = append(alive, co)
		}
	}
	clear(vm.coroutines[len(alive):])
	vm.coroutines = alive
}

// stopped unwinds a coroutine that nobody resumes any more.
type stopped struct{}

// start makes the coroutine's own stack. What its body raises is kept in raised and given to who resumed it.
func (th *thread) start() {
	th.next, th.stop = iter.Pull(func(yield func([]Value) bool) {
		th.yield = yield
		defer func() {
			switch p := recover().(type) {
			case nil, stopped:
			case *luaError:
				th.raised = p
			default:
				panic(p)
			}
		}()
		rets := th.apply(th.body, th.handed, true)
		th.handed = append([]Value(nil), rets...)
	})
}

// resume runs the coroutine until it yields or ends.
func (th *thread) resume(co *thread, args []Value) ([]Value, *luaError) {
	if co.state != coSuspended {
		return nil, &luaError{value: th.vm.text("cannot resume " + co.state.String() + " coroutine")}
	}
	if th.calls > nativeMax {
		return nil, &luaError{value: th.vm.text("C stack overflow")}
	}
	vm := th.vm
	co.handed = append([]Value(nil), args...)
	co.calls = th.calls + 1
	co.base = co.calls
	co.resumer, th.state, co.state, vm.running = th, coNormal, coRunning, co
	if co.next == nil {
		co.start()
	}
	rets, more := co.next()
	th.state, vm.running, co.resumer = coRunning, th, nil
	if more {
		co.state = coSuspended
		return rets, nil
	}
	co.state = coDead
	if e := co.raised; e != nil {
		if e.fatal {
			panic(e)
		}
		return nil, e
	}
	return co.handed, nil
}

func coResume(th *thread, args []Value) []Value {
	co, ok := arg(args, 0).o.(*thread)
	if !ok {
		th.badArg(0, "coroutine expected")
	}
	rets, raised := th.resume(co, args[1:])
	if raised != nil {
		return th.some(boolean(false), raised.value)
	}
	return th.prefix(boolean(true), rets)
}

func coWrap(th *thread, args []Value) []Value {
	co := th.spawn(args)
	wrapped := th.vm.native("wrap", func(th *thread, args []Value) []Value {
		rets, raised := th.resume(co, args)
		if raised != nil {
			if s, ok := raised.value.o.(*str); ok {
				th.fail(s.s)
			}
			panic(raised)
		}
		return rets
	})
	th.vm.grow(closureSize)
	return th.ret1(Value{o: wrapped})
}

func coYield(th *thread, args []Value) []Value {
	if th == th.vm.main || th.calls > th.base {
		th.failBare("attempt to yield across metamethod/C-call boundary")
	}
	s := th.saved()
	if !th.yield(append([]Value(nil), args...)) {
		panic(stopped{})
	}
	th.site, th.fromC = s.site, s.fromC
	return th.handed
}

func coStatus(th *thread, args []Value) []Value {
	co, ok := arg(args, 0).o.(*thread)
	if !ok {
		th.badArg(0, "coroutine expected")
	}
	return th.retText(co.state.String())
}

func coRunningThread(th *thread, _ []Value) []Value {
	if th == th.vm.main {
		return th.ret1(Value{})
	}
	return th.ret1(Value{o: th})
}

// endCoroutines ends what a run has left suspended: their stacks are given back.
func (vm *VM) endCoroutines() {
	for _, co := range vm.coroutines {
		if co.stop != nil {
			co.stop()
		}
		co.state = coDead
	}
	clear(vm.coroutines)
	vm.coroutines = vm.coroutines[:0]
}
