package policy

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/org/slimfile/frontend/internal/spell"
)

// decoder walks the nodes of a policy file and notes what is wrong with them.
type decoder struct {
	filename string
	errs     Errors
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, &Error{Filename: d.filename, Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)})
}

// entries gives each key of a mapping and its value to do.
func (d *decoder) entries(n *yaml.Node, what string, do func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%s wants keys with values, got %s", what, describe(n))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch line := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			d.fail(key, "a key of %s must be a word, got %s", what, describe(key))
		case line > 0:
			d.fail(key, "key %q is given twice, first in line %d", key.Value, line)
		default:
			seen[key.Value] = key.Line
			do(key, value)
		}
	}
}

// fields decodes a mapping whose keys are all known.
func (d *decoder) fields(n *yaml.Node, what string, known map[string]func(*yaml.Node)) {
	d.entries(n, what, func(key, value *yaml.Node) {
		if decode := known[key.Value]; decode != nil {
			decode(value)
			return
		}
		d.fail(key, "unknown key %q in %s%s", key.Value, what, spell.Hint(key.Value, sortedKeys(known)))
	})
}

// items gives each item of a list to do.
func (d *decoder) items(n *yaml.Node, what string, do func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, "%s wants a list, got %s", what, describe(n))
		return
	}
	for _, item := range n.Content {
		do(item)
	}
}

// text reads a value that is not empty.
func (d *decoder) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Value == "" || n.Tag == "!!null" {
		d.fail(n, "%s wants a text, got %s", what, describe(n))
		return ""
	}
	return n.Value
}

func (d *decoder) bool(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
		d.fail(n, "%s wants true or false, got %s", what, describe(n))
	}
	return n.Value == "true"
}

// count reads a number that is not negative.
func (d *decoder) count(n *yaml.Node, what string) int {
	count, err := strconv.ParseUint(n.Value, 10, 31)
	if n.Kind != yaml.ScalarNode || err != nil {
		d.fail(n, "%s wants a number, 0 or more, got %s", what, describe(n))
	}
	return int(count)
}

// date reads a day as the midnight, in UTC, at which it begins.
func (d *decoder) date(n *yaml.Node, what string) time.Time {
	day, err := time.Parse(time.DateOnly, n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		d.fail(n, "%s wants a date such as 2027-01-31, got %s", what, describe(n))
	}
	return day
}

// choose reads one of values.
func choose[T ~string](d *decoder, n *yaml.Node, what string, values []T) T {
	var words []string
	for _, v := range values {
		words = append(words, string(v))
	}
	if text := d.text(n, what); text != "" && !slices.Contains(words, text) {
		d.fail(n, "unknown %s %q%s", what, text, spell.Hint(text, words))
	}
	return T(n.Value)
}

// describe says what a node is, for messages.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys with values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias, which a policy cannot have: write the value out"
	case n.Value == "" || n.Tag == "!!null":
		return "nothing"
	default:
		return strconv.Quote(n.Value)
	}
}
