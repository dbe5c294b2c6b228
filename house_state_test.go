package house_test

import (
	"go/ast"
	"go/token"
)

// checkAssignments finds what changes a package-level variable: =, +=, ++, a range over it, an element or field of it, clear and delete.
// Methods that change what they are called on, and pointers given away, are not seen: the rule is kept cheap.
func checkAssignments(house []*source) []fault {
	vars := map[string]map[string]bool{} // folder → its package-level variables
	files := product(house)
	for _, s := range files {
		if vars[s.dir] == nil {
			vars[s.dir] = map[string]bool{}
		}
		for name := range packageVars(s.file) {
			vars[s.dir][name] = true
		}
	}
	var faults []fault
	for _, s := range files {
		own := packageVars(s.file)
		for _, e := range changed(s.file) {
			if name := s.packageVar(e, own, vars[s.dir]); name != "" {
				faults = append(faults, s.at(e.Pos(), whyAssign, "the package-level variable %s is changed after its declaration", name))
			}
		}
	}
	return faults
}

// packageVars are the package-level variables declared in a file.
func packageVars(f *ast.File) map[string]*ast.ValueSpec {
	out := map[string]*ast.ValueSpec{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			for _, name := range v.Names {
				out[name.Name] = v
			}
		}
	}
	return out
}

// changed are the expressions of a file that are assigned to.
func changed(f *ast.File) []ast.Expr {
	var out []ast.Expr
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				out = append(out, n.Lhs...)
			}
		case *ast.IncDecStmt:
			out = append(out, n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				out = append(out, n.Key)
				if n.Value != nil {
					out = append(out, n.Value)
				}
			}
		case *ast.CallExpr:
			if fun, ok := n.Fun.(*ast.Ident); ok && (fun.Name == "clear" || fun.Name == "delete") && len(n.Args) > 0 {
				out = append(out, n.Args[0])
			}
		}
		return true
	})
	return out
}

// packageVar gives the name of the package-level variable that an expression changes, "" if it changes something else.
func (s *source) packageVar(e ast.Expr, own map[string]*ast.ValueSpec, all map[string]bool) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return s.packageVar(e.X, own, all)
	case *ast.IndexExpr:
		return s.packageVar(e.X, own, all)
	case *ast.StarExpr:
		return s.packageVar(e.X, own, all)
	case *ast.SelectorExpr:
		if lib := s.libOf(e); lib != "" { // a variable of another package
			return lib + "." + e.Sel.Name
		}
		return s.packageVar(e.X, own, all)
	case *ast.Ident:
		if e.Obj == nil { // declared in another file
			if all[e.Name] {
				return e.Name
			}
			return ""
		}
		if spec := own[e.Name]; spec != nil && e.Obj.Decl == spec {
			return e.Name
		}
	}
	return ""
}
