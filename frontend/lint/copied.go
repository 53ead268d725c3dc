package lint

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/sensor/manifest"
)

// bringing is a COPY or ADD of the shipped image whose destination is known.
type bringing struct {
	transfer
	dest  string   // absolute, clean
	names []string // the last parts of its sources; "" stands for anything
	// followed says that a RUN of its stage comes later, which may have made what
	// is in the destination.
	followed bool
}

// bringings are those of the stages that the shipped image is made of.
func (doc *document) bringings() []bringing {
	var all []bringing
	for _, st := range doc.shipped.chain() {
		last := 0 // line of the last RUN
		for _, r := range st.runs {
			last = max(last, r.at[0].Start.Line)
		}
		for _, t := range st.transfers() {
			if dest, ok := t.destination(doc); ok && !t.onbuild {
				all = append(all, bringing{t, dest, t.names(doc), t.at[0].Start.Line < last})
			}
		}
	}
	return all
}

// names are the last parts of a transfer's sources as the image would have them.
func (t transfer) names(doc *document) []string {
	var names []string
	for _, source := range t.SourcePaths {
		text, known := doc.expand(source, t.before.env)
		name := path.Base(path.Clean("/" + text))
		if !known || name == "/" || strings.ContainsAny(name, `*?[\`) {
			name = ""
		}
		names = append(names, name)
	}
	for _, content := range t.SourceContents {
		names = append(names, path.Base(content.Path))
	}
	return names
}

// used is what the image has of what a COPY brought; false if that is not known.
func (b bringing) used(facts *manifest.Facts) (sum manifest.Copied, known bool) {
	for _, name := range b.names {
		i := slices.IndexFunc(facts.Copied, func(c manifest.Copied) bool { return c.Dest == b.dest && c.Name == name })
		if i < 0 {
			return sum, false
		}
		sum.Files += facts.Copied[i].Files
		sum.Bytes += facts.Copied[i].Bytes
		sum.Kept += facts.Copied[i].Kept
	}
	return sum, true
}

// broughtAt is the instruction that brought a file; otherwise if none surely did.
func (doc *document) broughtAt(file string, otherwise []parser.Range) []parser.Range {
	at := otherwise
	for _, b := range doc.bringings() {
		named := b.dest == file || slices.ContainsFunc(b.names, func(name string) bool { return path.Join(b.dest, name) == file })
		if named || !b.followed && b.dest != "/" && strings.HasPrefix(file, b.dest+"/") {
			at = b.at
		}
	}
	return at
}
