// Package house_test keeps the house: which room may know which, by which door an outside library enters, which rooms are pure, where
// goroutines start, and how long things get. It parses and never type-checks, so it takes milliseconds and runs first. Each fault says why its
// rule is there; house_table_test.go holds what is allowed, house_faults_test.go plants every fault once to see that it is caught.
package house_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// module is the import path of the root.
const module = "larder"

// source is one Go file of ours.
type source struct {
	path    string // slashes, from the root: "proxy/lane.go"
	dir     string // its package's folder, "." for the root
	test    bool   // a _test.go file: free of all rules but one
	lines   int
	file    *ast.File
	fset    *token.FileSet
	imports map[string]string // name in this file → import path
}

// fault is a broken rule: what, where, and why the rule is there.
type fault struct {
	where, what, why string
}

func (f fault) String() string { return f.where + ": " + f.what + ".\n\tWhy: " + f.why }

// at makes a fault at a place in the file.
func (s *source) at(pos token.Pos, why, what string, args ...any) fault {
	return fault{where: fmt.Sprintf("%s:%d", s.path, s.fset.Position(pos).Line), what: fmt.Sprintf(what, args...), why: why}
}

// rules are all that is asked of the house. Each gets every file, tests too.
var rules = []func([]*source) []fault{
	checkRooms, checkAdapters, checkTestKit, checkDoors, checkPure, checkInit, checkAssignments, checkStarts, checkPackageComments, checkLengths,
}

// judge gives all faults of a house.
func judge(house []*source) []fault {
	var faults []fault
	for _, rule := range rules {
		faults = append(faults, rule(house)...)
	}
	return faults
}

func TestHouse(t *testing.T) {
	house, err := load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range judge(house) {
		t.Error(f)
	}
}

// TestExceptionsAreNeeded fails for an exception whose function or file has become short: the list stays short too.
func TestExceptionsAreNeeded(t *testing.T) {
	house, err := load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	long := map[string]bool{}
	for _, s := range house {
		for _, l := range longOnes(s) {
			long[l.name] = true
		}
	}
	for name, reason := range tooLong {
		if !long[name] {
			t.Errorf("%s stands among the exceptions (%s) and is not too long: take it out", name, reason)
		}
	}
}

// load parses every Go file of the module; nested modules, testdata and hidden folders are not ours to judge.
func load(root fs.FS) ([]*source, error) {
	var house []*source
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if skipped(root, name) {
				return fs.SkipDir
			}
			return nil
		case path.Ext(name) != ".go":
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		s, err := parse(filepath.ToSlash(name), text)
		if err != nil {
			return err
		}
		house = append(house, s)
		return nil
	})
	return house, err
}

func skipped(root fs.FS, dir string) bool {
	if dir == "." {
		return false
	}
	base := path.Base(dir)
	if base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := fs.Stat(root, path.Join(dir, "go.mod"))
	return err == nil
}

func parse(name string, text []byte) (*source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	s := &source{
		path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), lines: fset.Position(file.FileEnd).Line,
		file: file, fset: fset, imports: map[string]string{},
	}
	for _, spec := range file.Imports {
		lib := importPath(spec)
		local := importName(lib)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		s.imports[local] = lib
	}
	return s, nil
}

func importPath(spec *ast.ImportSpec) string {
	lib, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic(err) // the parser took it
	}
	return lib
}

// importName guesses a package's name by its path: the last part that is no version.
func importName(lib string) string {
	base := path.Base(lib)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		base = path.Base(path.Dir(lib))
	}
	return base
}

// within reports whether name is folder or lies below it.
func within(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, folder+"/")
}

func withinAny(name string, folders []string) bool {
	for _, f := range folders {
		if within(name, f) {
			return true
		}
	}
	return false
}

// product is the files that the rules are for: all that are no tests.
func product(house []*source) []*source {
	var out []*source
	for _, s := range house {
		if !s.test {
			out = append(out, s)
		}
	}
	return out
}
