package configs

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite larder.yaml and docs/configuration.md")

// load makes a configuration as a command would.
func load(t *testing.T, role Role, file string, env map[string]string, args ...string) (*Loaded, error) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	if file != "" {
		path := filepath.Join(t.TempDir(), "larder.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	l := NewLoader(role)
	if err := l.Flags().Parse(args); err != nil {
		t.Fatal(err)
	}
	return l.Load()
}

func TestDefaults(t *testing.T) {
	loaded, err := load(t, RoleDev, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.spread()
	if !reflect.DeepEqual(loaded.Config, want) {
		t.Errorf("got %+v\nwant %+v", loaded.Config, want)
	}
}

func TestSources(t *testing.T) {
	file := "gateway:\n  listen: 127.0.0.1:1\n  databases: 2\n  upstream: {reply-timeout: 3s}\nengine.maxmemory: 1gib\naccess:\n  allow: [10.0.0.0/8, '::1']\nlog:\n"
	env := map[string]string{"LARDER_GATEWAY_LISTEN": "127.0.0.1:2", "LARDER_GATEWAY_DATABASES": "3", "LARDER_METRICS_PPROF": "yes", "LARDER_GATEWAY_NODES": " a:1 , b:2"}
	loaded, err := load(t, RoleGateway, file, env, "--listen", ":4", "--metrics", "off", "--set", "gateway.bulk-max=4kib")
	if err != nil {
		t.Fatal(err)
	}
	c := loaded.Config
	for what, got := range map[string][2]any{
		"flag over env and file": {c.Gateway.Listen, ":4"},
		"env over file":          {c.Gateway.Databases, 3},
		"file, nested":           {c.Gateway.Upstream.ReplyTimeout, 3 * time.Second},
		"file, dotted":           {c.Engine.MaxMemory, int64(1 << 30)},
		"file, list":             {strings.Join(c.Access.Allow, " "), "10.0.0.0/8 ::1"},
		"access of the gateway":  {strings.Join(c.Gateway.Access, " "), "10.0.0.0/8 ::1"},
		"access of the engine":   {strings.Join(c.Engine.Access, " "), "10.0.0.0/8 ::1"},
		"env, boolean":           {c.Metrics.Pprof, true},
		"env, list":              {strings.Join(c.Nodes, " "), "a:1 b:2"},
		"flag, off":              {c.Metrics.Listen, "off"},
		"set":                    {c.Gateway.BulkMaxBytes, int64(4096)},
		"default":                {c.Log.Level, "info"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: got %v, want %v", what, got[0], got[1])
		}
	}
	for key, want := range map[string]string{"gateway.listen": "--listen", "gateway.databases": "LARDER_GATEWAY_DATABASES", "gateway.bulk-max": "--set", "log.level": ""} {
		if got := loaded.sources[key]; got != want {
			t.Errorf("%s comes from %q, want %q", key, got, want)
		}
	}
	if got := loaded.sources["engine.maxmemory"]; !strings.HasSuffix(got, "larder.yaml:5") {
		t.Errorf("engine.maxmemory comes from %q", got)
	}
}

// A variable that is set to nothing says nothing was meant, not the default.
func TestEmptyVariable(t *testing.T) {
	loaded, err := load(t, RoleDev, "access: {allow: [10.0.0.0/8]}", map[string]string{"LARDER_ACCESS_ALLOW": ""})
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Config.Access.Allow) != 0 || loaded.sources["access.allow"] != "LARDER_ACCESS_ALLOW" {
		t.Errorf("allowed: %v", loaded.Config.Access.Allow)
	}
}

func TestConfigVariable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(path, []byte("dev: {shards: 7}"), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := load(t, RoleDev, "", map[string]string{"LARDER_CONFIG": path})
	if err != nil || loaded.Config.Dev.Shards != 7 {
		t.Errorf("%v %+v", err, loaded)
	}
}

// Kubernetes sets these for a Service that is called larder; they must not keep a container from starting.
func TestLinkVariables(t *testing.T) {
	for _, name := range []string{
		"LARDER_SERVICE_HOST", "LARDER_SERVICE_PORT", "LARDER_SERVICE_PORT_REDIS", "LARDER_PORT", "LARDER_PORT_6379_TCP", "LARDER_PORT_6379_TCP_PROTO",
		"LARDER_PORT_6379_TCP_PORT", "LARDER_PORT_6379_TCP_ADDR", "LARDER_GATEWAY_SERVICE_HOST", "LARDER_GATEWAY_PORT_6379_TCP",
	} {
		if problems := unknownVariables([]string{name + "=x"}, nil); len(problems) != 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		file string
		env  map[string]string
		args []string
		want []string // each a part of the message; FILE stands for the file's name
	}{
		{name: "unknown key in the file", file: "gateway:\n  listne: x\n", want: []string{"FILE:2: gateway.listne: unknown key: do you mean gateway.listen?"}},
		{name: "unknown section", file: "\n\ngatewy: {listen: x}", want: []string{"FILE:3: gatewy: unknown key"}},
		{name: "a key in other letters", file: "Gateway: {listen: x}", want: []string{"FILE:1: Gateway: unknown key"}},
		{name: "unknown variable", env: map[string]string{"LARDER_ACCES_ALLOW": "x"}, want: []string{"LARDER_ACCES_ALLOW: unknown variable: do you mean LARDER_ACCESS_ALLOW?"}},
		{name: "unknown key of --set", args: []string{"--set", "log.levle=x"}, want: []string{"--set log.levle: unknown key: do you mean log.level?"}},
		{name: "no value of --set", args: []string{"--set", "log.level"}, want: []string{`--set "log.level": must be KEY=VALUE`}},
		{name: "--set twice", args: []string{"--set", "engine.id=a", "--set", "engine.id=b"}, want: []string{"--set engine.id: given twice"}},
		{name: "--set and flag", args: []string{"--set", "dev.shards=1", "--shards", "2"}, want: []string{"--set dev.shards: given twice"}},
		{name: "bad number in the file", file: "gateway:\n  loops: many\n", want: []string{`FILE:2: gateway.loops "many": must be a whole number`}},
		{name: "bad number in a variable", env: map[string]string{"LARDER_GATEWAY_LOOPS": ""}, want: []string{`LARDER_GATEWAY_LOOPS: gateway.loops "": must be a whole number`}},
		{name: "bad number in a flag", args: []string{"--shards", "1.5"}, want: []string{`--shards: dev.shards "1.5": must be a whole number`}},
		{name: "bad size", args: []string{"--set", "engine.maxmemory=12xb"}, want: []string{`--set: engine.maxmemory "12xb": must be a size`, "512mb"}},
		{name: "bad duration", file: "gateway: {idle-timeout: 5}", want: []string{`FILE:1: gateway.idle-timeout "5": must be a duration such as 250ms`}},
		{name: "bad address", file: "gateway: {listen: 6379}", want: []string{`FILE:1: gateway.listen "6379": must be host:port`}},
		{name: "bad metrics address", args: []string{"--metrics", "no"}, want: []string{`--metrics: metrics.listen "no": must be host:port`, "or off"}},
		{name: "bad block", args: []string{"--allow", "10.0.0.0/8,10.0.0.0/33"}, want: []string{`--allow: access.allow "10.0.0.0/8,10.0.0.0/33": "10.0.0.0/33" must be a CIDR block`}},
		{name: "bad node", env: map[string]string{"LARDER_GATEWAY_NODES": "h"}, want: []string{`LARDER_GATEWAY_NODES: gateway.nodes "h": "h" must be host:port`}},
		{name: "no text", env: map[string]string{"LARDER_ENGINE_ID": "\xff"}, want: []string{`LARDER_ENGINE_ID: engine.id "\xff": must be text in UTF-8`}},
		{name: "bad choice", file: "log:\n  level: loud", want: []string{`FILE:2: log.level "loud": must be debug or info or warn or error`}},
		{name: "bad boolean", file: "metrics: {pprof: 1}", want: []string{`metrics.pprof "1": must be true or false`}},
		{name: "no value", file: "engine:\n  id:\n", want: []string{"FILE:2: engine.id: has no value: must be text in UTF-8"}},
		{name: "a list for a text", file: "engine: {id: [a]}", want: []string{"FILE:1: engine.id: must be text in UTF-8"}},
		{name: "a section for a value", file: "engine: {id: {a: b}}", want: []string{"FILE:1: engine.id: must be text in UTF-8"}},
		{name: "a value for a section", file: "engine: 5", want: []string{"FILE:1: engine: must be keys with values"}},
		{name: "a list for everything", file: "- a", want: []string{"FILE:1: the file: must be keys with values"}},
		{name: "given twice", file: "engine:\n  id: a\n  id: b\n", want: []string{"FILE:3: engine.id: given twice, first on line 2"}},
		{name: "given twice in two ways", file: "engine: {id: a}\nengine.id: b\n", want: []string{"FILE:2: engine.id: given twice, first at FILE:1"}},
		{name: "not YAML", file: "a: [", want: []string{"FILE: line 1: did not find expected node content"}},
		{name: "no file", args: []string{"--config", "/nonexistent/larder.yaml"}, want: []string{"read configuration: open /nonexistent/larder.yaml: no such file"}},
		{name: "a part's own limit", file: "gateway:\n  databases: 0\n", want: []string{"FILE:2: gateway.databases: databases is 0: must be at least 1"}},
		{name: "a part's own limit, upwards", env: map[string]string{"LARDER_ENGINE_DATABASES": "99999"}, want: []string{"LARDER_ENGINE_DATABASES: engine.databases: databases is 99999: must be at most"}},
		{
			name: "two that do not go together", file: "gateway:\n  databases: 5\n  upstream:\n    backoff-min: 5s\n    backoff-max: 1s\n",
			want: []string{"FILE:4: gateway.upstream.backoff-min with FILE:5: gateway.upstream.backoff-max: upstream backoff max"},
		},
		{name: "no shards", args: []string{"--shards", "0"}, want: []string{"--shards: dev.shards: 0 shards: must be from 1 to 1024"}},
		{name: "replicas", args: []string{"--replicas", "6"}, want: []string{"--replicas: dev.replicas: 6 replicas: must be from 0 to 5"}},
		{
			name: "nodes both ways", file: "gateway: {nodes: ['a:1']}", env: map[string]string{"LARDER_GATEWAY_TOPOLOGY": "f"},
			want: []string{"FILE:1: gateway.nodes with LARDER_GATEWAY_TOPOLOGY: gateway.topology: nodes are given both ways"},
		},
		{
			name: "several", file: "a: 1\nlog: {level: x}\n", env: map[string]string{"LARDER_X": ""}, args: []string{"--shards", "x"},
			want: []string{"FILE:1: a: unknown key", "LARDER_X: unknown variable", "--shards: dev.shards", "FILE:2: log.level"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(t, RoleDev, test.file, test.env, test.args...)
			if err == nil {
				t.Fatal("no error")
			}
			// The file's name differs from run to run.
			got := err.Error()
			for _, word := range strings.FieldsFunc(got, func(r rune) bool { return strings.ContainsRune(" :\n", r) }) {
				if strings.HasSuffix(word, "/larder.yaml") && word != "/nonexistent/larder.yaml" {
					got = strings.ReplaceAll(got, word, "FILE")
				}
			}
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("got %s\nwant %s", got, want)
				}
			}
			if len(test.want) < 4 && strings.Count(got, "\n") > 0 {
				t.Errorf("more than one line: %s", got)
			}
		})
	}
}

func TestGatewayNeedsNodes(t *testing.T) {
	if _, err := load(t, RoleGateway, "", nil); err == nil || !strings.Contains(err.Error(), "--nodes") || !strings.Contains(err.Error(), "--topology") {
		t.Error(err)
	}
	if _, err := load(t, RoleGateway, "", nil, "--topology", "f"); err != nil {
		t.Error(err)
	}
}

func TestControlNeedsConsulAndKey(t *testing.T) {
	_, err := load(t, RoleControl, "", nil, "--listen", "off")
	for _, want := range []string{"--consul", "--api-key-file", "api.listen", "--key-file"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %s", err, want)
		}
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := load(t, RoleControl, "", map[string]string{"LARDER_API": "http://elsewhere:1"}, "--consul", "http://127.0.0.1:8500", "--api-key-file", file, "--key-file", file)
	if err != nil || loaded.Config.API.Listen != controlListen {
		t.Fatal(loaded, err)
	}
	if key, err := loaded.Config.API.TheKey(); err != nil || key != "0123456789abcdef" {
		t.Errorf("%q, %v", key, err)
	}
	for _, wrong := range []API{{Key: "short"}, {KeyFile: file + "not"}} {
		if _, err := wrong.TheKey(); err == nil || strings.Contains(err.Error(), "short") {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}

func TestShadowNeedsBoth(t *testing.T) {
	for _, args := range [][]string{nil, {"--from", "redis://a:1"}, {"--to", "redis://a:1"}} {
		if _, err := load(t, RoleShadow, "", nil, args...); err == nil || !strings.Contains(err.Error(), "--from") || !strings.Contains(err.Error(), "--to") {
			t.Errorf("%v: %v", args, err)
		}
	}
	for _, wrong := range []string{"0", "101%", "x"} {
		if _, err := load(t, RoleShadow, "", nil, "--from", "redis://a:1", "--to", "redis://b:1", "--share", wrong); err == nil || !strings.Contains(err.Error(), "shadow.share") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	if _, err := load(t, RoleShadow, "", nil, "--from", "redis://:secret@a:1", "--to", "http://b:1"); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "shadow.to") {
		t.Error(err)
	}
	loaded, err := load(t, RoleShadow, "", nil, "--from", "redis+sentinel://a:1/main", "--to", "redis://b:1", "--share", "10%")
	if err != nil || loaded.Config.Shadow.Share != "10%" {
		t.Error(err)
	}
}

// A bad secret's value is not repeated in the error.
func TestSecretStaysSecret(t *testing.T) {
	loaded, err := load(t, RoleDev, "gateway: {password: hunter2}", map[string]string{"LARDER_ENGINE_PASSWORD": "hunter2", "LARDER_CONSUL_TOKEN": "hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := loaded.Write(&out, false); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"gateway.password", "engine.password", "consul.token"} {
		if err := loaded.Explain(&out, key); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(out.String(), "hunter2") || strings.Count(out.String(), "# password: hidden") != 2 || strings.Count(out.String(), "# token: hidden") != 1 {
		t.Error(out.String())
	}
	out.Reset()
	if err := loaded.Write(&out, true); err != nil || strings.Count(out.String(), "hunter2") != 3 {
		t.Error(err, out.String())
	}
}

func TestExplain(t *testing.T) {
	loaded, err := load(t, RoleDev, "", nil, "--listen", "127.0.0.1:7")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := loaded.Explain(&out, "gateway.listen"); err != nil {
		t.Fatal(err)
	}
	const want = `gateway.listen
  The endpoint: where clients connect. An empty host is every address of the machine.
  must be   host:port with a port from 0 (any free one) to 65535
  value     127.0.0.1:7 (--listen)
  default   127.0.0.1:6379
  variable  LARDER_GATEWAY_LISTEN
  flag      --listen of dev, gateway, shadow; --set gateway.listen=ADDR
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
	if err := loaded.Explain(&out, "gateway.lisen"); err == nil || err.Error() != "gateway.lisen: unknown key: do you mean gateway.listen?" {
		t.Error(err)
	}
}

// What is printed is a file that says the same, whatever texts stand in it.
func TestWrittenFileSaysTheSame(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		said := &Loaded{Config: defaults(), sources: map[string]string{}}
		c := &said.Config
		c.Engine.ID = rapid.String().Draw(t, "id")
		c.Gateway.Password = rapid.SampledFrom([]string{"", "null", "~", "yes", "0x10", "# no", " lead", "a: b", "line\nline", "é", "\"'", "!tag", "&a", "*a", "1_000", "2026-01-01", "\u2028", "\x7f"}).Draw(t, "password")
		c.Access.Allow = rapid.SampledFrom([][]string{nil, {"10.0.0.0/8"}, {"::/0", "::1"}}).Draw(t, "allow")
		c.Gateway.BulkMaxBytes = rapid.Int64Range(1<<10, 1<<40).Draw(t, "bulk")
		c.Gateway.IdleTimeout = time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "idle"))
		c.Metrics.Pprof = rapid.Bool().Draw(t, "pprof")
		var out bytes.Buffer
		if err := said.Write(&out, true); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "larder.yaml")
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		l := NewLoader(RoleDev)
		if err := l.Flags().Parse([]string{"--config", path}); err != nil {
			t.Fatal(err)
		}
		read, err := l.Load()
		if err != nil {
			t.Fatal(err)
		}
		said.Config.spread()
		for i, s := range settings(&said.Config) {
			if got := settings(&read.Config)[i].kind.String(); got != s.kind.String() {
				t.Errorf("%s: wrote %q, read %q", s.key, s.kind.String(), got)
			}
		}
	})
}

// Every field of the parts' Options can be set; one that is added without a key is found here.
func TestEveryFieldHasAKey(t *testing.T) {
	var c Config
	set := map[any]bool{}
	for _, s := range settings(&c) {
		set[fieldOf(s.kind)] = true
	}
	spread := []any{&c.Gateway.Access, &c.Engine.Access, &c.Engine.Dir, &c.Engine.Restore, &c.Engine.Results, &c.Engine.OpenStore} // by access.allow, data.dir and restore; a migration says Results, and cmd/app the last
	var look func(path string, v reflect.Value)
	look = func(path string, v reflect.Value) {
		if v.Kind() == reflect.Struct {
			for i := range v.NumField() {
				look(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
			return
		}
		field := v.Addr().Interface()
		if !set[field] && !slices.Contains(spread, field) {
			t.Errorf("%s has no key", path)
		}
	}
	look("Config", reflect.ValueOf(&c).Elem())
}

// fieldOf is the pointer inside a kind.
func fieldOf(k kind) any {
	v := reflect.ValueOf(k)
	for v.Kind() == reflect.Struct {
		v = v.Field(0)
	}
	return reflect.NewAt(v.Type().Elem(), v.UnsafePointer()).Interface()
}

func TestTable(t *testing.T) {
	c := defaults()
	seen := map[string]string{}
	once := func(what, key string) {
		if before, twice := seen[what]; twice {
			t.Errorf("%s is %s's and %s's", what, before, key)
		}
		seen[what] = key
	}
	for _, s := range settings(&c) {
		once(s.key, s.key)
		once(s.variable(), s.key)
		for _, role := range s.roles.names() {
			once(role+" --"+s.flag, s.key)
		}
		if s.key != strings.ToLower(s.key) || !strings.Contains(s.key, ".") {
			t.Errorf("%s: want lower case, in a section", s.key)
		}
		if !strings.HasSuffix(s.meaning, ".") || (s.flag == "") != (s.roles == 0) {
			t.Errorf("%s: want a meaning in sentences, and a flag with roles or neither", s.key)
		}
		if linkVariables.MatchString(s.variable()) {
			t.Errorf("%s: its variable looks like one of Kubernetes'", s.key)
		}
		if err := s.kind.set(s.kind.String()); err != nil {
			t.Errorf("%s: its default: %v", s.key, err)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "17b": 17, "1k": 1000, "1kb": 1024, "1KiB": 1024, "3m": 3e6, "512mb": 512 << 20, "2G": 2e9, "1gib": 1 << 30, "1t": 1e12, "1tb": 1 << 40, "9223372036854775807": 1<<63 - 1,
	} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%q: got %d %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "b", "mb", "-1", "+1", "1.5gb", "1 mb", "1e3", "0x10", "9223372036854775808", "8388608tib", "1pb", "1mbb"} {
		if got, ok := parseSize(text); ok {
			t.Errorf("%q: got %d, want none", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1<<62).Draw(t, "n")
		if got, ok := parseSize(formatSize(n)); !ok || got != n {
			t.Errorf("%d is written %s and read %d", n, formatSize(n), got)
		}
	})
}

func FuzzFile(f *testing.F) {
	for _, seed := range []string{"gateway: {listen: ':1'}", "a: &x [1]\nb: *x\n", "log: {<<: {level: info}}", "? [a]\n: b", "access:\n  allow:\n  - ::1\n", "---\na: 1\n---\n", "\tx", "engine: *x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		c := defaults()
		known := map[string]setting{}
		for _, s := range settings(&c) {
			known[s.key] = s
		}
		found, err := readFile("f", []byte(content), known)
		for key, value := range found {
			if _, ok := known[key]; !ok || !strings.HasPrefix(value.source, "f:") {
				t.Errorf("%s: %+v, error %v", key, value, err)
			}
		}
	})
}

// The committed sample is what `larder config` prints without any setting.
func TestSample(t *testing.T) {
	loaded, err := load(t, RoleNone, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := loaded.Write(&out, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "larder.yaml", out.Bytes())
}

func TestDocument(t *testing.T) {
	var out bytes.Buffer
	document(&out)
	golden(t, "../docs/configuration.md", out.Bytes())
}

func golden(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s is not what the settings make; write it anew with: go test ./configs -update", path)
	}
}

// document is docs/configuration.md.
func document(out *bytes.Buffer) {
	fmt.Fprint(out, `# Configuration

Written by `+"`go test ./configs -update`"+` from configs/settings.go; don't edit.

A setting has one key. It can be set in four ways; the first that is there counts:

1. on the command line: the flag in the table, or `+"`--set KEY=VALUE`"+`, which every command takes and which may be given again;
2. in the environment: `+"`LARDER_`"+` and the key in capitals, with `+"`_`"+` for `+"`.`"+` and `+"`-`"+`, so gateway.listen is `+"`LARDER_GATEWAY_LISTEN`"+`;
   a variable that is there and empty means the empty value;
3. in a YAML file, named by `+"`--config FILE`"+` or `+"`LARDER_CONFIG`"+`; `+"[configs/larder.yaml](../configs/larder.yaml)"+` is one with all the defaults;
4. the default.

One file serves all roles: each takes what is its own. What is set and unknown, in the file or as a `+"`LARDER_`"+` variable, is an
error, and so is a bad value; the message names the key and where it stood. (Variables that Kubernetes or Docker make for a
service with the name larder, such as `+"`LARDER_SERVICE_HOST`"+`, are let be.) `+"`larder config`"+` prints the effective configuration with
the origin of each value, without passwords unless `+"`--secrets`"+` is given; `+"`larder config --explain KEY`"+` tells about one setting.

What the tables call ADDR is host:port; a port of 0 takes a free one where something is to listen. SIZE is bytes, or has a unit
as in redis.conf: k, m, g, t count by 1000; kb, mb, gb, tb and kib, mib, gib, tib by 1024. DURATION has a unit: 250ms, 5s, 2m,
1h30m. N is a whole number, BOOL true or false, CIDR a block such as 10.0.0.0/8 or an address. A list (`+"`...`"+`) is written `+"`[a, b]`"+` in
the file and `+"`a,b`"+` elsewhere. Passwords have no flag: other users of the machine see command lines.
`)
	fmt.Fprint(out, `
Settings marked "live" can stand in the registry for all gateways of a fleet, above environment and file and below the command line, and change while
they run; those marked "at start" are taken from there when a gateway is started ([settings.md](settings.md)).
`)
	c := defaults()
	section := ""
	for _, s := range settings(&c) {
		at := s.key[:strings.LastIndex(s.key, ".")]
		if at != section {
			section = at
			fmt.Fprintf(out, "\n## %s\n\n| key | value | default | flag | registry | meaning |\n|---|---|---|---|---|---|\n", section)
		}
		value := s.kind.name()
		if c, is := s.kind.(choice); is {
			value = c.want()
		}
		flag := ""
		if s.flag != "" {
			flag = fmt.Sprintf("`--%s` of %s", s.flag, strings.Join(s.roles.names(), ", "))
		}
		fmt.Fprintf(out, "| %s | %s | `%s` | %s | %s | %s |\n", s.key, value, s.kind.yaml(), flag, map[effect]string{atOnce: "live", atStart: "at start"}[s.managed], s.meaning)
	}
}
