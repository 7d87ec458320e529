package housetest

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// core are the packages that decide: pure, the same answer to the same question, for ever.
var core = []string{"internal/cib", "internal/transition", "internal/scheduler", "internal/controller", "internal/simulate"}

// outside are the packages, and all below them, by which the world could reach the core.
var outside = []string{"os", "net", "log", "syscall", "math/rand", "crypto/rand", "runtime", "testing",
	"io/ioutil", "github.com/google/uuid"}

// clock are the functions of package time that look at a clock or wait for one.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func checkPure(p *pkg) []complaint {
	var out []complaint
	for _, f := range p.Syntax {
		for _, imp := range f.Imports {
			path := strings.Trim(imp.Path.Value, `"`)
			for _, o := range outside {
				if path == o || strings.HasPrefix(path, o+"/") {
					out = append(out, p.at(imp, "the core may not use %s: hand in what it needs, return what is to be done", path))
				}
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				out = append(out, p.at(n, "the core starts no goroutine"))
			case *ast.SelectorExpr:
				if fn, ok := p.TypesInfo.Uses[n.Sel].(*types.Func); ok && fn.Pkg() != nil && fn.Pkg().Path() == "time" &&
					fn.Signature().Recv() == nil && slices.Contains(clock, fn.Name()) {
					out = append(out, p.at(n, "time.%s: in the core, time is an argument", fn.Name()))
				}
			}
			return true
		})
	}
	return out
}

// checkState finds package-level variables that some function changes.
func checkState(p *pkg) []complaint {
	var out []complaint
	changed := func(e ast.Expr) {
		if v := packageVar(p, e); v != nil {
			out = append(out, p.at(e, "changes the package-level variable %s; state belongs to a value that is handed in", v.Name()))
		}
	}
	for _, f := range p.Syntax {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					if n.Tok != token.DEFINE {
						for _, l := range n.Lhs {
							changed(l)
						}
					}
				case *ast.IncDecStmt:
					changed(n.X)
				case *ast.CallExpr:
					if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") {
						changed(n.Args[0])
					}
				}
				return true
			})
		}
	}
	return out
}

// packageVar is the package-level variable that an expression such as v, v.f, v[i] or *v belongs to.
func packageVar(p *pkg, e ast.Expr) *types.Var {
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.Ident:
			v, ok := p.TypesInfo.Uses[x].(*types.Var)
			if ok && !v.IsField() && v.Parent() == p.Types.Scope() {
				return v
			}
			return nil
		default:
			return nil
		}
	}
}

func TestCoreIsPure(t *testing.T) {
	found := false
	for _, p := range house(t) {
		if slices.Contains(core, p.rel) {
			found = true
			report(t, checkPure(p))
		}
	}
	if !found {
		t.Error("no core package found")
	}
}

func TestNoPackageLevelState(t *testing.T) {
	for _, p := range house(t) {
		report(t, checkState(p))
	}
}

func TestCoreCatchesPlanted(t *testing.T) {
	p := planted(t, "pure", "internal/cib")
	catches(t, p, checkPure(p))
	p = planted(t, "state", "internal/cib")
	catches(t, p, checkState(p))
}
