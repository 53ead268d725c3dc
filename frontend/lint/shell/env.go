package shell

import "strings"

// env are the variables at one point of a script: a chain of assignments, the
// latest first, on top of those that the instruction starts with. It is never
// changed, so that a branch can go back to where it began.
type env struct {
	base map[string]string
	last *assignment
}

// assignment is one link. A link without a name makes all before it uncertain.
type assignment struct {
	before   *assignment
	depth    int
	name     string
	value    string
	known    bool // false: the value could be anything
	unset    bool
	exported bool
}

// set returns the variables after an assignment.
func (e env) set(a assignment) env {
	a.before = e.last
	if e.last != nil {
		a.depth = e.last.depth + 1
	}
	if a.depth == maxAssigns {
		a = assignment{before: a.before, depth: a.depth}
	}
	if a.depth > maxAssigns {
		return e
	}
	if a.name != "" && !a.unset && !a.exported {
		a.exported = e.exported(a.name)
	}
	e.last = &a
	return e
}

// find is the last assignment to a name, nil if there is none; certain is false
// if the script may have set it in a way that cannot be followed.
func (e env) find(name string) (a *assignment, certain bool) {
	certain = true
	for a = e.last; a != nil && a.name != name; a = a.before {
		certain = certain && a.name != ""
	}
	return a, certain
}

// value is what a variable expands to.
func (e env) value(name string) (string, bool) {
	a, certain := e.find(name)
	switch {
	case !certain:
		return "", false
	case a == nil:
		value, ok := e.base[name]
		return value, ok
	case a.unset:
		return "", true
	}
	return a.value, a.known
}

// exported tells whether programs see the variable.
func (e env) exported(name string) bool {
	if a, _ := e.find(name); a != nil {
		return a.exported
	}
	_, ok := e.base[name]
	return ok
}

// export marks a variable as one that programs see.
func (e env) export(name string) env {
	value, known := e.value(name)
	return e.set(assignment{name: name, value: value, known: known, exported: true})
}

// uncertain is what is left of e behind branches, of which nobody knows whether
// they were taken: the variables that they set could have any value.
func (e env) uncertain(branches ...env) env {
	out := e
	seen := map[string]bool{}
	for _, b := range branches {
		for a := b.last; a != nil && a != e.last; a = a.before {
			if !seen[a.name] {
				seen[a.name] = true
				out = out.set(assignment{name: a.name, exported: a.exported})
			}
		}
	}
	return out
}

// exports are the variables that a program sees that is started now.
func (e env) exports() env {
	out := env{base: e.base}
	seen := map[string]bool{}
	for a := e.last; a != nil; a = a.before {
		if a.name == "" {
			return env{base: e.base}.set(assignment{})
		}
		if a.exported && !seen[a.name] {
			out = out.set(assignment{name: a.name, value: a.value, known: a.known, exported: true})
		}
		seen[a.name] = true
	}
	return out
}

// Env is the value that the command sees of a variable. The value is empty if
// the variable is set, but to something unknown.
func (c *Command) Env(name string) (value string, set bool) {
	a, _ := c.env.find(name)
	if a == nil {
		value, set = c.env.base[name]
		return value, set
	}
	if a.unset || !a.exported {
		return "", false
	}
	return a.value, true
}

// isAssignment takes NAME=VALUE apart.
func isAssignment(word string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(word, "=")
	return name, value, ok && validName(name)
}

func validName(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if s[i] != '_' && (c < 'a' || c > 'z') && (i == 0 || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != ""
}
