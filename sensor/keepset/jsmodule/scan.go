// Package jsmodule reads what a JavaScript module of Node.js may load: the
// modules that it names, in branches that no run took too, and the files that
// Node's own algorithm finds by those names.
//
// It knows a file tree only by the interface Files. keepset imports it.
package jsmodule

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

// MaxSize is the size in bytes of the largest module that Scan should be given.
const MaxSize = 4 << 20

// Load is a name by which a module loads another.
type Load struct {
	Name string
	// ESM says that it is imported rather than required, which matters for the
	// conditions of a package.json.
	ESM bool
	// Lazy says that it stands in a function: loading the module does not load
	// it yet.
	Lazy bool
	// Prefix says that Name is only what a computed name begins with.
	Prefix bool
}

// Source is what a module's text says.
type Source struct {
	Loads []Load
	// Texts are the other string literals that could name a file; one that is
	// joined to __dirname begins with "./".
	Texts []string
}

// Scan reads a module. One that does not parse is searched for what looks like
// an import.
func Scan(module []byte) Source {
	ast, err := js.Parse(parse.NewInputBytes(bytes.Clone(module)), js.Options{})
	if err != nil {
		return search(module)
	}
	var s Source
	js.Walk(&visitor{source: &s}, ast)
	return s
}

var (
	required = regexp.MustCompile(`\brequire\(\s*["']([^"'\\\n]+)["']\s*\)`)
	imported = regexp.MustCompile(`\b(?:from|import)\s*\(?\s*["']([^"'\\\n]+)["']`)
)

// search is Scan without knowing the grammar.
func search(module []byte) Source {
	var s Source
	for _, m := range required.FindAllSubmatch(module, -1) {
		s.Loads = append(s.Loads, Load{Name: string(m[1])})
	}
	for _, m := range imported.FindAllSubmatch(module, -1) {
		s.Loads = append(s.Loads, Load{Name: string(m[1]), ESM: true})
	}
	return s
}

// visitor collects from a syntax tree.
type visitor struct {
	source *Source
	lazy   bool
}

// Enter implements js.IVisitor.
func (v *visitor) Enter(n js.INode) js.IVisitor {
	switch n := n.(type) {
	case *js.ImportStmt:
		v.load(unquote(n.Module), true)
	case *js.ExportStmt:
		v.load(unquote(n.Module), true)
	case *js.FuncDecl, *js.ArrowFunc, *js.MethodDecl:
		return &visitor{source: v.source, lazy: true}
	case *js.CallExpr:
		return v.call(n)
	case *js.BinaryExpr:
		if text := literal(n.Y); n.Op == js.AddToken && isName(n.X, "__dirname") && text != "" {
			v.text("." + text)
			return nil
		}
	case *js.LiteralExpr:
		v.text(literal(n))
	case *js.TemplateExpr:
		v.text(literal(n))
	}
	return v
}

// Exit implements js.IVisitor.
func (v *visitor) Exit(js.INode) {}

func (v *visitor) load(name string, esm bool) {
	if name != "" {
		v.source.Loads = append(v.source.Loads, Load{Name: name, ESM: esm, Lazy: v.lazy})
	}
}

// maxText is the longest path that a literal is taken for.
const maxText = 255

func (v *visitor) text(text string) {
	if text != "" && len(text) <= maxText && !strings.ContainsAny(text, " \n\t\x00<>{}*|") {
		v.source.Texts = append(v.source.Texts, text)
	}
}

// call looks at require(x), import(x), path.join(__dirname, x), and at
// functions that are called where they stand.
func (v *visitor) call(n *js.CallExpr) js.IVisitor {
	if body, params := immediate(n.X); body != nil {
		js.Walk(v, &n.Args)
		js.Walk(v, params)
		js.Walk(v, body)
		return nil
	}
	args := n.Args.List
	if len(args) == 0 {
		return v
	}
	esm := isImport(n.X)
	switch {
	case esm || isRequire(n.X):
		if name := literal(args[0].Value); name != "" {
			v.load(name, esm)
			return nil
		}
		if prefix := beginning(args[0].Value); strings.Contains(prefix, "/") {
			v.source.Loads = append(v.source.Loads, Load{Name: prefix, ESM: esm, Lazy: v.lazy, Prefix: true})
			return nil
		}
	case isName(args[0].Value, "__dirname") && isMember(n.X, "join", "resolve"):
		parts := []string{"."}
		for _, arg := range args[1:] {
			part := literal(arg.Value)
			if part == "" {
				return v
			}
			parts = append(parts, part)
		}
		if joined := path.Join(parts...); strings.HasPrefix(joined, "../") {
			v.text(joined)
		} else {
			v.text("./" + joined)
		}
		return nil
	}
	return v
}

// immediate returns the function of (function () { … })(), with or without
// .call, as bundlers and UMD wrap whole modules.
func immediate(x js.IExpr) (*js.BlockStmt, *js.Params) {
	if dot, ok := x.(*js.DotExpr); ok && isMember(x, "call", "apply") {
		x = dot.X
	}
	if group, ok := x.(*js.GroupExpr); ok {
		x = group.X
	}
	switch f := x.(type) {
	case *js.FuncDecl:
		return &f.Body, &f.Params
	case *js.ArrowFunc:
		return &f.Body, &f.Params
	}
	return nil, nil
}

// isRequire accepts require and require.resolve.
func isRequire(x js.IExpr) bool {
	if dot, ok := x.(*js.DotExpr); ok {
		return isName(dot.X, "require") && isMember(x, "resolve")
	}
	return isName(x, "require")
}

func isImport(x js.IExpr) bool {
	lit, ok := x.(*js.LiteralExpr)
	return ok && lit.TokenType == js.ImportToken
}

func isName(x js.IExpr, name string) bool {
	v, ok := x.(*js.Var)
	return ok && string(v.Name()) == name
}

// isMember says whether x is one of names, or a property of that name.
func isMember(x js.IExpr, names ...string) bool {
	if dot, ok := x.(*js.DotExpr); ok {
		property, ok := dot.Y.(js.LiteralExpr)
		return ok && slices.Contains(names, string(property.Data))
	}
	return slices.ContainsFunc(names, func(name string) bool { return isName(x, name) })
}

// literal is the text of a string, or of a template without a variable; "" for
// anything else, and for what escapes make longer than it looks.
func literal(x js.IExpr) string {
	switch n := x.(type) {
	case *js.GroupExpr:
		return literal(n.X)
	case *js.LiteralExpr:
		if n.TokenType == js.StringToken {
			return unquote(n.Data)
		}
	case *js.TemplateExpr:
		if len(n.List) == 0 && n.Tag == nil {
			return unquote(n.Tail)
		}
	}
	return ""
}

// beginning is the literal text that a computed string begins with.
func beginning(x js.IExpr) string {
	switch n := x.(type) {
	case *js.BinaryExpr:
		if n.Op == js.AddToken {
			if text := literal(n.X); text != "" {
				return text
			}
			return beginning(n.X)
		}
	case *js.TemplateExpr:
		if len(n.List) > 0 && n.Tag == nil {
			return strings.TrimSuffix(strings.TrimPrefix(string(n.List[0].Value), "`"), "${")
		}
	}
	return ""
}

func unquote(quoted []byte) string {
	if len(quoted) < 2 || bytes.IndexByte(quoted, '\\') >= 0 {
		return ""
	}
	return string(quoted[1 : len(quoted)-1])
}
