package script_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"larder/engine/script"
)

// host answers every command with its words, and stops a script after a while.
type host struct{ pauses int }

func (*host) Call(args [][]byte, _ int) []byte {
	return []byte("+" + strings.NewReplacer("\r", "", "\n", "").Replace(string(args[0])) + "\r\n")
}

func (h *host) Pause() error {
	if h.pauses--; h.pauses < 0 {
		return errors.New("ERR stopped")
	}
	return nil
}

func (*host) Log(int, string) {}

func (*host) Allowed([][]byte) (allowed, known bool) { return true, true }

func (*host) Replicate(int) {}

func newVM() *script.VM {
	return script.New(script.Options{Version: "7.2.4", VersionNum: 0x070204, MemoryMax: 16 << 20})
}

// run gives a script's reply, or its error behind a "!".
func run(t testing.TB, vm *script.VM, src string, args ...[]byte) string {
	t.Helper()
	p, wrong := vm.Compile(src, "user_script")
	if wrong != "" {
		return "!" + wrong
	}
	out, failed := vm.Run(p, &host{pauses: 2000}, nil, args, nil, 2)
	if failed != nil {
		return "!" + failed.Text
	}
	return string(out)
}

func TestLanguage(t *testing.T) {
	vm := newVM()
	for _, x := range []struct{ src, want string }{
		{"return 1 + 2 * 3 ^ 2", ":19\r\n"},
		{"return 7 % -3", ":-2\r\n"},
		{"return '10' + 5", ":15\r\n"},
		{"return 1 .. ''", "$1\r\n1\r\n"},
		{"return tostring(1e15) .. ' ' .. tostring(0/0) .. ' ' .. tostring(1/0)", "$14\r\n1e+15 -nan inf\r\n"},
		{"local t = {} for i = 10, 1, -3 do t[#t+1] = i end return t", "*4\r\n:10\r\n:7\r\n:4\r\n:1\r\n"},
		{"local function f(...) return select('#', ...), ... end return {f(1, nil, 3)}", "*2\r\n:3\r\n:1\r\n"},
		{"local n = 0 repeat local x = n n = n + 1 until x == 4 return n", ":5\r\n"},
		{"local fs = {} for i = 1, 3 do fs[i] = function() return i end end return {fs[1](), fs[3]()}", "*2\r\n:1\r\n:3\r\n"},
		{"local t = setmetatable({}, {__index = function(_, k) return k .. '!' end}) return t.a", "$2\r\na!\r\n"},
		{"local t = setmetatable({}, {__call = function(_, a) return a + 1 end}) return t(1)", ":2\r\n"},
		{"local c = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) return {c(1), c(5)}", "*2\r\n:2\r\n:10\r\n"},
		{"return type(select(2, pcall(error, {code = 1})))", "$5\r\ntable\r\n"},
		{"return select(2, pcall(error, 'x', 0))", "$1\r\nx\r\n"},
		{"return ({string.find('key=val', '(%w+)=(%w+)')})[4]", "$3\r\nval\r\n"},
		{"return redis.call('ECHO')", "+ECHO\r\n"},
		{"local a, b = {}, {} a.b = b b.a = a return 1", ":1\r\n"},
		{"while true do end", "!ERR stopped"},
		{"pcall(function() while true do end end) return 1", "!ERR stopped"},
		{"return 1", ":1\r\n"},
	} {
		if got := run(t, vm, x.src); got != x.want {
			t.Errorf("%s: %q, want %q", x.src, got, x.want)
		}
	}
}

// TestBounds: what has no end in memory or depth ends with an error, and soon.
func TestBounds(t *testing.T) {
	vm := newVM()
	for _, src := range []string{
		"local t = {} for i = 1, 1e9 do t[i] = i .. '' end",
		"local t = {} t[50000000] = 1 for i = 1, 1e8 do t[i] = 1 end",
		"local s = 'x' while true do s = s .. s end",
		"return string.rep('x', 1e10)",
		"local function f() return 1 + f() end return f()",
		"local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x",
		"return string.find(string.rep('a', 1e5), string.rep('a?', 1e5) .. 'b')",
		"return " + strings.Repeat("(", 1e5) + "1" + strings.Repeat(")", 1e5),
		"local t = {} t[1] = t return cjson.encode(t)",
		"local t = {} t[1] = t return cmsgpack.pack(t)",
		"local t = {} for i = 1, 9000 do t[i] = coroutine.wrap(function() local function f(n) if n == 0 then coroutine.yield() return 0 end return 1 + f(n - 1) end f(15000) end) t[i]() end",
		"local t = {} while true do t[#t + 1] = coroutine.wrap(function() coroutine.yield() end) t[#t]() end",
		"local function f(n, ...) if n == 0 then return 0 end return 1 + f(n - 1, ...) end return f(15000, unpack({}, 1, 7000))",
		"return #cmsgpack.unpack(string.rep('\\145', 100000) .. '\\1')",
		"return table.concat({string.rep('x', 1e7), string.rep('x', 1e7), string.rep('x', 1e7)})",
	} {
		began := time.Now()
		got := run(t, vm, src)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%.80s: took %v", src, took)
		}
		if !strings.HasPrefix(got, "!") && !strings.Contains(src, "cmsgpack") {
			t.Errorf("%.80s: %.120q", src, got)
		}
		if got := run(t, vm, "return 1"); got != ":1\r\n" {
			t.Errorf("after %.80s: %q", src, got)
		}
	}
	if got := run(t, vm, "return #ARGV[1]", make([]byte, 64<<20)); got != "!not enough memory" {
		t.Errorf("a large argument: %.100q", got)
	}
	if got := run(t, vm, "return #ARGV[1]", make([]byte, 1<<20)); got != ":1048576\r\n" {
		t.Errorf("afterwards: %q", got)
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"return 1", "local a = {1, b = 2, [3] = 4} return a.b", "for k, v in pairs({}) do end", "return [[x]] .. 'y' --[[c]]", "goto x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) { noBug(t, run(t, newVM(), src), src) })
}

func FuzzLibraries(f *testing.F) {
	for _, s := range []string{`[1,2.5,"a\u00e9",{"b":null}]`, "\x93\x01\x02\x81\xa1a\xc0", ">I2i4hB", "\x82\xa1a\x01"} {
		f.Add([]byte(s))
	}
	vm := newVM()
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, src := range []string{
			"return cjson.encode(cjson.decode(ARGV[1]))",
			"return cmsgpack.pack(cmsgpack.unpack(ARGV[1]))",
			"return {cmsgpack.unpack_limit(ARGV[1], 3)}",
			"return {struct.unpack(ARGV[1], ARGV[1])}",
			"return struct.pack(ARGV[1], 1, 2, 3, 'a')",
			"return struct.size(ARGV[1])",
			"return {string.find(ARGV[1], ARGV[1])}",
			"return string.format(ARGV[1], 1, 'x', 2.5)",
			"return string.gsub(ARGV[1], '%w', ARGV[1])",
			"return tonumber(ARGV[1])",
		} {
			noBug(t, run(t, vm, src, in), src)
		}
	})
}

// noBug: an error is Lua's, never one of ours.
func noBug(t *testing.T, got, src string) {
	if strings.Contains(got, "internal error") {
		t.Errorf("%q: %.300q", src, got)
	}
}
