package housetest

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// marker on the line of a range over a map, or the line above, says that its order is proved harmless. The
// reason follows it.
const marker = "//house:unordered"

// checkMapOrder finds ranges over maps whose order could reach a result. A range is harmless when its body
// does only what comes out the same in any order: it fills or empties maps and sets by key, adds up
// integers, sets a variable to a constant, returns a constant, or collects into slices that the function
// sorts afterwards. Anything else needs a sorted list of keys, or the marker with a reason.
func checkMapOrder(p *pkg) []complaint {
	var out []complaint
	for _, f := range p.Syntax {
		marks := p.marks(f)
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			out = append(out, checkFunction(p, fn, marks)...)
		}
		for _, m := range marks {
			switch {
			case !m.used:
				out = append(out, p.at(m.comment, "%s excuses nothing here; remove it", marker))
			case m.reason == "":
				out = append(out, p.at(m.comment, "%s needs a reason", marker))
			}
		}
	}
	return out
}

type mark struct {
	comment *ast.Comment
	reason  string
	used    bool
}

// marks are the markers of a file by line.
func (p *pkg) marks(f *ast.File) map[int]*mark {
	out := map[int]*mark{}
	for _, g := range f.Comments {
		for _, c := range g.List {
			if reason, ok := strings.CutPrefix(c.Text, marker); ok {
				out[p.Fset.Position(c.Pos()).Line] = &mark{comment: c, reason: strings.TrimSpace(strings.TrimSuffix(reason, "// want"))}
			}
		}
	}
	return out
}

func checkFunction(p *pkg, fn *ast.FuncDecl, marks map[int]*mark) []complaint {
	var out []complaint
	excused := func(n ast.Node) bool {
		line := p.Fset.Position(n.Pos()).Line
		for _, l := range []int{line, line - 1} {
			if m := marks[l]; m != nil {
				m.used = true
				return true
			}
		}
		return false
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.RangeStmt:
			if _, isMap := p.TypesInfo.TypeOf(n.X).Underlying().(*types.Map); !isMap {
				return true
			}
			o := &orderCheck{p: p, loop: n}
			if !o.harmlessBlock(n.Body) || !o.sortedAfterwards(fn) {
				if !excused(n) {
					out = append(out, p.at(n, "the order of this map can reach a result: range over sorted keys, or say %s REASON", marker))
				}
			}
		case *ast.CallExpr:
			// maps.Keys and its like give a map's order away unless they are sorted at once.
			if isFunc(p, n.Fun, "slices", "Sorted", "SortedFunc", "SortedStableFunc") {
				return false
			}
			if isFunc(p, n.Fun, "maps", "Keys", "Values", "All") && !excused(n) {
				out = append(out, p.at(n, "maps.%s in no order: wrap it in slices.Sorted, or say %s REASON", n.Fun.(*ast.SelectorExpr).Sel.Name, marker))
			}
		}
		return true
	})
	return out
}

// orderCheck looks at one loop.
type orderCheck struct {
	p         *pkg
	loop      *ast.RangeStmt
	collected []types.Object // slices that the loop appends to
}

func (o *orderCheck) harmlessBlock(b *ast.BlockStmt) bool {
	for _, s := range b.List {
		if !o.harmless(s) {
			return false
		}
	}
	return true
}

func (o *orderCheck) harmless(s ast.Stmt) bool {
	switch s := s.(type) {
	case nil, *ast.EmptyStmt:
		return true
	case *ast.BlockStmt:
		return o.harmlessBlock(s)
	case *ast.IfStmt:
		return o.harmless(s.Init) && o.harmlessBlock(s.Body) && o.harmless(s.Else)
	case *ast.RangeStmt:
		return o.harmlessBlock(s.Body)
	case *ast.ForStmt:
		return o.harmless(s.Init) && o.harmless(s.Post) && o.harmlessBlock(s.Body)
	case *ast.SwitchStmt:
		for _, c := range s.Body.List {
			for _, cs := range c.(*ast.CaseClause).Body {
				if !o.harmless(cs) {
					return false
				}
			}
		}
		return o.harmless(s.Init)
	case *ast.BranchStmt:
		return s.Tok == token.CONTINUE
	case *ast.IncDecStmt:
		return o.isInteger(s.X)
	case *ast.ReturnStmt:
		return !slices.ContainsFunc(s.Results, func(e ast.Expr) bool { return !o.isConstant(e) })
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		return ok && o.isBuiltin(call, "delete")
	case *ast.DeclStmt:
		return true
	case *ast.AssignStmt:
		return o.harmlessAssign(s)
	}
	return false
}

func (o *orderCheck) harmlessAssign(s *ast.AssignStmt) bool {
	switch s.Tok {
	case token.DEFINE:
		return true
	case token.ADD_ASSIGN, token.OR_ASSIGN, token.AND_ASSIGN, token.XOR_ASSIGN, token.SUB_ASSIGN:
		return o.isInteger(s.Lhs[0])
	case token.ASSIGN:
	default:
		return false
	}
	for i, l := range s.Lhs {
		if id, ok := l.(*ast.Ident); ok && (id.Name == "_" || o.isLocal(id)) {
			continue // lives no longer than one turn of the loop
		}
		if ix, ok := l.(*ast.IndexExpr); ok {
			if _, isMap := o.p.TypesInfo.TypeOf(ix.X).Underlying().(*types.Map); isMap && o.isKey(ix.Index) {
				continue // one entry for each key, whichever comes first
			}
			return false
		}
		if len(s.Rhs) != len(s.Lhs) {
			return false
		}
		if o.isConstant(s.Rhs[i]) {
			continue
		}
		if call, ok := s.Rhs[i].(*ast.CallExpr); ok && o.isBuiltin(call, "append") {
			if id, ok := l.(*ast.Ident); ok {
				o.collected = append(o.collected, o.p.TypesInfo.ObjectOf(id))
				continue
			}
		}
		return false
	}
	return true
}

// sortedAfterwards reports whether everything that the loop collected is sorted below it.
func (o *orderCheck) sortedAfterwards(fn *ast.FuncDecl) bool {
	for _, c := range o.collected {
		sorted := false
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || call.Pos() < o.loop.End() || len(call.Args) == 0 {
				return true
			}
			if isFunc(o.p, call.Fun, "slices", "Sort", "SortFunc", "SortStableFunc") ||
				isFunc(o.p, call.Fun, "sort", "Strings", "Ints", "Slice", "SliceStable") {
				if id, ok := call.Args[0].(*ast.Ident); ok && o.p.TypesInfo.ObjectOf(id) == c {
					sorted = true
				}
			}
			return true
		})
		if !sorted {
			return false
		}
	}
	return true
}

func (o *orderCheck) isConstant(e ast.Expr) bool {
	tv := o.p.TypesInfo.Types[e]
	return tv.Value != nil || tv.IsNil()
}

func (o *orderCheck) isInteger(e ast.Expr) bool {
	b, ok := o.p.TypesInfo.TypeOf(e).Underlying().(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0
}

// isKey reports whether an index is the loop's own key.
func (o *orderCheck) isKey(e ast.Expr) bool {
	key, ok := o.loop.Key.(*ast.Ident)
	id, ok2 := e.(*ast.Ident)
	return ok && ok2 && o.p.TypesInfo.ObjectOf(key) == o.p.TypesInfo.ObjectOf(id)
}

// isLocal reports whether a variable is declared inside the loop.
func (o *orderCheck) isLocal(id *ast.Ident) bool {
	obj := o.p.TypesInfo.ObjectOf(id)
	return obj != nil && obj.Pos() >= o.loop.Pos() && obj.Pos() < o.loop.End()
}

func (o *orderCheck) isBuiltin(call *ast.CallExpr, name string) bool {
	id, ok := call.Fun.(*ast.Ident)
	if !ok || id.Name != name {
		return false
	}
	_, builtin := o.p.TypesInfo.Uses[id].(*types.Builtin)
	return builtin
}

// isFunc reports whether an expression is one of a package's functions.
func isFunc(p *pkg, e ast.Expr, path string, names ...string) bool {
	if ix, ok := e.(*ast.IndexExpr); ok {
		e = ix.X
	}
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	fn, ok := p.TypesInfo.Uses[sel.Sel].(*types.Func)
	return ok && fn.Pkg() != nil && fn.Pkg().Path() == path && slices.Contains(names, fn.Name())
}

func TestNoMapOrderReachesAResultOfTheCore(t *testing.T) {
	for _, p := range house(t) {
		if slices.Contains(core, p.rel) {
			report(t, checkMapOrder(p))
		}
	}
}

func TestMapOrderCatchesPlanted(t *testing.T) {
	p := planted(t, "maporder", "internal/cib")
	catches(t, p, checkMapOrder(p))
}
