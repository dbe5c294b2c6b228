package house_test

import (
	"go/ast"
	"path"
	"slices"
)

const (
	whyPure = "a pure room is tested by value, fuzzed, and replayed from a seed: now is an argument, memory and randomness are handed in, " +
		"and whoever calls owns the goroutine"
	whyInit = "init runs before main in an order that nobody sees and no test can leave out. Build a table in a variable's declaration, " +
		"or do it in a constructor"
	whyAssign = "a package-level variable that changes is state shared by all loops, tests and goroutines without an owner. " +
		"Make it a field of what owns it"
	whyStart = "every goroutine has an owner that stops it and waits for it; they are found, and reviewed, in files named run.go"
)

// impureLibs must not be named in a pure room; a name means all below it.
var impureLibs = []string{
	"net", "os", "sync", "log", "syscall", "plugin", "runtime", "testing", "crypto/rand",
	"github.com/prometheus", "golang.org/x/sync", "golang.org/x/sys",
}

// harmless lie below an impure library and are values only.
var harmless = []string{"net/netip"}

// diceAndClocks are functions of otherwise harmless libraries that read the clock, start a timer or throw the process's own dice.
var diceAndClocks = map[string][]string{
	"time":         {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"hash/maphash": {"MakeSeed"},
	"context":      {"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause", "AfterFunc"},
}

// handedIn are the names of math/rand that make a source from a seed, or a type; all others throw the global dice.
var handedIn = []string{"New", "NewSource", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "Source64", "PCG", "ChaCha8", "Zipf"}

func checkPure(house []*source) []fault {
	var faults []fault
	for _, s := range product(house) {
		if !withinAny(s.dir, pure) {
			continue
		}
		for _, spec := range s.file.Imports {
			if lib := importPath(spec); withinAny(lib, impureLibs) && !withinAny(lib, harmless) {
				faults = append(faults, s.at(spec.Pos(), whyPure, "%s is pure and imports %s", s.dir, lib))
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				faults = append(faults, s.at(n.Pos(), whyPure, "%s is pure and starts a goroutine", s.dir))
			case *ast.SelectorExpr:
				if lib := s.libOf(n); impureName(lib, n.Sel.Name) {
					faults = append(faults, s.at(n.Pos(), whyPure, "%s is pure and uses %s.%s", s.dir, lib, n.Sel.Name))
				}
			}
			return true
		})
	}
	return faults
}

func impureName(lib, name string) bool {
	if lib == "math/rand" || lib == "math/rand/v2" {
		return !slices.Contains(handedIn, name)
	}
	return slices.Contains(diceAndClocks[lib], name)
}

// libOf is the library of a name like time.Now, "" if what stands before the point is no import.
func (s *source) libOf(sel *ast.SelectorExpr) string {
	if x, ok := sel.X.(*ast.Ident); ok && x.Obj == nil {
		return s.imports[x.Name]
	}
	return ""
}

func checkInit(house []*source) []fault {
	var faults []fault
	for _, s := range product(house) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				faults = append(faults, s.at(f.Pos(), whyInit, "init()"))
			}
		}
	}
	return faults
}

// checkStarts finds goroutines: the go statement, and the calls that start one without it.
func checkStarts(house []*source) []fault {
	var faults []fault
	for _, s := range product(house) {
		if path.Base(s.path) == "run.go" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				faults = append(faults, s.at(n.Pos(), whyStart, "a go statement outside run.go"))
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Go" || f.Sel.Name == "AfterFunc") {
					faults = append(faults, s.at(n.Pos(), whyStart, "a call of %s starts a goroutine outside run.go", f.Sel.Name))
				}
			}
			return true
		})
	}
	return faults
}
