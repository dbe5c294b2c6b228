package script

import (
	"crypto/sha1" //nolint:gosec // scripts are named by it
	"encoding/hex"
	"strings"

	"larder/protocol/encoding/decimal"
)

// Levels of redis.log, and what set_repl takes.
const (
	LogDebug = iota
	LogVerbose
	LogNotice
	LogWarning
)

const replAll = 3

// SHA1 names a script: 40 hex digits.
func SHA1(src []byte) string {
	sum := sha1.Sum(src) //nolint:gosec // a name
	return hex.EncodeToString(sum[:])
}

// openLibraries makes the globals, which nobody can change then.
func (vm *VM) openLibraries() {
	g := vm.newTable(0, 64)
	vm.globals = g
	names, lib := vm.baseLibrary()
	vm.open(g, names, lib)
	vm.kept.next, _ = g.getText("next").o.(*native)
	vm.null = &userdata{id: vm.id()}
	g.setText(vm, "_VERSION", vm.text("Lua 5.1"))
	g.setText(vm, "_G", table(g))
	g.setText(vm, "coroutine", table(vm.openCoroutine()))
	g.setText(vm, "table", table(vm.openTable()))
	g.setText(vm, "string", table(vm.openString()))
	g.setText(vm, "math", table(vm.openMath()))
	g.setText(vm, "cjson", table(vm.openJSON()))
	g.setText(vm, "struct", table(vm.openStruct()))
	g.setText(vm, "cmsgpack", table(vm.openMsgpack()))
	g.setText(vm, "bit", table(vm.openBit()))
	g.setText(vm, "redis", table(vm.openRedis()))
	if !vm.opts.Functions {
		vm.keys, vm.argv = vm.newTable(0, 0), vm.newTable(0, 0)
		g.setText(vm, "KEYS", table(vm.keys))
		g.setText(vm, "ARGV", table(vm.argv))
	}
	g.meta = vm.newTable(0, 2)
	g.meta.setText(vm, "__index", Value{o: vm.native("__index", missingGlobal)})
	vm.protect(g, map[*Table]bool{})
	vm.strMeta.readOnly = true
	if vm.opts.Functions {
		vm.openLoading()
	}
}

// openLoading makes what a library sees while it is loaded: redis, and in it what registers functions, the log and the version.
func (vm *VM) openLoading() {
	r := vm.newTable(0, 16)
	vm.open(r, []string{"register_function", "log"}, library{"register_function": registerFunction, "log": redisLog})
	vm.setNames(r)
	r.meta = vm.globals.meta
	vm.whileLoading = vm.newTable(0, 1)
	vm.whileLoading.setText(vm, "redis", table(r))
	vm.protect(vm.whileLoading, map[*Table]bool{})
}

// swapGlobals changes the globals for those of loading, or back.
func (vm *VM) swapGlobals() {
	g, l := vm.globals, vm.whileLoading
	g.nodes, l.nodes = l.nodes, g.nodes
	g.free, l.free = l.free, g.free
}

func missingGlobal(th *thread, args []Value) []Value {
	name, ok := asText(arg(args, 1))
	if !ok {
		name = typeName(arg(args, 1))
	}
	th.fail("Script attempted to access nonexistent global variable '" + name + "'")
	return nil
}

// protect makes a table and all tables in it read-only, but for KEYS and ARGV.
func (vm *VM) protect(t *Table, seen map[*Table]bool) {
	if t == nil || seen[t] || t == vm.keys || t == vm.argv {
		return
	}
	seen[t] = true
	t.readOnly = true
	vm.protect(t.meta, seen)
	for i := range t.nodes {
		if inner, ok := t.nodes[i].val.o.(*Table); ok {
			vm.protect(inner, seen)
		}
	}
}

func (vm *VM) openRedis() *Table {
	t := vm.newTable(0, 32)
	names := []string{"call", "pcall", "log", "setresp", "sha1hex", "error_reply", "status_reply", "set_repl", "acl_check_cmd"}
	if !vm.opts.Functions {
		names = append(names, "replicate_commands", "breakpoint", "debug")
	}
	vm.open(t, names, library{
		"call": redisCall, "pcall": redisPCall, "log": redisLog, "setresp": redisSetResp, "sha1hex": redisSHA1, "error_reply": redisErrorReply,
		"status_reply": redisStatusReply, "set_repl": redisSetRepl, "replicate_commands": redisReplicateCommands, "breakpoint": redisBreakpoint,
		"debug": redisDebug, "acl_check_cmd": redisACLCheck,
	})
	vm.setNames(t)
	for n, v := range map[string]float64{"REPL_NONE": 0, "REPL_AOF": 1, "REPL_SLAVE": 2, "REPL_REPLICA": 2, "REPL_ALL": replAll} {
		t.setText(vm, n, num(v))
	}
	return t
}

// setNames sets the levels of the log and the version.
func (vm *VM) setNames(redis *Table) {
	for i, n := range []string{"LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING"} {
		redis.setText(vm, n, num(float64(i)))
	}
	redis.setText(vm, "REDIS_VERSION", vm.text(vm.opts.Version))
	redis.setText(vm, "REDIS_VERSION_NUM", num(float64(vm.opts.VersionNum)))
}

// raise raises an error table, as commands' errors are.
func (th *thread) raise(text string) {
	t := th.errorTable(text, false)
	source, line := th.place(1)
	panic(&luaError{value: table(t), source: source, line: line})
}

func (th *thread) errorTable(text string, counted bool) *Table {
	vm := th.vm
	t := vm.newTable(0, 1)
	t.setText(vm, "err", vm.text(text))
	if counted {
		t.setText(vm, "ignore_error_stats_update", boolean(true))
	}
	return t
}

func redisCall(th *thread, args []Value) []Value {
	v, failed := th.command(args)
	if failed {
		source, line := th.place(1)
		panic(&luaError{value: v, source: source, line: line})
	}
	return th.ret1(v)
}

func redisPCall(th *thread, args []Value) []Value {
	v, _ := th.command(args)
	return th.ret1(v)
}

// command runs a command for redis.call and redis.pcall.
func (th *thread) command(args []Value) (v Value, failed bool) {
	vm := th.vm
	if vm.loading != nil || vm.host == nil {
		return table(th.errorTable("ERR redis.call/pcall can only be called inside a script invocation", false)), true
	}
	if len(args) == 0 {
		return table(th.errorTable("ERR Please specify at least one argument for this redis lib call", false)), true
	}
	if !vm.commandArgs(args) {
		return table(th.errorTable("ERR Lua redis lib command arguments must be strings or integers", false)), true
	}
	reply := vm.host.Call(vm.args, vm.proto)
	p := &replyReader{vm: vm, in: reply}
	v = p.value(0)
	return v, p.failed
}

// commandArgs makes bytes of a command's arguments, in vm.args.
func (vm *VM) commandArgs(args []Value) bool {
	vm.args, vm.bytes = vm.args[:0], vm.bytes[:0]
	ends := vm.ends[:0]
	for _, a := range args {
		switch o := a.o.(type) {
		case *str:
			vm.bytes = append(vm.bytes, o.s...)
		case numTag:
			vm.bytes = appendArgument(vm.bytes, a.n)
		default:
			return false
		}
		ends = append(ends, len(vm.bytes))
	}
	vm.ends = ends
	from := 0
	for _, end := range ends {
		vm.args = append(vm.args, vm.bytes[from:end:end])
		from = end
	}
	if cap(vm.bytes) > bytesKept {
		vm.bytes = nil
	}
	return true
}

// bytesKept is how much room for arguments is kept from command to command.
const bytesKept = 1 << 20

// appendArgument writes a number as a command's argument: an integer, or a double as 7.2 writes it; the NaN of 0/0 keeps its sign.
func appendArgument(dst []byte, n float64) []byte {
	const digits = 17
	switch {
	case n == 0:
		return append(dst, '0')
	case n != n:
		return appendG(dst, n, digits)
	}
	return decimal.AppendDouble(dst, n)
}

func redisLog(th *thread, args []Value) []Value {
	if len(args) < 2 {
		th.raise("ERR redis.log() requires two arguments or more.")
	}
	level, ok := args[0].number()
	if !ok {
		th.raise("ERR First argument must be a number (log level).")
	}
	if level < LogDebug || level > LogWarning {
		th.raise("ERR Invalid debug level.")
	}
	var words []string
	for _, a := range args[1:] {
		if s, ok := asText(a); ok {
			words = append(words, s)
		}
	}
	if th.vm.host != nil {
		th.vm.host.Log(int(level), strings.Join(words, " "))
	}
	return nil
}

func redisSetResp(th *thread, args []Value) []Value {
	if len(args) != 1 {
		th.raise("ERR redis.setresp() requires one argument.")
	}
	n, _ := toNumber(args[0])
	if n != 2 && n != 3 {
		th.raise("ERR RESP version must be 2 or 3.")
	}
	th.vm.proto = int(n)
	return nil
}

func redisSHA1(th *thread, args []Value) []Value {
	if len(args) != 1 {
		th.raise("ERR wrong number of arguments")
	}
	s, _ := asText(args[0])
	return th.retText(SHA1([]byte(s)))
}

func redisErrorReply(th *thread, args []Value) []Value {
	s, ok := arg(args, 0).o.(*str)
	if len(args) != 1 || !ok {
		return th.ret1(table(th.errorTable("ERR wrong number or type of arguments", false)))
	}
	code, text, two := strings.Cut(strings.TrimPrefix(s.s, "-"), " ")
	if !two {
		code, text = "ERR", code
	}
	return th.ret1(table(th.errorTable(code+" "+strings.Trim(text, "\r\n"), false)))
}

func redisStatusReply(th *thread, args []Value) []Value {
	s, ok := arg(args, 0).o.(*str)
	if len(args) != 1 || !ok {
		return th.ret1(table(th.errorTable("ERR wrong number or type of arguments", false)))
	}
	t := th.vm.newTable(0, 1)
	t.setText(th.vm, "ok", Value{o: s})
	return th.ret1(table(t))
}

func redisSetRepl(th *thread, args []Value) []Value {
	if len(args) != 1 {
		th.raise("ERR redis.set_repl() requires two arguments.")
	}
	n, _ := toNumber(args[0])
	if flags := toInt(n); flags&^replAll != 0 {
		th.raise("ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")
	} else if th.vm.host != nil {
		th.vm.host.Replicate(flags)
	}
	return nil
}

func redisReplicateCommands(th *thread, _ []Value) []Value { return th.ret1(boolean(true)) }

func redisBreakpoint(th *thread, _ []Value) []Value { return th.ret1(boolean(false)) }

func redisDebug(*thread, []Value) []Value { return nil }

func redisACLCheck(th *thread, args []Value) []Value {
	vm := th.vm
	if len(args) == 0 {
		th.raise("ERR Please specify at least one argument for this redis lib call")
	}
	if !vm.commandArgs(args) {
		th.raise("ERR Lua redis lib command arguments must be strings or integers")
	}
	if vm.host == nil {
		return th.ret1(boolean(false))
	}
	allowed, known := vm.host.Allowed(vm.args)
	if !known {
		th.raise("ERR Invalid command passed to redis.acl_check_cmd()")
	}
	return th.ret1(boolean(allowed))
}
