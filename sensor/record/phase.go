package record

import (
	"slices"

	"github.com/org/slimfile/sensor/manifest"
)

// A run has phases: its start, until the app is ready, each probe, its stop. Of
// each path the recorder knows in which phases it was touched and by which
// program first.
//
// What a listener knows already is not walked again, which is what makes hot
// loops cheap. So a verdict holds for one phase: the first look at a path in a
// phase walks it again, through nodes that need no look at the disk.

// Phase numbers a phase from 0, in the order in which they happen.
type Phase uint16

// maxPhase bounds phases: later ones count as this one.
const maxPhase = 1<<16 - 2

// Enter says that a phase begins. The first one has begun with New.
func (s *Session) Enter(p Phase) {
	s.recorder.census.look()
	s.recorder.phase.Store(uint32(min(p, maxPhase)))
}

// touch is when and by whom a path was touched: the number of a set of phases,
// and the program that was first.
type touch struct {
	phases  phaseSet
	program programID
}

// phaseSet numbers a set of phases within a phaseSets; 0 is the empty set.
type phaseSet uint16

// phaseSets numbers the sets of phases that occur, so that a node needs two
// bytes for its own, however many probes there are. A set is another one with a
// later phase; since phases follow each other there are few.
type phaseSets struct {
	sets  []phaseLink
	index map[phaseLink]phaseSet
}

// phaseLink is the set before, with a phase that comes after all of its.
type phaseLink struct {
	before phaseSet
	last   Phase
}

const maxPhaseSets = 1<<16 - 1

func newPhaseSets() phaseSets {
	return phaseSets{sets: []phaseLink{{last: maxPhase + 1}}, index: map[phaseLink]phaseSet{}}
}

// with is the set with p in it. When there are too many sets, which takes a
// program that touches each path in phases of its own choice, a path keeps those
// that it has.
func (s *phaseSets) with(set phaseSet, p Phase) phaseSet {
	l := s.sets[set]
	switch {
	case set != 0 && l.last == p:
		return set
	case set != 0 && l.last > p: // told late
		return s.then(s.with(l.before, p), l.last)
	}
	return s.then(set, p)
}

func (s *phaseSets) then(set phaseSet, p Phase) phaseSet {
	l := phaseLink{set, p}
	if known, ok := s.index[l]; ok {
		return known
	}
	if len(s.sets) > maxPhaseSets {
		return set
	}
	made := phaseSet(len(s.sets))
	s.sets = append(s.sets, l)
	s.index[l] = made
	return made
}

// list lists a set's phases in order.
func (s *phaseSets) list(set phaseSet) []int {
	var all []int
	for ; set != 0; set = s.sets[set].before {
		all = append(all, int(s.sets[set].last))
	}
	slices.Reverse(all)
	return all
}

// touches yields what entries does, in the order of a walk through the tree: a
// directory, what is in it, the next name.
func (l *list) touches(program func(programID) int) func(yield func(manifest.Touch) bool) {
	return func(yield func(manifest.Touch) bool) {
		l.touchesBelow(0, nil, func(id nodeID, path []byte) bool {
			n := &l.set.nodes[id]
			if n.ops == 0 {
				return true
			}
			if len(path) == 0 {
				path = []byte("/")
			}
			return yield(manifest.Touch{
				Path: manifest.Path(path), Ops: n.ops,
				Phases: l.set.phases.list(n.touch.phases), Program: program(n.touch.program),
			})
		})
	}
}

func (l *list) touchesBelow(id nodeID, path []byte, visit func(nodeID, []byte) bool) bool {
	if !visit(id, path) {
		return false
	}
	for _, child := range l.children(id) {
		full := slices.Concat(path, []byte("/"), l.set.name(child))
		if !l.skip(full) && !l.touchesBelow(child, full, visit) {
			return false
		}
	}
	return true
}
