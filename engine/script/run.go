package script

import (
	"slices"
	"strconv"
	"strings"
)

// Program is a compiled script.
type Program struct{ fn *closure }

// Compile compiles a script; wrong is Lua's message if it can't be.
func (vm *VM) Compile(src, name string) (p *Program, wrong string) {
	failed := vm.guard(func() { p = &Program{vm.compile(src, name, vm.globals)} })
	if failed != nil {
		return nil, failed.Text
	}
	return p, ""
}

// framesKept is how many frames are kept from run to run.
const framesKept = 256

// guard runs body and gives what it raised. Whatever happened, the VM can be used again.
func (vm *VM) guard(body func()) (failed *Failure) {
	defer func() {
		if p := recover(); p != nil {
			failed = vm.catch(p)
		}
		th := vm.main
		vm.endCoroutines()
		vm.running = th
		th.restore(state{})
		th.state = coRunning
		if len(th.chunks) > 1 {
			clear(th.chunks[1:])
			th.chunks = th.chunks[:1]
		}
		th.counted = 0 // the collector shrinks what was used once
		if len(th.frames) > framesKept {
			clear(th.frames[framesKept:])
			th.frames = th.frames[:framesKept]
		}
	}()
	if vm.allocated >= vm.censusAt {
		vm.census(vm.main) // the script before has left its garbage counted
	}
	body()
	return nil
}

// Run runs a program with KEYS and ARGV and appends its reply to out, in the protocol version proto.
func (vm *VM) Run(p *Program, host Host, keys, args [][]byte, out []byte, proto int) ([]byte, *Failure) {
	return vm.finish(Value{o: p.fn}, host, out, proto, func() (values []Value) {
		vm.fill(vm.keys, keys)
		vm.fill(vm.argv, args)
		return nil
	})
}

func (vm *VM) begin(host Host) {
	vm.host, vm.proto, vm.steps, vm.errorCounted = host, 2, 0, false
}

// ErrorCounted tells whether the last reply is an error that a command of the script has had.
func (vm *VM) ErrorCounted() bool { return vm.errorCounted }

// finish runs fn with what prepare gives; prepare is guarded too, since arguments may be larger than a script's memory.
func (vm *VM) finish(fn Value, host Host, out []byte, proto int, prepare func() []Value) ([]byte, *Failure) {
	vm.begin(host)
	from := len(out)
	failed := vm.guard(func() {
		rets := vm.main.apply(fn, prepare(), true)
		w := replyWriter{th: vm.main, out: out, proto: proto}
		w.value(arg(rets, 0), 0)
		out = w.out
	})
	vm.host = nil
	if failed != nil {
		out = out[:from]
	}
	return out, failed
}

// fill makes a table's elements these, and takes out whatever a script before has left there.
func (vm *VM) fill(t *Table, vals [][]byte) {
	t.meta, t.nodes, t.free = nil, nil, 0
	if cap(t.list) < len(vals) {
		t.list = make([]Value, len(vals))
	}
	clear(t.list)
	t.list = t.list[:len(vals)]
	for i, v := range vals {
		t.list[i] = vm.text(string(v))
	}
}

// Function is a function of a library.
type Function struct {
	Name, Description string
	Described         bool
	Flags             []string
	value             Value
}

type loader struct {
	functions []*Function
	flags     func(string) bool
}

// Load runs a library's program, which registers its functions. known tells which flags there are.
func (vm *VM) Load(src, name string, host Host, known func(flag string) bool) ([]*Function, *Failure) {
	vm.begin(host)
	l := &loader{flags: known}
	compiled := false
	failed := vm.guard(func() {
		fn := vm.compile(src, name, vm.globals)
		vm.loading, compiled = l, true
		vm.swapGlobals()
		defer vm.swapGlobals()
		vm.main.apply(Value{o: fn}, nil, true)
	})
	vm.loading, vm.host = nil, nil
	if failed != nil {
		failed.Compile = !compiled
		return nil, failed
	}
	return l.functions, nil
}

// Keep says which functions are in use: what only they reach counts as living.
func (vm *VM) Keep(functions []*Function) { vm.functions = functions }

// Call calls a function with its keys and arguments.
func (vm *VM) Call(f *Function, host Host, keys, args [][]byte, out []byte, proto int) ([]byte, *Failure) {
	return vm.finish(f.value, host, out, proto, func() []Value {
		k, a := vm.newTable(len(keys), 0), vm.newTable(len(args), 0)
		vm.fill(k, keys)
		vm.fill(a, args)
		return []Value{table(k), table(a)}
	})
}

func registerFunction(th *thread, args []Value) []Value {
	l := th.vm.loading
	if l == nil {
		th.raise("ERR redis.register_function can only be called on FUNCTION LOAD command")
	}
	f := &Function{}
	switch t, named := arg(args, 0).o.(*Table); {
	case len(args) == 1 && named:
		th.registerNamed(f, t, l)
	case len(args) == 2:
		name, ok := asText(args[0])
		if !ok {
			th.raise("ERR first argument to redis.register_function must be a string")
		}
		if !isFunction(args[1]) {
			th.raise("ERR second argument to redis.register_function must be a function")
		}
		f.Name, f.value = name, args[1]
	case len(args) == 1:
		th.raise("ERR calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).")
	default:
		th.raise("ERR wrong number of arguments to redis.register_function")
	}
	for _, other := range l.functions {
		if strings.EqualFold(other.Name, f.Name) {
			th.raise("ERR Function already exists in the library")
		}
	}
	if !validName(f.Name) {
		th.raise("ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long")
	}
	l.functions = append(l.functions, f)
	return nil
}

func validName(name string) bool {
	for i := range len(name) {
		if !isAlnum(name[i]) {
			return false
		}
	}
	return name != ""
}

func (th *thread) registerNamed(f *Function, t *Table, l *loader) {
	named := false
	for pos := 0; ; {
		k, v, next := t.at(pos)
		if next == 0 {
			break
		}
		pos = next
		key, ok := asText(k)
		if !ok {
			th.raise("ERR named argument key given to redis.register_function is not a string")
		}
		text, isText := asText(v)
		switch key {
		case "function_name":
			if !isText {
				th.raise("ERR function_name argument given to redis.register_function must be a string")
			}
			f.Name, named = text, true
		case "description":
			if !isText {
				th.raise("ERR description argument given to redis.register_function must be a string")
			}
			f.Description, f.Described = text, true
		case "callback":
			if !isFunction(v) {
				th.raise("ERR callback argument given to redis.register_function must be a function")
			}
			f.value = v
		case "flags":
			flags, ok := v.o.(*Table)
			if !ok {
				th.raise("ERR flags argument to redis.register_function must be a table representing function flags")
			}
			f.Flags = th.functionFlags(flags, l)
		default:
			th.raise("ERR unknown argument given to redis.register_function")
		}
	}
	if !named {
		th.raise("ERR redis.register_function must get a function name argument")
	}
	if f.value.isNil() {
		th.raise("ERR redis.register_function must get a callback argument")
	}
}

func (th *thread) functionFlags(t *Table, l *loader) []string {
	var out []string
	for i := 1; ; i++ {
		v := t.getInt(i)
		if v.isNil() {
			return out
		}
		s, ok := v.o.(*str)
		if !ok || !l.flags(s.s) {
			th.raise("ERR unknown flag given")
		}
		if !slices.Contains(out, s.s) {
			out = append(out, s.s)
		}
	}
}

// Where is the place of a failure as Redis writes it.
func (f *Failure) Where() string {
	if f.Source == "" {
		return ""
	}
	return "@" + f.Source + ":" + strconv.Itoa(f.Line)
}
