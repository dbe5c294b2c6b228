package house_test

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
)

const (
	whyComment = "a reader learns a package from one comment: its job, what must hold, and who calls it on which goroutine; " +
		"two comments are two half truths, and go doc joins them"
	whyLong = "what does not fit on a screen is not read as one thing: good code's median function has 6 to 11 lines. " +
		"Name the parts; or add it to tooLong with the reason"

	functionLinesMax = 70
	fileLinesMax     = 800
)

func checkPackageComments(house []*source) []fault {
	commented := map[string][]*source{}
	first := map[string]*source{}
	for _, s := range product(house) {
		if first[s.dir] == nil {
			first[s.dir] = s
		}
		if s.file.Doc != nil {
			commented[s.dir] = append(commented[s.dir], s)
		}
	}
	var faults []fault
	for _, dir := range slices.Sorted(maps.Keys(first)) {
		switch with := commented[dir]; {
		case len(with) == 0:
			faults = append(faults, first[dir].at(first[dir].file.Package, whyComment, "package %s has no package comment", dir))
		case len(with) > 1:
			faults = append(faults, with[1].at(with[1].file.Package, whyComment, "package %s has a second package comment, the first is in %s", dir, with[0].path))
		}
	}
	return faults
}

// lengthy is a function or file over its limit.
type lengthy struct {
	name       string
	node       ast.Node
	lines, max int
}

func checkLengths(house []*source) []fault {
	var faults []fault
	for _, s := range product(house) {
		for _, l := range longOnes(s) {
			if tooLong[l.name] == "" {
				faults = append(faults, s.at(l.node.Pos(), whyLong, "%s has %d lines, more than %d", l.name, l.lines, l.max))
			}
		}
	}
	return faults
}

// longOnes are the functions and the file itself where they are over their limit; generated files have none.
func longOnes(s *source) []lengthy {
	if s.test || ast.IsGenerated(s.file) {
		return nil
	}
	var out []lengthy
	if s.lines > fileLinesMax {
		out = append(out, lengthy{name: s.path, node: s.file, lines: s.lines, max: fileLinesMax})
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		name := ""
		switch n := n.(type) {
		case *ast.FuncDecl:
			name = n.Name.Name
		case *ast.FuncLit: // of a package-level variable: those within a function count as its lines
			name = fmt.Sprintf("func at line %d", s.fset.Position(n.Pos()).Line)
		default:
			return true
		}
		lines := s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line + 1
		if lines > functionLinesMax {
			out = append(out, lengthy{name: s.path + ":" + name, node: n, lines: lines, max: functionLinesMax})
		}
		return false
	})
	return out
}
