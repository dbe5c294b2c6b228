// Package script runs Lua for the node: the language of Redis's scripts (Lua 5.1), its libraries as Redis has them, and what turns replies into Lua
// values and back. It knows nothing of the node: commands go through a Host.
//
// What must hold: one VM is used by one goroutine at a time; Run and Call never panic, whatever the script is; a script's memory is counted and bounded
// (Options.MemoryMax), its recursion too, and Host.Pause is called again and again while it runs, so that a script without an end can be stopped. The
// language is compiled to closures: no bytecode, no `go` statement; coroutines are iter.Pull's.
package script

import (
	"fmt"
	"runtime/debug"
)

// Options are a VM's.
type Options struct {
	Version    string // REDIS_VERSION
	VersionNum int    // REDIS_VERSION_NUM
	Functions  bool   // it runs libraries of functions: no KEYS and ARGV, register_function instead
	MemoryMax  int64  // bytes that a script's values may take, about; 0 = 256 MiB
}

const memoryMaxDefault = 256 << 20

// Host is what a script reaches of the node.
type Host interface {
	// Call runs a command and gives its reply's bytes, valid until the next call. The args are views that die with the call.
	Call(args [][]byte, proto int) []byte
	// Pause is called every some thousand steps. An error ends the script with that text.
	Pause() error
	// Log is redis.log.
	Log(level int, text string)
	// Allowed is redis.acl_check_cmd: whether the user may run the command; known is false if there is no such command.
	Allowed(args [][]byte) (allowed, known bool)
	// Replicate is redis.set_repl.
	Replicate(flags int)
}

// stepsPerPause is how many loop turns and calls lie between two calls of Host.Pause.
const stepsPerPause = 4096

// VM is one Lua state.
type VM struct {
	opts    Options
	host    Host
	globals *Table // what scripts see as globals
	strMeta *Table // the metatable of strings
	main    *thread
	running *thread

	steps  int
	nextID uint32
	dice   dice

	// allocated is what was made since the last census, plus what it found living; at censusAt the next one is due, at allocMax a library that makes
	// much at once is stopped.
	allocated, censusAt, allocMax int64
	roots                         []*Table // besides the globals: what libraries keep
	functions                     []*Function
	coroutines                    []*thread // of the present run that have not ended

	proto   int     // of redis.call's replies: redis.setresp
	loading *loader // while a library is loaded

	whileLoading *Table // of a VM of functions: the globals that a library sees while it is loaded, or, meanwhile, the others

	keys  *Table // KEYS and ARGV, used again by each run
	argv  *Table
	kept  keeping
	args  [][]byte // scratch of redis.call
	bytes []byte
	ends  []int

	null *userdata // cjson.null

	errorCounted bool // the reply is the error of a command
}

// keeping are functions that the VM itself knows.
type keeping struct{ next *native }

// New makes a VM with Redis's libraries.
func New(o Options) *VM {
	if o.MemoryMax == 0 {
		o.MemoryMax = memoryMaxDefault
	}
	vm := &VM{opts: o, proto: 2}
	vm.resetMemory(0)
	vm.main = vm.newThread()
	vm.running = vm.main
	vm.dice.x = diceStart
	vm.openLibraries()
	vm.resetMemory(0)
	return vm
}

// Failure is how a script ended that did not end well.
type Failure struct {
	Text string // what was raised, with its place if it is text
	Line int    // where it was raised, 0 = unknown
	// Source is where: "user_script", or the name of a library's chunk.
	Source  string
	Reply   bool // the error is a command's reply or a table with err: Text needs no ERR before it
	Ignore  bool // the command counted the error already
	Stopped bool // Host.Pause ended it
	Compile bool // it is no program
}

// luaError travels as a panic from where it is raised to who catches it.
type luaError struct {
	value  Value
	line   int
	source string
	fatal  bool // no pcall catches it: the script is stopped, or out of memory
	stop   bool

	noMemory bool
}

// tick counts a step.
func (th *thread) tick() {
	vm := th.vm
	vm.steps++
	if vm.steps < stepsPerPause && vm.allocated < vm.censusAt {
		return
	}
	vm.pause(th)
}

// pauseOnly lets the host have its say; a library function calls it, whose values no census would see.
func (vm *VM) pauseOnly(th *thread) {
	vm.steps = 0
	if vm.host == nil {
		return
	}
	if err := vm.host.Pause(); err != nil {
		source, line := th.place(1)
		text := err.Error()
		panic(&luaError{value: constant(text), source: source, line: line, fatal: true, stop: true})
	}
}

func (vm *VM) pause(th *thread) {
	if vm.steps >= stepsPerPause {
		vm.pauseOnly(th)
	}
	if vm.allocated >= vm.censusAt {
		vm.census(th)
	}
}

// catch turns a panic into a Failure; what is no Lua error is a bug of ours, which becomes an error of the script.
func (vm *VM) catch(p any) *Failure {
	e, ok := p.(*luaError)
	if !ok {
		return &Failure{Text: fmt.Sprintf("internal error: %v", p)}
	}
	f := &Failure{Line: e.line, Source: e.source, Stopped: e.stop}
	if e.noMemory {
		debug.FreeOSMemory() // the process has grown by more than any script may have: it shrinks at once
	}
	switch o := e.value.o.(type) {
	case *str:
		f.Text = o.s
	case *Table:
		if err, ok := o.getText("err").o.(*str); ok {
			f.Text, f.Reply = err.s, true
			f.Ignore = truth(o.getStr(nameCounted))
		} else {
			f.Text = "(error object is not a string)"
		}
	case nil:
		f.Text = "nil"
	default:
		f.Text = vm.show(e.value)
	}
	return f
}
