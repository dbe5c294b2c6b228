package house_test

import (
	"maps"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// sound is a small house without a fault; each planted fault changes one file of it or adds one.
var sound = map[string]string{
	"protocol/resp/reply.go": "// Package resp is the codec.\npackage resp\n",
	"router/route.go": `// Package router routes.
package router

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"larder/protocol/resp"
)

var words = map[string]int{"a": 1}

type Route struct{ words int }

func (r *Route) Pick(dice *rand.Rand, now time.Time, _ netip.Addr) {
	words := rand.New(rand.NewPCG(1, 2)).IntN(3) + dice.IntN(2)
	words++
	words = 3
	r.words = words
	time := resp.Clock{}
	time.Now()
}
`,
	"loop/run.go":            "// Package loop is the door to gnet.\npackage loop\n\nimport \"github.com/panjf2000/gnet/v2\"\n\nfunc Run() { go gnet.Run() }\n",
	"engine/node.go":         "// Package engine is a node.\npackage engine\n\nimport \"larder/loop\"\n\nfunc Run() { loop.Run() }\n",
	"engine/replica/link.go": "// Package replica follows.\npackage replica\n\nimport \"larder/engine\"\n\nfunc Run() { engine.Run() }\n",
	"engine/node_test.go":    "package engine_test\n\nimport (\n\t\"larder/internal/conform\"\n\t\"larder/proxy\"\n)\n\nvar n = 1\n\nfunc init() { n = 2; go conform.Run() }\n",
	"internal/conform/do.go": "// Package conform compares.\npackage conform\n\nimport \"larder/cmd/app\"\n\nfunc Run() { app.Main() }\n",
	"cmd/app/app.go":         "// Package app wires.\npackage app\n\nimport (\n\t\"larder/backends/registry/consul\"\n\t\"larder/configs\"\n)\n\nfunc Main() {}\n",
	"bench/report.go":        "// Package main measures.\npackage main\n\nfunc main() { print(machine.Go) }\n",
	"tools/lint/go.mod":      "module other\n",
	"tools/lint/lint.go":     "package lint\n\nfunc init() {}\n",
}

// planted are faults, one each, and what the message about it says.
var planted = []struct {
	name  string
	files map[string]string
	what  string
	why   string
}{
	{"no row", file("attic/old.go", "// Package attic keeps.\npackage attic\n"), "no room in the house for attic", whyRoom},
	{"no row of its own in cmd", file("cmd/other/main.go", "// Package main is another.\npackage main\n"), "no room in the house for cmd/other", whyRoom},
	{"a file at the root", file("larder.go", "// Package larder is all.\npackage larder\n"), "no room in the house for .", whyRoom},
	{"against the arrow", imports("protocol/resp", "larder/router"), "protocol/resp may not import router", whyArrow},
	{"past the longest row", imports("engine/store", "larder/protocol/resp"), "engine/store may not import protocol/resp", whyArrow},
	{"commands know the node", imports("engine/commands", "larder/engine"), "engine/commands may not import engine", whyArrow},
	{"node knows gateway", imports("engine/sets", "larder/proxy"), "engine/sets may not import proxy", whyMeet},
	{"gateway knows node", imports("proxy", "larder/engine/store"), "proxy may not import engine/store", whyMeet},
	{"gateway knows the registry", imports("proxy", "larder/backends/registry"), "proxy may not import backends/registry", whyArrow},
	{"control knows node", imports("control/host", "larder/engine"), "control/host may not import engine", whyArrow},
	{"the controller acts", imports("control/controller", "larder/control/api"), "control/controller may not import control/api", whyArrow},
	{"console by the back door", imports("console", "larder/control/api"), "console may not import control/api", whyArrow},
	{"settings outside cmd", imports("proxy", "larder/configs"), "proxy may not import configs", whyConfigs},
	{"settings in the bench", imports("bench/rig", "larder/configs"), "bench/rig may not import configs", whyConfigs},
	{"the kit in the product", imports("cmd/app", "larder/internal/sim"), "cmd/app may not import internal/sim", whyKit},
	{"an adapter named", imports("backends", "larder/backends/registry/consul"), "backends names the adapter backends/registry/consul", whyAdapter},
	{"an adapter in the bench", imports("bench/rig", "larder/persistence/s3"), "bench/rig names the adapter persistence/s3", whyAdapter},
	{
		"a test inside with the kit", file("proxy/lane_test.go", "package proxy\n\nimport \"larder/internal/sim\"\n"),
		"a test in package proxy uses internal/sim", whyOutside,
	},

	{"gnet by another door", imports("proxy", "github.com/panjf2000/gnet/v2"), "gnet/v2 enters by loop, not by proxy", whyDoor},
	{"gnet's parts by another door", imports("proxy", "github.com/panjf2000/gnet/v2/pkg/errors"), "enters by loop, not by proxy", whyDoor},
	{"viper by another door", imports("cmd/app", "github.com/spf13/viper"), "viper enters by configs, not by cmd/app", whyDoor},
	{"cobra by another door", imports("proxy", "github.com/spf13/cobra"), "cobra enters by cmd, configs, not by proxy", whyDoor},
	{"pflag by another door", imports("engine", "github.com/spf13/pflag"), "pflag enters by cmd, configs, not by engine", whyDoor},
	{"consul by another door", imports("backends/registry", "github.com/hashicorp/consul/api"), "not by backends/registry", whyDoor},
	{"S3 by another door", imports("persistence", "github.com/minio/minio-go/v7"), "enters by persistence/s3, not by persistence", whyDoor},
	{"the simple client on the hot path", imports("proxy", "github.com/tidwall/resp"), "resp enters by backends, not by proxy", whyDoor},
	{"another's Lua", imports("engine/script", "github.com/yuin/gopher-lua"), "gopher-lua has no door", whyDoor},
	{"bart by another door", imports("router", "github.com/gaissmai/bart"), "bart enters by access, not by router", whyDoor},
	{"age by another door", imports("control", "filippo.io/age"), "age enters by persistence, not by control", whyDoor},
	{"zstd by another door", imports("proxy", "github.com/klauspost/compress/zstd"), "enters by persistence, backends/registry, not by proxy", whyDoor},
	{"unsafe by another door", imports("engine/store", "unsafe"), "unsafe enters by engine/memory, not by engine/store", whyDoor},
	{"metrics in a pure room", imports("algebra", "github.com/prometheus/client_golang/prometheus"), "not by algebra", whyDoor},
	{"a library nobody decided on", imports("proxy", "github.com/some/thing"), "github.com/some/thing has no door", whyDoor},

	{"pure and net", imports("router", "net"), "router is pure and imports net", whyPure},
	{"pure and net/http", imports("access", "net/http"), "access is pure and imports net/http", whyPure},
	{"pure and os", imports("engine/store", "os"), "engine/store is pure and imports os", whyPure},
	{"pure and sync", imports("algebra", "sync/atomic"), "algebra is pure and imports sync/atomic", whyPure},
	{"pure and slog", imports("engine/commands", "log/slog"), "engine/commands is pure and imports log/slog", whyPure},
	{"pure and crypto dice", imports("protocol/encoding", "crypto/rand"), "protocol/encoding is pure and imports crypto/rand", whyPure},
	{"pure and the clock", body("control/controller", "time", "func f() { _ = time.Now() }"), "control/controller is pure and uses time.Now", whyPure},
	{"pure and a timer", body("router", "time", "var f = time.NewTicker"), "router is pure and uses time.NewTicker", whyPure},
	{
		"pure and the clock renamed", file("router/x.go", "package router\n\nimport t \"time\"\n\nfunc f() { t.Sleep(1) }\n"),
		"router is pure and uses time.Sleep", whyPure,
	},
	{"pure and global dice", body("algebra", "math/rand/v2", "func f() int { return rand.IntN(3) }"), "algebra is pure and uses math/rand/v2.IntN", whyPure},
	{"pure and a deadline", body("router", "context", "func f() { context.WithTimeout(nil, 1) }"), "router is pure and uses context.WithTimeout", whyPure},
	{"pure and a goroutine", file("router/run.go", "package router\n\nfunc f() { go f() }\n"), "router is pure and starts a goroutine", whyPure},

	{"init", file("proxy/x.go", "// Package proxy is it.\npackage proxy\n\nfunc init() {}\n"), "init()", whyInit},
	{"assigned", state("n = 2"), "variable n is changed", whyAssign},
	{"assigned with others", state("var a int; a, n = 1, 2; _ = a"), "variable n is changed", whyAssign},
	{"added to", state("n += 2"), "variable n is changed", whyAssign},
	{"counted", state("n++"), "variable n is changed", whyAssign},
	{"ranged over", state("for n = range 3 {\n}"), "variable n is changed", whyAssign},
	{"an entry of a table", state("m[1] = 2"), "variable m is changed", whyAssign},
	{"a table's entry gone", state("delete(m, 1)"), "variable m is changed", whyAssign},
	{"a table emptied", state("clear(m)"), "variable m is changed", whyAssign},
	{"a field of it", state("(o.a).b = 2"), "variable o is changed", whyAssign},
	{"what it points to", state("*p = 2"), "variable p is changed", whyAssign},
	{"in a closure", state("func() { n = 2 }()"), "variable n is changed", whyAssign},
	{
		"in another file", map[string]string{
			"proxy/a.go": "// Package proxy is it.\npackage proxy\n\nvar n = 1\n", "proxy/b.go": "package proxy\n\nfunc f() { n = 2 }\n",
		}, "variable n is changed", whyAssign,
	},
	{"of another package", body("proxy", "net/http", "func f() { http.DefaultClient = nil }"), "variable net/http.DefaultClient is changed", whyAssign},

	{"go", body("proxy", "time", "func f(d time.Duration) { go f(d) }"), "a go statement outside run.go", whyStart},
	{"go in a closure", body("proxy", "time", "var f = func(d time.Duration) { go println(d) }"), "a go statement outside run.go", whyStart},
	{"wg.Go", body("proxy", "sync", "func f(wg *sync.WaitGroup) { wg.Go(nil) }"), "a call of Go starts a goroutine", whyStart},
	{
		"errgroup.Go", body("proxy", "golang.org/x/sync/errgroup", "func f(g *errgroup.Group) { g.Go(nil) }"),
		"a call of Go starts a goroutine", whyStart,
	},
	{"time.AfterFunc", body("proxy", "time", "func f() { time.AfterFunc(1, nil) }"), "a call of AfterFunc starts a goroutine", whyStart},

	{"no comment", file("proxy/x.go", "package proxy\n"), "package proxy has no package comment", whyComment},
	{
		"two comments", file("router/x.go", "// Package router also routes.\npackage router\n"),
		"package router has a second package comment, the first is in router/route.go", whyComment,
	},
	{"a long function", file("router/x.go", "package router\n\nfunc f() {\n"+strings.Repeat("\tf()\n", 69)+"}\n"), "router/x.go:f has 71 lines, more than 70", whyLong},
	{"a long closure", file("router/x.go", "package router\n\nvar f = func() {\n"+strings.Repeat("\tg()\n", 69)+"}\n"), "has 71 lines, more than 70", whyLong},
	{"a long file", file("router/x.go", "package router\n"+strings.Repeat("\n", 798)+"\ntype x int\n"), "router/x.go has 801 lines, more than 800", whyLong},
}

func TestSoundHouse(t *testing.T) {
	for _, f := range judgeFiles(t, sound) {
		t.Error(f)
	}
	long := map[string]string{
		"router/x.go": "package router\n\nfunc f() {\n" + strings.Repeat("\tf()\n", 68) + "}\n",
		"router/y.go": "package router\n" + strings.Repeat("\n", 798) + "type x int\n",
		"router/z.go": "// Code generated by hand; DO NOT EDIT.\n\npackage router\n" + strings.Repeat("\n", 900),
	}
	for _, f := range judgeFiles(t, long) {
		if f.why == whyLong {
			t.Errorf("just short enough: %v", f)
		}
	}
}

func TestPlantedFaults(t *testing.T) {
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			files := maps.Clone(sound)
			maps.Copy(files, p.files)
			faults := judgeFiles(t, files)
			for _, f := range faults {
				if strings.Contains(f.what, p.what) && f.why == p.why {
					return
				}
			}
			t.Errorf("not caught: want %q, got %v", p.what, faults)
		})
	}
}

func judgeFiles(t *testing.T, files map[string]string) []fault {
	t.Helper()
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	house, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	return judge(house)
}

func file(name, text string) map[string]string { return map[string]string{name: text} }

// imports is a package that does nothing but import lib.
func imports(dir, lib string) map[string]string {
	return file(dir+"/x.go", "// Package x is planted.\npackage x\n\nimport _ "+strconv.Quote(lib)+"\n")
}

// body is a package with one import and one declaration.
func body(dir, lib, text string) map[string]string {
	return file(dir+"/x.go", "// Package x is planted.\npackage x\n\nimport "+strconv.Quote(lib)+"\n\n"+text+"\n")
}

// state is a function that changes something, among variables to be changed.
func state(text string) map[string]string {
	return file("proxy/x.go", `// Package proxy is it.
package proxy

var (
	n = 1
	m = map[int]int{}
	o struct{ a struct{ b int } }
	p = &n
)

func f() {
	n := 7
	n = 8
	_ = n
}

func g() { `+text+` }
`)
}
