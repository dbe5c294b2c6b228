package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// luaGen writes Lua programs by chance. What they answer follows from the program alone: no names of places in memory, no numbers by chance; and they end.
type luaGen struct {
	r     *rand.Rand
	out   strings.Builder
	depth int
	names []string // locals in sight
	funcs []string // local functions in sight
	next  int
	loops int
	args  bool // it is in a function with ...
}

// program writes one, which returns what it has noted.
func (g *luaGen) program() string {
	g.out.Reset()
	g.names, g.funcs, g.next, g.loops, g.depth, g.args = nil, nil, 0, 0, 0, false
	g.line("local R, M, I = {}, 0, function(x) return x end")
	g.line("local function note(...) M = M + 1 if M > 60 then return end local t = {} for i = 1, select('#', ...) do local v = select(i, ...) " +
		"t[i] = (type(v) == 'table' or type(v) == 'function') and type(v) or tostring(v) end R[#R + 1] = table.concat(t, ',') return ... end")
	g.block(6)
	g.line("return R")
	return g.out.String()
}

func (g *luaGen) line(s string) { g.out.WriteString(s + "\n") }

func (g *luaGen) pick(s ...string) string { return s[g.r.IntN(len(s))] }

func (g *luaGen) fresh(prefix string) string {
	g.next++
	return fmt.Sprintf("%s%d", prefix, g.next)
}

func (g *luaGen) block(n int) {
	names, funcs := len(g.names), len(g.funcs)
	g.depth++
	for range 1 + g.r.IntN(n) {
		g.statement()
	}
	g.depth--
	g.names, g.funcs = g.names[:names], g.funcs[:funcs]
}

func (g *luaGen) statement() {
	n := g.r.IntN(20)
	if g.depth > 4 {
		n %= 9
	}
	switch n {
	case 0, 1:
		name, v := g.fresh("v"), g.expr(3)
		g.line("local " + name + " = " + v)
		g.names = append(g.names, name)
	case 2:
		g.assign()
	case 3, 4, 5:
		g.line("note(" + g.exprs() + ")")
	case 6:
		a, b := g.fresh("v"), g.fresh("v")
		g.line("local " + a + ", " + b + " = " + g.exprs())
		g.names = append(g.names, a, b)
	case 7:
		g.line("note(pcall(" + g.pick("error", "tonumber", "string.upper", "math.floor", "select", "unpack", "table.concat", "next", "string.format", "string.sub") +
			", " + g.exprs() + "))")
	case 8:
		g.line("note(pcall(function() return " + g.exprs() + " end))")
	case 9, 10:
		g.line("if " + g.expr(2) + " then")
		g.block(3)
		if g.r.IntN(2) == 0 {
			g.line("else" + g.pick("", "if "+g.expr(2)+" then"))
			g.block(3)
		}
		g.line("end")
	case 11, 12, 13:
		g.loop()
	case 14, 15, 16:
		g.function()
	case 17:
		if g.loops > 0 {
			g.line("if " + g.expr(1) + " then break end")
		}
	case 18:
		g.line("do")
		g.block(3)
		g.line("end")
	case 19:
		g.coroutine()
	}
}

func (g *luaGen) assign() {
	target := func() string {
		if len(g.names) == 0 {
			return "R.x"
		}
		name := g.pick(g.names...)
		switch g.r.IntN(6) {
		case 0:
			return name + "." + g.pick("x", "y")
		case 1:
			return name + "[" + g.expr(1) + "]"
		}
		return name
	}
	if g.r.IntN(3) == 0 {
		g.line("note(pcall(function() " + target() + ", " + target() + " = " + g.exprs() + " end))")
		return
	}
	g.line(target() + " = " + g.expr(2))
}

func (g *luaGen) loop() {
	if g.loops >= 2 {
		return
	}
	g.loops++
	defer func() { g.loops-- }()
	names := len(g.names)
	switch g.r.IntN(4) {
	case 0:
		i := g.fresh("i")
		g.line(fmt.Sprintf("for %s = %d, %d, %s do", i, g.r.IntN(5)-2, g.r.IntN(6), g.pick("1", "2", "0.5", "-1", "3")))
		g.names = append(g.names, i)
		g.block(3)
	case 1:
		k, v := g.fresh("k"), g.fresh("e")
		g.line("for " + k + ", " + v + " in " + g.pick("pairs", "ipairs") + "(" + g.tableExpr(2) + ") do")
		g.names = append(g.names, k, v)
		g.block(3)
	case 2:
		i := g.fresh("n")
		g.line("local " + i + " = 0")
		g.line("while " + i + " < " + g.pick("1", "2", "4") + " do")
		g.line(i + " = " + i + " + 1")
		g.block(3)
	default:
		i := g.fresh("n")
		g.line("local " + i + " = 0")
		g.line("repeat")
		g.line(i + " = " + i + " + 1")
		g.block(3)
		g.line("until " + i + " > 2 or " + g.expr(1))
		g.names = g.names[:names]
		return
	}
	g.line("end")
	g.names = g.names[:names]
}

// function writes a local function that calls only functions before it.
func (g *luaGen) function() {
	name := g.fresh("f")
	a, b := g.fresh("p"), g.fresh("p")
	dots := g.r.IntN(3) == 0
	params := a + ", " + b
	if dots {
		params += ", ..."
	}
	g.line("local function " + name + "(" + params + ")")
	names, loops, args := g.names, g.loops, g.args
	g.names, g.loops, g.args = append(g.names[:len(g.names):len(g.names)], a, b), 0, dots
	g.block(3)
	g.line("return " + g.exprs())
	g.names, g.loops, g.args = names, loops, args
	g.line("end")
	g.funcs = append(g.funcs, name)
	g.line("note(pcall(" + name + ", " + g.exprs() + "))")
}

func (g *luaGen) coroutine() {
	name := g.fresh("c")
	g.line("local " + name + " = coroutine.create(function(a)")
	args, loops := g.args, g.loops
	g.args, g.loops = false, 0
	g.line("local b = coroutine.yield(" + g.expr(2) + ")")
	g.names = append(g.names, "a", "b")
	g.block(2)
	g.line("note(a, b)")
	g.names = g.names[:len(g.names)-2]
	g.args, g.loops = args, loops
	g.line("return " + g.expr(2) + " end)")
	for range 1 + g.r.IntN(3) {
		g.line("note(coroutine.resume(" + name + ", " + g.expr(1) + "))")
	}
	g.line("note(coroutine.status(" + name + "))")
}

func (g *luaGen) exprs() string {
	n := 1 + g.r.IntN(3)
	out := make([]string, n)
	for i := range out {
		out[i] = g.expr(2)
	}
	if g.args && g.r.IntN(3) == 0 {
		out[n-1] = "..."
	}
	return strings.Join(out, ", ")
}

func (g *luaGen) expr(depth int) string {
	if depth <= 0 || g.r.IntN(4) == 0 {
		return g.leaf()
	}
	e := func() string { return g.expr(depth - 1) }
	switch g.r.IntN(14) {
	case 0, 1, 2:
		return "(" + e() + " " + g.pick("+", "-", "*", "/", "%", "^") + " " + e() + ")"
	case 3:
		return e() + " " + g.pick("+", "-", "*", "..", "==", "<") + " " + e()
	case 4:
		return "(" + e() + " .. " + e() + ")"
	case 5, 6:
		return "(" + e() + " " + g.pick("==", "~=", "<", ">", "<=", ">=") + " " + e() + ")"
	case 7, 8:
		return "I(" + e() + " " + g.pick("and", "or") + " " + e() + ")" // a call: how errors name what and, or have left is chance
	case 9:
		return "(" + g.pick("not ", "- ", "#") + e() + ")"
	case 10:
		return g.tableExpr(depth)
	case 11:
		if len(g.funcs) > 0 && g.loops < 2 {
			return g.pick(g.funcs...) + "(" + g.exprs() + ")"
		}
	case 12:
		return g.library(depth - 1)
	case 13:
		return "(" + g.tableExpr(depth) + ")[" + e() + "]"
	}
	return g.leaf()
}

func (g *luaGen) leaf() string {
	switch n := g.r.IntN(10); {
	case n < 4 && len(g.names) > 0:
		return g.pick(g.names...)
	case n < 6:
		return g.pick("1", "2", "3", "7", "10", "0.5", "1.5", "100", "1e3", "255", "1e15", "123456789012")
	case n < 8:
		return g.pick(`""`, `"a"`, `"abc"`, `"10"`, `"0x10"`, `"3.5"`, `"x y"`, `"%d"`, `"hello world"`, `"a,b;c"`, `" 7 "`, `"a.b"`)
	}
	return g.pick("nil", "true", "false", "{}", "1", "2")
}

func (g *luaGen) tableExpr(depth int) string {
	var out []string
	for range g.r.IntN(5) {
		switch g.r.IntN(5) {
		case 0:
			out = append(out, g.pick("x", "y", "n")+" = "+g.expr(depth-1))
		case 1:
			out = append(out, "["+g.pick("1", "2", "3", "4", `"k"`, "1.5", "true")+"] = "+g.expr(depth-1))
		default:
			out = append(out, g.expr(depth-1))
		}
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// library is a call of a library's function with arguments that mostly fit.
func (g *luaGen) library(depth int) string {
	e := func() string { return g.expr(depth) }
	n := func() string { return g.pick("1", "2", "-1", "0", "3", "-3", "10") }
	s := func() string { return g.pick(e(), `"hello world"`, `"a1b22c333"`, `"key=value"`, `"  x  "`) }
	pat := func() string {
		return g.pick(`"l+"`, `"%a+"`, `"%d"`, `"(%w+)=(%w+)"`, `"[a-c]"`, `"^%s*(.-)%s*$"`, `"."`, `"()"`, `"%f[%w]%w+"`, `"[^%a]"`, `"o?"`, `"%b()"`, `"(.)%1"`, `"x*"`, `"%"`, `"[a"`)
	}
	switch g.r.IntN(16) {
	case 0:
		return "tostring(" + e() + " == nil)"
	case 1:
		return "tonumber(" + e() + g.pick("", ", 10", ", 16", ", 2") + ")"
	case 2:
		return "string.sub(" + s() + ", " + n() + g.pick("", ", "+n()) + ")"
	case 3:
		return "string.find(" + s() + ", " + pat() + g.pick("", ", "+n()) + ")"
	case 4:
		return "string.match(" + s() + ", " + pat() + ")"
	case 5:
		return "string.gsub(" + s() + ", " + pat() + ", " + g.pick(`"<%0>"`, `"%1"`, `""`, `{a = "A", b = false, l = 5}`, "string.upper", `"%%"`) + g.pick("", ", "+n()) + ")"
	case 6:
		return "string.format(" + g.pick(`"%d"`, `"%5.2f"`, `"%s"`, `"%x"`, `"%q"`, `"%g"`, `"%-5s|"`, `"%05d"`, `"%c"`, `"%i%%"`, `"%e"`, `"%.3s"`) + ", " + e() + ")"
	case 7:
		return "string.rep(" + s() + ", " + n() + ")"
	case 8:
		return "math." + g.pick("floor", "ceil", "abs", "sqrt") + "(" + e() + ")"
	case 9:
		return "math." + g.pick("max", "min", "fmod") + "(" + e() + ", " + e() + ")"
	case 10:
		return "table.concat(" + g.tableExpr(depth) + `, ",")`
	case 11:
		return "select(" + g.pick("1", "2", "-1", "'#'") + ", " + g.exprs() + ")"
	case 12:
		return "type(" + e() + ")"
	case 13:
		return g.pick("string.len", "string.upper", "string.reverse", "string.byte") + "(" + s() + ")"
	case 14:
		return "cjson.encode(" + e() + ")"
	}
	return "#" + g.tableExpr(depth)
}
