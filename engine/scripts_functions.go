package engine

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"larder/engine/script"
	"larder/protocol/command"
	"larder/protocol/encoding/rdb"
	"larder/protocol/resp"
)

// library is a library of functions.
type library struct {
	name, code string
	functions  []*function
}

type function struct {
	*script.Function
	library *library
	flags   scriptFlags
}

// loadMax is how long a library may take to register its functions.
const loadMax = 500 * time.Millisecond

// loadHost is what a library reaches of the node while it is loaded: the log.
type loadHost struct {
	job
	until time.Time
}

func (h *loadHost) Pause() error {
	if time.Now().After(h.until) {
		return errors.New("ERR FUNCTION LOAD timeout")
	}
	return nil
}

func (t *scripts) libraryVM() *script.VM {
	if t.library == nil {
		t.library = script.New(vmOptions(true))
		t.libraries, t.functions = map[string]*library{}, map[string]*function{}
	}
	return t.library
}

// header reads a library's first line (Redis 7.0 functions.c, functionExtractLibMetaData).
func header(code string) (name, body, wrong string) {
	line, rest, found := strings.Cut(code, "\n")
	if !strings.HasPrefix(code, "#!") {
		return "", "", "ERR Missing library metadata"
	}
	if !found {
		return "", "", "ERR Invalid library metadata"
	}
	words, ok := resp.Words(line)
	if !ok {
		return "", "", "ERR Invalid library metadata"
	}
	engine := words[0][2:]
	named := false
	for _, w := range words[1:] {
		key, value, ok := strings.Cut(w, "=")
		if !ok || !strings.EqualFold(key, "name") {
			return "", "", "ERR Invalid metadata value given: " + w
		}
		if named {
			return "", "", "ERR Invalid metadata value, name argument was given multiple times"
		}
		name, named = value, true
	}
	switch {
	case !named:
		return "", "", "ERR Library name was not given"
	case !libraryName(name):
		return "", "", "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"
	case !strings.EqualFold(engine, "lua"):
		return "", "", "ERR Engine '" + engine + "' not found"
	}
	return name, "\n" + rest, ""
}

func libraryName(name string) bool {
	for _, c := range name {
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return name != ""
}

// makeLibrary builds a library without taking it in. others are the libraries that it is to stand beside.
func (p *part) makeLibrary(code string, others map[string]*library) (lib *library, wrong string) {
	name, body, wrong := header(code)
	if wrong != "" {
		return nil, wrong
	}
	host := &loadHost{job: job{p: p}, until: time.Now().Add(loadMax)}
	known := func(flag string) bool { return scriptFlagNames[flag] != 0 }
	made, failed := p.scripts.libraryVM().Load(body, "user_function", host, known)
	if failed != nil {
		return nil, loadError(failed)
	}
	if len(made) == 0 {
		return nil, "ERR No functions registered"
	}
	lib = &library{name: name, code: code}
	for _, f := range made {
		fn := &function{Function: f, library: lib, flags: flagDeclared}
		for _, flag := range f.Flags {
			fn.flags |= scriptFlagNames[flag]
		}
		lib.functions = append(lib.functions, fn)
		for _, other := range others {
			if other.name != name && slices.ContainsFunc(other.functions, func(o *function) bool { return strings.EqualFold(o.Name, f.Name) }) {
				return nil, "ERR Function " + f.Name + " already exists"
			}
		}
	}
	return lib, ""
}

func loadError(f *script.Failure) string {
	text := strings.TrimPrefix(f.Text, "ERR ")
	if f.Compile {
		return "ERR Error compiling function: " + text
	}
	return "ERR Error registering functions: ERR " + strings.TrimPrefix(text, "@")
}

// takeLibraries makes these the node's libraries.
func (p *part) takeLibraries(libs map[string]*library) {
	t := &p.scripts
	t.libraryVM()
	t.libraries, t.functions = libs, map[string]*function{}
	var kept []*script.Function
	for _, lib := range libs {
		for _, f := range lib.functions {
			t.functions[strings.ToLower(f.Name)] = f
			kept = append(kept, f.Function)
		}
	}
	t.library.Keep(kept)
}

// dropLibraries forgets them all.
func (t *scripts) dropLibraries() { t.library, t.libraries, t.functions = nil, nil, nil }

func functionLoad(s *session, args [][]byte) {
	p := s.p
	replace := false
	for _, word := range args[2 : len(args)-1] {
		if lower(word) != "replace" {
			s.fail("ERR Unknown option given: " + string(word))
			return
		}
		replace = true
	}
	code := string(args[len(args)-1])
	p.scripts.libraryVM()
	if name, _, wrong := header(code); wrong == "" && !replace && p.scripts.libraries[name] != nil {
		s.fail("ERR Library '" + name + "' already exists")
		return
	}
	lib, wrong := p.makeLibrary(code, p.scripts.libraries)
	if wrong != "" {
		s.fail(wrong)
		return
	}
	libs := maps.Clone(p.scripts.libraries)
	libs[lib.name] = lib
	p.takeLibraries(libs)
	p.dirty++
	s.tell(args)
	p.w.Bulk(lib.name)
}

func functionDelete(s *session, args [][]byte) {
	p := s.p
	if p.scripts.libraries[string(args[2])] == nil {
		s.fail("ERR Library not found")
		return
	}
	libs := maps.Clone(p.scripts.libraries)
	delete(libs, string(args[2]))
	p.takeLibraries(libs)
	p.dirty++
	s.tell(args)
	s.ok()
}

func functionFlush(s *session, args [][]byte) {
	if len(args) > 3 {
		s.fail(command.SubArgumentsError(args))
		return
	}
	if !flushMode(args) {
		s.fail("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
		return
	}
	s.p.scripts.dropLibraries()
	s.p.dirty++
	s.tell(args)
	s.ok()
}

func functionDump(s *session, _ [][]byte) { s.p.w.BulkBytes(s.p.dumpLibraries()) }

// dumpLibraries is a payload of all libraries.
func (p *part) dumpLibraries() (out []byte) {
	for _, code := range p.libraryCodes() {
		out = append(out, functionOpcode)
		out = rdb.AppendString(out, []byte(code), nil)
	}
	return rdb.AppendFooter(out, 0)
}

// libraryCodes are the texts of all libraries, in the order of their names.
func (p *part) libraryCodes() (codes []string) {
	for _, name := range slices.Sorted(maps.Keys(p.scripts.libraries)) {
		codes = append(codes, p.scripts.libraries[name].code)
	}
	return codes
}

// functionOpcode comes before each library in a payload and in an RDB file.
const functionOpcode = 245

func functionRestore(s *session, args [][]byte) {
	p := s.p
	policy := "append"
	if len(args) > 3 {
		policy = lower(args[3])
	}
	if len(args) > 4 {
		s.fail(command.SubArgumentsError(args))
		return
	}
	if policy != "append" && policy != "replace" && policy != "flush" {
		s.fail("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
		return
	}
	codes, wrong := codesOf(args[2])
	if wrong != "" {
		s.fail(wrong)
		return
	}
	libs := map[string]*library{}
	if policy != "flush" {
		libs = p.scripts.copied()
	}
	for _, code := range codes {
		if name, _, wrong := header(code); wrong == "" && policy != "replace" && libs[name] != nil {
			s.fail("ERR Library " + name + " already exists")
			return
		}
		lib, wrong := p.makeLibrary(code, libs)
		if wrong != "" {
			s.fail(wrong)
			return
		}
		libs[lib.name] = lib
	}
	p.takeLibraries(libs)
	p.dirty++
	s.tell(args)
	s.ok()
}

// codesOf takes a payload of FUNCTION DUMP apart.
func codesOf(payload []byte) (codes []string, wrong string) {
	const broken = "ERR DUMP payload version or checksum are wrong"
	if len(payload) < 10 {
		return nil, broken
	}
	rest := payload[:len(payload)-10]
	if len(rest) > 0 {
		if _, _, _, err := rdb.OpenPayload(payload, rdb.Version); err != nil {
			return nil, broken
		}
	}
	for len(rest) > 0 {
		if rest[0] != functionOpcode {
			return nil, "ERR given type is not a function"
		}
		code, n, err := rdb.String(rest[1:], nil)
		if err != nil {
			return nil, "ERR Failed loading library data"
		}
		codes = append(codes, string(code))
		rest = rest[1+n:]
	}
	return codes, ""
}

func functionList(s *session, args [][]byte) {
	var pattern []byte
	code := false
	for i := 2; i < len(args); i++ {
		switch word := lower(args[i]); {
		case word == "withcode" && !code:
			code = true
		case word == "libraryname" && pattern == nil:
			if i++; i >= len(args) {
				s.fail("ERR library name argument was not given")
				return
			}
			pattern = args[i]
		default:
			s.fail("ERR Unknown argument " + string(args[i]))
			return
		}
	}
	var libs []*library
	for _, name := range slices.Sorted(maps.Keys(s.p.scripts.libraries)) {
		if pattern == nil || command.MatchName(string(pattern), name) {
			libs = append(libs, s.p.scripts.libraries[name])
		}
	}
	s.p.w.Array(len(libs))
	for _, lib := range libs {
		s.listLibrary(lib, code)
	}
}

func (s *session) listLibrary(lib *library, code bool) {
	w := &s.p.w
	n := 3
	if code {
		n++
	}
	w.Map(n)
	w.Bulk("library_name")
	w.Bulk(lib.name)
	w.Bulk("engine")
	w.Bulk("LUA")
	w.Bulk("functions")
	w.Array(len(lib.functions))
	for _, f := range lib.functions {
		w.Map(3)
		w.Bulk("name")
		w.Bulk(f.Name)
		w.Bulk("description")
		if f.Described {
			w.Bulk(f.Description)
		} else {
			w.Null()
		}
		w.Bulk("flags")
		w.Set(len(f.Flags))
		for _, flag := range f.Flags {
			w.Status(flag)
		}
	}
	if code {
		w.Bulk("library_code")
		w.Bulk(lib.code)
	}
}

func functionStats(s *session, _ [][]byte) {
	w, t := &s.p.w, &s.p.scripts
	w.Map(2)
	w.Bulk("running_script")
	if j := t.busy; j != nil && j.function != nil {
		w.Map(3)
		w.Bulk("name")
		w.Bulk(j.name)
		w.Bulk("command")
		w.Array(len(j.command))
		for _, arg := range j.command {
			w.BulkBytes(arg)
		}
		w.Bulk("duration_ms")
		w.Int(time.Since(j.began).Milliseconds())
	} else {
		w.Null()
	}
	w.Bulk("engines")
	w.Map(1)
	w.Bulk("LUA")
	w.Map(2)
	w.Bulk("libraries_count")
	w.Int(int64(len(t.libraries)))
	w.Bulk("functions_count")
	w.Int(int64(len(t.functions)))
}

func fcall(s *session, args [][]byte) {
	f := s.p.scripts.functions[lower(args[1])]
	if f == nil {
		s.fail("ERR Function not found")
		return
	}
	if _, ok := resp.ParseNumber(args[2]); !ok {
		s.fail("ERR Bad number of keys provided")
		return
	}
	keys, rest, wrong := keysAndArgs(args)
	if wrong != "" {
		s.fail(wrong)
		return
	}
	s.start(job{
		name: f.Name, command: args, function: f.Function, flags: f.flags, readOnly: readOnlyName(args), vm: s.p.scripts.library, keys: keys, args: rest,
	})
}

// copied are the node's libraries, for who adds some before they are taken.
func (t *scripts) copied() map[string]*library {
	libs := map[string]*library{}
	maps.Copy(libs, t.libraries)
	return libs
}
