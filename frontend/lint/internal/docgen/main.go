// Command docgen writes the documentation of the rules from their table: a page
// for each that is ours, and an index of all. Run by go generate in frontend/lint.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/org/slimfile/frontend/lint"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: docgen DIR")
	}
	pages, err := render(lint.Rules())
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(args[0], "*.md"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if _, ok := pages[filepath.Base(name)]; !ok {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		if err := os.WriteFile(filepath.Join(args[0], name), []byte(pages[name]), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// indexName is the page that lists all rules.
const indexName = "README.md"

// render returns the pages by file name.
func render(rules []*lint.Rule) (map[string]string, error) {
	rules = slices.SortedFunc(slices.Values(rules), func(a, b *lint.Rule) int { return strings.Compare(a.Name, b.Name) })
	templates := template.New("").Funcs(template.FuncMap{"code": code, "hadolint": hadolint, "cell": cell, "link": link, "default": byDefault})
	for name, text := range map[string]string{"page": page, "index": index} {
		if _, err := templates.New(name).Parse(text); err != nil {
			return nil, err
		}
	}
	pages := map[string]string{}
	add := func(file, name string, data any) error {
		var out strings.Builder
		err := templates.ExecuteTemplate(&out, name, data)
		pages[file] = out.String()
		return err
	}
	for _, r := range rules {
		if r.Stock {
			continue
		}
		if err := add(r.Name+".md", "page", r); err != nil {
			return nil, err
		}
	}
	return pages, add(indexName, "index", rules)
}

// code is a Dockerfile as a block of Markdown.
func code(text string) string {
	return "```dockerfile\n" + strings.Trim(text, "\n") + "\n```"
}

// hadolint is the first of aliases that is one of hadolint's ids, whose comments
// count.
func hadolint(aliases []string) string {
	i := slices.IndexFunc(aliases, func(s string) bool { return strings.HasPrefix(s, "DL") })
	if i < 0 {
		return ""
	}
	return aliases[i]
}

// cell is a text in a table of Markdown.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// link is where a rule's page is, seen from the index.
func link(r *lint.Rule) string {
	if r.Stock {
		return r.URL()
	}
	return r.Name + ".md"
}

// byDefault says what a severity does.
func byDefault(s lint.Severity) string {
	return map[lint.Severity]string{
		lint.Off:   "off: a policy can turn it on",
		lint.Info:  "info: shown in reports only",
		lint.Warn:  "warn: the build prints it",
		lint.Error: "error: the build fails",
	}[s]
}

const page = `<!-- Written by go generate from the table of rules: edit that. -->
# {{.Name}}

{{.Summary}}.

- By default: {{default .Default}}
{{- if .Aliases}}
- In other linters: {{range $i, $a := .Aliases}}{{if $i}}, {{end}}{{$a}}{{end}}
{{- end}}
{{- if .Safe}}
- ` + "`slimfile lint --fix`" + ` mends it where that is safe
{{- end}}

## Why

{{.Why}}
{{if .Bad}}
## Bad

{{code .Bad}}
{{end}}{{if .Good}}
## Good

{{code .Good}}
{{end}}
## What to do

{{.Remedy}}

## Change or ignore it

In a Dockerfile, for all of it above the first FROM, or for the stage that it stands in:

` + "```dockerfile" + `
# slim: rule {{.Name}}=off reason="why it has to be so" until=2027-12-31
` + "```" + `

The severity can be off, info, warn or error; without ` + "`until`" + ` it holds for good. ` + "`# check=skip={{.Name}}`" + ` in the
first line works too{{with hadolint .Aliases}}, and so does ` + "`# hadolint ignore={{.}}`" + ` above the instruction{{end}}.

For all Dockerfiles, in the [policy](../policy/testdata/example.yaml):

` + "```yaml" + `
rules:
  {{.Name}}: warn
exemptions:
  - rule: {{.Name}}
    path: legacy/**
    reason: why it has to be so
    until: 2027-12-31
` + "```" + `
`

const index = `<!-- Written by go generate from the table of rules: edit that. -->
# Rules

A finding that is an error fails the build; a warning is printed, info is shown in reports only, and what is off is not looked for.
` + "`slimfile lint`" + ` judges Dockerfiles without building them. The [policy](../policy/testdata/example.yaml) ([schema](../policy/schema.json))
changes severities, a ` + "`# slim: rule NAME=SEVERITY reason=…`" + ` line does so for one Dockerfile.
[Cases by rule](../testdata/aliases/README.md) say where a rule differs from what it is named after in other linters.

| Rule | Finds | By default | In other linters |
|--|--|--|--|
{{- range .}}
| [{{.Name}}]({{link .}}){{if .Stock}} (BuildKit's){{end}} | {{cell .Summary}} | {{.Default}} | {{range $i, $a := .Aliases}}{{if $i}}, {{end}}{{$a}}{{end}} |
{{- end}}
`
