package housetest

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/go/packages"
)

const module = "github.com/cerco-ha/cerco/"

// complaint is one breach of a rule.
type complaint struct {
	where token.Position
	what  string
}

func (c complaint) String() string {
	where := c.where
	if rel, err := filepath.Rel(top(), where.Filename); err == nil {
		where.Filename = rel
	}
	return fmt.Sprintf("%s: %s", where, c.what)
}

// pkg is a package with its syntax and types. rel is its path below the module.
type pkg struct {
	*packages.Package
	rel string
}

func (p *pkg) at(n ast.Node, format string, args ...any) complaint {
	return complaint{p.Fset.Position(n.Pos()), fmt.Sprintf(format, args...)}
}

// top is the repository's directory.
func top() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}

const mode = packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes |
	packages.NeedTypesInfo | packages.NeedImports

func load(patterns ...string) ([]*pkg, error) {
	loaded, err := packages.Load(&packages.Config{Mode: mode, Dir: top()}, patterns...)
	if err != nil {
		return nil, err
	}
	var out []*pkg
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("%s: %v", p.PkgPath, p.Errors[0])
		}
		out = append(out, &pkg{Package: p, rel: strings.TrimPrefix(p.PkgPath, module)})
	}
	return out, nil
}

var loadHouse = sync.OnceValues(func() ([]*pkg, error) { return load("./...") })

// house loads every package of the module once; tests share it.
func house(t *testing.T) []*pkg {
	t.Helper()
	pkgs, err := loadHouse()
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}

// planted loads a package under testdata as if it were the package of the given path.
func planted(t *testing.T, dir, as string) *pkg {
	t.Helper()
	pkgs, err := load("./internal/housetest/testdata/" + dir)
	if err != nil {
		t.Fatal(err)
	}
	pkgs[0].rel = as
	return pkgs[0]
}

func report(t *testing.T, complaints []complaint) {
	t.Helper()
	for _, c := range complaints {
		t.Error(c)
	}
}

// catches fails unless the complaints are as many as the lines of the planted package that say "// want".
func catches(t *testing.T, p *pkg, complaints []complaint) {
	t.Helper()
	want := map[string]bool{}
	for _, file := range p.GoFiles {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range strings.Split(string(data), "\n") {
			if strings.HasSuffix(l, "// want") {
				want[fmt.Sprintf("%s:%d", file, i+1)] = true
			}
		}
	}
	if len(want) == 0 {
		t.Fatal("nothing is planted")
	}
	for _, c := range complaints {
		at := fmt.Sprintf("%s:%d", c.where.Filename, c.where.Line)
		if !want[at] {
			t.Errorf("complains where nothing is wrong: %s", c)
		}
		delete(want, at)
	}
	for at := range want {
		t.Errorf("%s: the planted violation is not caught", at)
	}
}
