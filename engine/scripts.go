package engine

import (
	"bytes"
	"iter"
	"strconv"
	"strings"
	"time"

	"larder/engine/script"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// scripts is what a node has of Lua: a VM for scripts and one for functions, which share no values, and the coroutine that runs both. They are made
// when first needed.
type scripts struct {
	vm, library *script.VM
	known       map[string]*program // by SHA1
	sources     map[string]*program // by their text, if it is short: a script that comes again need not be hashed
	spare       *job                // of a run that has ended, for the next
	evaluated   []string            // those that came with EVAL alone, oldest first
	libraries   map[string]*library
	functions   map[string]*function

	present *job // what runs, also while a command of it does
	busy    *job // it has taken so long that the loop goes on beside it
	next    func() (ended bool, ok bool)
	stop    func()
	yield   func(bool) bool
}

const (
	busyThresholdDefault = 5000 // ms
	evaluatedMax         = 5000 // scripts kept that nobody loaded
	sourceMax            = 4096 // bytes of a script that is known by its text
	pauseEvery           = time.Millisecond
)

// program is a script that the node keeps.
type program struct {
	sha    string
	source string // "": too long to be known by it
	run    *script.Program
	flags  scriptFlags
	loaded bool // SCRIPT LOAD has asked for it: it stays
	speaks bool // its text names PUBLISH
}

// scriptFlags are what a script or function says of itself.
type scriptFlags uint8

const (
	flagNoWrites scriptFlags = 1 << iota
	flagAllowOOM
	flagAllowStale
	flagNoCluster
	flagCrossSlot
	flagDeclared // it has a line of flags at all
)

var scriptFlagNames = map[string]scriptFlags{
	"no-writes": flagNoWrites, "allow-oom": flagAllowOOM, "allow-stale": flagAllowStale, "no-cluster": flagNoCluster, "allow-cross-slot-keys": flagCrossSlot,
}

var scriptHandlers = map[command.ID]hereFunc{
	command.CmdEval: eval, command.CmdEvalSHA: evalSHA, command.CmdEvalRO: eval, command.CmdEvalSHARO: evalSHA,
	command.CmdFCall: fcall, command.CmdFCallRO: fcall,
	command.CmdScriptDebug: scriptDebug, command.CmdScriptExists: scriptExists, command.CmdScriptFlush: scriptFlush,
	command.CmdScriptKill: scriptKill, command.CmdScriptLoad: scriptLoad,
	command.CmdFunctionDelete: functionDelete, command.CmdFunctionDump: functionDump, command.CmdFunctionFlush: functionFlush,
	command.CmdFunctionKill: functionKill, command.CmdFunctionList: functionList, command.CmdFunctionLoad: functionLoad,
	command.CmdFunctionRestore: functionRestore, command.CmdFunctionStats: functionStats,
}

func busyThreshold(s *session) string {
	return strconv.FormatInt(s.p.set.busyMS+busyThresholdDefault, 10)
}

// redisVersionNum is 7.2.4 as scripts see it.
const redisVersionNum = 0x00070204

// vmOptions: what scripts are told of the version.
func vmOptions(functions bool) script.Options {
	return script.Options{Version: client.Version, VersionNum: redisVersionNum, Functions: functions}
}

func (t *scripts) evalVM() *script.VM {
	if t.vm == nil {
		t.vm = script.New(vmOptions(false))
		t.known, t.sources = map[string]*program{}, map[string]*program{}
	}
	return t.vm
}

// load compiles a script, if the node does not have it.
func (t *scripts) load(src []byte, loaded bool) (g *program, wrong string) {
	vm := t.evalVM()
	if g = t.sources[string(src)]; g != nil {
		g.loaded = g.loaded || loaded
		return g, ""
	}
	sha := script.SHA1(src)
	if g = t.known[sha]; g != nil {
		g.loaded = g.loaded || loaded
		return g, ""
	}
	flags, body, wrong := shebang(string(src))
	if wrong != "" {
		return nil, wrong
	}
	run, wrong := vm.Compile(body, "user_script")
	if wrong != "" {
		return nil, "ERR Error compiling script (new function): " + wrong
	}
	g = &program{sha: sha, run: run, flags: flags, loaded: loaded, speaks: bytes.Contains(bytes.ToLower(src), []byte("publish"))}
	t.known[sha] = g
	if len(src) <= sourceMax {
		g.source = string(src)
		t.sources[g.source] = g
	}
	if !loaded {
		t.remember(sha)
	}
	return g, ""
}

// remember notes a script that came with EVAL. Of too many the oldest is forgotten.
func (t *scripts) remember(sha string) {
	t.evaluated = append(t.evaluated, sha)
	for len(t.evaluated) > evaluatedMax {
		if old := t.known[t.evaluated[0]]; old != nil && !old.loaded {
			delete(t.known, old.sha)
			delete(t.sources, old.source)
		}
		t.evaluated = t.evaluated[1:]
	}
}

// shebang reads a script's first line, if it says #!: the engine and flags. The body keeps its lines' numbers (Redis 7.0 eval.c, evalExtractShebangFlags).
func shebang(src string) (flags scriptFlags, body, wrong string) {
	if !strings.HasPrefix(src, "#!") {
		return 0, src, ""
	}
	line, rest, found := strings.Cut(src, "\n")
	if !found {
		return 0, "", "ERR Invalid script shebang"
	}
	words, ok := resp.Words(line)
	if !ok {
		return 0, "", "ERR Invalid engine in script shebang"
	}
	if words[0] != "#!lua" {
		return 0, "", "ERR Unexpected engine in script shebang: " + words[0]
	}
	flags = flagDeclared
	for _, w := range words[1:] {
		list, ok := strings.CutPrefix(w, "flags=")
		if !ok {
			return 0, "", "ERR Unknown lua shebang option: " + w
		}
		if list == "" {
			continue
		}
		for _, name := range strings.Split(list, ",") {
			f, ok := scriptFlagNames[name]
			if !ok {
				return 0, "", "ERR Unexpected flag in script shebang: " + name
			}
			flags |= f
		}
	}
	return flags, "\n" + rest, ""
}

// keysAndArgs splits what follows a script: the number of keys, keys, other arguments.
func keysAndArgs(args [][]byte) (keys, rest [][]byte, wrong string) {
	n, ok := resp.ParseNumber(args[2])
	switch {
	case !ok:
		return nil, nil, errNotInt
	case n > int64(len(args)-3):
		return nil, nil, "ERR Number of keys can't be greater than number of args"
	case n < 0:
		return nil, nil, "ERR Number of keys can't be negative"
	}
	return args[3 : 3+n], args[3+n:], ""
}

func eval(s *session, args [][]byte) {
	keys, rest, wrong := keysAndArgs(args)
	if wrong != "" {
		s.fail(wrong)
		return
	}
	g, wrong := s.p.scripts.load(args[1], false)
	if wrong != "" {
		s.fail(wrong)
		return
	}
	s.evaluate(g, args, keys, rest)
}

func evalSHA(s *session, args [][]byte) {
	const none = "NOSCRIPT No matching script. Please use EVAL."
	if len(args[1]) != 40 { // Redis 7.0 eval.c, evalShaCommand: then nothing else is looked at
		s.fail(none)
		return
	}
	keys, rest, wrong := keysAndArgs(args)
	if wrong != "" {
		s.fail(wrong)
		return
	}
	g := s.p.scripts.bySHA(args[1])
	if g == nil {
		s.fail(none)
		return
	}
	s.evaluate(g, args, keys, rest)
}

// bySHA finds a script by its SHA1, nil if there is none.
func (t *scripts) bySHA(sha []byte) *program {
	if g := t.known[string(sha)]; g != nil {
		return g
	}
	return t.known[lower(sha)]
}

// saysNoWrites tells whether a command runs a script or function that says that it does not write.
func (t *scripts) saysNoWrites(row *command.Row, args [][]byte) bool {
	if len(args) < 2 {
		return false
	}
	var flags scriptFlags
	switch row.ID {
	case command.CmdEval:
		flags, _, _ = shebang(string(args[1]))
	case command.CmdEvalSHA:
		if g := t.bySHA(args[1]); g != nil {
			flags = g.flags
		}
	case command.CmdFCall:
		if f := t.functions[lower(args[1])]; f != nil {
			flags = f.flags
		}
	}
	return flags&flagNoWrites != 0
}

// readOnlyName tells whether a command's name ends in _RO: only then there is a _ in it.
func readOnlyName(args [][]byte) bool { return bytes.IndexByte(args[0], '_') >= 0 }

// evaluate runs a script that command names.
func (s *session) evaluate(g *program, command, keys, args [][]byte) {
	s.start(job{
		name: g.sha, command: command, flags: g.flags, readOnly: readOnlyName(command), vm: s.p.scripts.vm, program: g.run, keys: keys, args: args,
	})
}

func scriptLoad(s *session, args [][]byte) {
	g, wrong := s.p.scripts.load(args[2], true)
	if wrong != "" {
		s.fail(wrong)
		return
	}
	s.p.w.Bulk(g.sha)
}

func scriptExists(s *session, args [][]byte) {
	s.p.w.Array(len(args) - 2)
	for _, sha := range args[2:] {
		have := int64(0)
		if s.p.scripts.known[lower(sha)] != nil {
			have = 1
		}
		s.p.w.Int(have)
	}
}

// flushMode reads ASYNC or SYNC, which make no difference here.
func flushMode(args [][]byte) bool {
	switch len(args) {
	case 2:
		return true
	case 3:
		mode := lower(args[2])
		return mode == "sync" || mode == "async"
	}
	return false
}

func scriptFlush(s *session, args [][]byte) {
	if !flushMode(args) {
		s.fail("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
		return
	}
	t := &s.p.scripts
	t.vm, t.known, t.sources, t.evaluated = nil, nil, nil, nil
	s.ok()
}

// scriptDebug: there is no debugger.
func scriptDebug(s *session, args [][]byte) {
	switch lower(args[2]) {
	case "no":
		s.ok()
	case "yes", "sync":
		s.fail("ERR this node has no debugger for scripts")
	default:
		s.fail("ERR Use SCRIPT DEBUG YES/SYNC/NO")
	}
}

func scriptKill(s *session, _ [][]byte) { s.kill(false) }

func functionKill(s *session, _ [][]byte) { s.kill(true) }

// kill ends what runs, unless it has written: then it may not stay half done.
func (s *session) kill(function bool) {
	j := s.p.scripts.busy
	switch {
	case j == nil:
		s.fail("NOTBUSY No scripts in execution right now.")
	case (j.function != nil) != function:
		s.fail(j.busyText())
	case j.wrote:
		s.fail("UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.")
	default:
		j.killed = true
		s.ok()
	}
}

// start makes the coroutine that runs jobs: it yields true when one has ended, false when the loop is to have its turn.
func (t *scripts) start() {
	t.next, t.stop = iter.Pull(func(yield func(bool) bool) {
		t.yield = yield
		for {
			j := t.present
			j.reply, j.failed = j.run(j.reply)
			if !yield(true) {
				return
			}
		}
	})
}

// end stops the coroutine; a script that runs ends with an error.
func (t *scripts) end() {
	if t.stop != nil {
		if t.present != nil {
			t.present.killed = true
		}
		t.stop()
		t.stop, t.next, t.busy, t.present = nil, nil, nil, nil
	}
}
