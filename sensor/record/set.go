package record

import (
	"bytes"
	"hash/maphash"
	"iter"
	"slices"

	"github.com/org/slimfile/sensor/manifest"
)

// set is the paths seen so far with what was done to them, as a tree: a node is
// a name below another node. A million paths take some 60 MB: 24 bytes a node,
// the name itself, and an index of 4 to 8 bytes a node.
type set struct {
	nodes []node
	// names holds the nodes' names in chunks that are never moved.
	names [][]byte
	// index finds a node by parent and name: open addressing with linear
	// probing, node number, 0 for an empty slot (the root is never looked up).
	index []uint32
	seed  maphash.Seed
	// phases are the sets of phases of the nodes' touches.
	phases phaseSets
	limit  int // of nodes; maxNodes but in tests
}

// nodeID numbers a node; 0 is the root.
type nodeID uint32

// node is one name in a directory.
type node struct {
	parent nodeID
	name   uint32 // chunk and offset in names
	seen   uint32 // walker's generation in which what was looked up
	ops    manifest.Ops
	length uint8
	what   what
	rights rights
	touch  touch
}

// rights are those that a file's owner, its group and all others share, as bits
// 4 (read), 2 (write) and 1 (execute, search).
type rights uint8

// what is the type of the file that a node names.
type what uint8

const (
	unknown what = iota
	missing
	directory
	link
	file    // or anything else without a directory's or link's meaning
	outside // a mount other than the root file system
)

const (
	chunkBits = 20
	chunkSize = 1 << chunkBits
	// maxNodes bounds the memory of a run that looks up ever new names, to
	// some 290 MB with names of usual length. It also keeps names below 4 GiB.
	maxNodes = 4 << 20
	maxName  = 255 // NAME_MAX
)

func newSet() *set {
	return &set{
		nodes:  []node{{}},
		names:  [][]byte{make([]byte, 0, chunkSize)},
		index:  make([]uint32, 1024),
		seed:   maphash.MakeSeed(),
		phases: newPhaseSets(),
		limit:  maxNodes,
	}
}

func (s *set) name(id nodeID) []byte {
	n := &s.nodes[id]
	return s.names[n.name>>chunkBits][n.name&(chunkSize-1):][:n.length]
}

// hash mixes the parent into the name's hash by a multiplication with the 64
// bit golden ratio.
func (s *set) hash(parent nodeID, name []byte) uint64 {
	h := maphash.Bytes(s.seed, name) ^ uint64(parent)*0x9e3779b97f4a7c15
	return h ^ h>>29
}

// slot finds where the node of name in parent is or would be in the index.
func (s *set) slot(parent nodeID, name []byte) uint64 {
	mask := uint64(len(s.index) - 1)
	slot := s.hash(parent, name) & mask
	for ; s.index[slot] != 0; slot = (slot + 1) & mask {
		id := nodeID(s.index[slot])
		if s.nodes[id].parent == parent && bytes.Equal(s.name(id), name) {
			break
		}
	}
	return slot
}

// find finds the node of name in parent, if there is one.
func (s *set) find(parent nodeID, name []byte) (nodeID, bool) {
	id := nodeID(s.index[s.slot(parent, name)])
	return id, id != 0
}

// child finds or makes the node of name in parent. It returns false when the
// set is full.
func (s *set) child(parent nodeID, name []byte) (nodeID, bool) {
	slot := s.slot(parent, name)
	if id := nodeID(s.index[slot]); id != 0 {
		return id, true
	}
	if len(s.nodes) >= s.limit {
		return 0, false
	}
	id := nodeID(len(s.nodes))
	s.nodes = append(s.nodes, node{parent: parent, name: s.intern(name), length: uint8(len(name))})
	s.index[slot] = uint32(id)
	if len(s.nodes)*4 > len(s.index)*3 {
		s.grow()
	}
	return id, true
}

func (s *set) intern(name []byte) uint32 {
	last := len(s.names) - 1
	if len(s.names[last])+len(name) > chunkSize {
		s.names = append(s.names, make([]byte, 0, chunkSize))
		last++
	}
	at := uint32(last)<<chunkBits | uint32(len(s.names[last]))
	s.names[last] = append(s.names[last], name...)
	return at
}

func (s *set) grow() {
	s.index = make([]uint32, 2*len(s.index))
	mask := uint64(len(s.index) - 1)
	for id := 1; id < len(s.nodes); id++ {
		slot := s.hash(s.nodes[id].parent, s.name(nodeID(id))) & mask
		for s.index[slot] != 0 {
			slot = (slot + 1) & mask
		}
		s.index[slot] = uint32(id)
	}
}

// path finds or makes the node of a clean absolute path.
func (s *set) path(path []byte) (nodeID, bool) {
	var id nodeID
	for name := range components(path) {
		var ok bool
		if id, ok = s.child(id, name); !ok {
			return 0, false
		}
	}
	return id, true
}

// components yields the names of a path.
func components(path []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(path) > 0 {
			name, rest := cut(path)
			if len(name) > 0 && !yield(name) {
				return
			}
			path = rest
		}
	}
}

// cut splits a path at its first slash.
func cut(path []byte) (name, rest []byte) {
	for i, c := range path {
		if c == '/' {
			return path[:i], path[i+1:]
		}
	}
	return path, nil
}

// list is a set laid out for walking: the children of each node, in order.
type list struct {
	set   *set
	first []uint32 // first[id]:first[id+1] are id's places in below
	below []nodeID
	skip  func(path []byte) bool
}

// newList freezes s. Paths for which skip holds are left out, with all below.
func newList(s *set, skip func(path []byte) bool) *list {
	l := &list{set: s, skip: skip, first: make([]uint32, len(s.nodes)+1), below: make([]nodeID, len(s.nodes)-1)}
	for _, n := range s.nodes[1:] {
		l.first[n.parent+1]++
	}
	for i := range s.nodes {
		l.first[i+1] += l.first[i]
	}
	next := slices.Clone(l.first)
	for id := 1; id < len(s.nodes); id++ {
		parent := s.nodes[id].parent
		l.below[next[parent]] = nodeID(id)
		next[parent]++
	}
	for id := range s.nodes {
		slices.SortFunc(l.children(nodeID(id)), func(a, b nodeID) int {
			return bytes.Compare(s.name(a), s.name(b))
		})
	}
	return l
}

func (l *list) children(id nodeID) []nodeID { return l.below[l.first[id]:l.first[id+1]] }

// entries yields the paths that something was done to, sorted bytewise.
func (l *list) entries(yield func(manifest.Entry) bool) {
	root := l.set.nodes[0].ops
	if root != 0 && !yield(manifest.Entry{Path: "/", Ops: root}) {
		return
	}
	l.walk(0, nil, yield)
}

// walk yields what is below a directory. A directory's entries do not directly
// follow it: "/a-b" sorts between "/a" and "/a/b". So each child stands for two
// items, its own name and, with a slash, what is below it; the second waits
// until the names before it are done.
func (l *list) walk(dir nodeID, path []byte, yield func(manifest.Entry) bool) bool {
	var waiting []nodeID // innermost last; each one's name is a prefix of the next
	flush := func(before []byte) bool {
		for len(waiting) > 0 {
			id := waiting[len(waiting)-1]
			name := l.set.name(id)
			if before != nil && !sortsBefore(name, before) {
				return true
			}
			waiting = waiting[:len(waiting)-1]
			if !l.walk(id, slices.Concat(path, []byte("/"), name), yield) {
				return false
			}
		}
		return true
	}
	for _, id := range l.children(dir) {
		name := l.set.name(id)
		if !flush(name) {
			return false
		}
		full := slices.Concat(path, []byte("/"), name)
		if l.skip(full) {
			continue
		}
		if ops := l.set.nodes[id].ops; ops != 0 && !yield(manifest.Entry{Path: manifest.Path(full), Ops: ops}) {
			return false
		}
		if len(l.children(id)) > 0 {
			waiting = append(waiting, id)
		}
	}
	return flush(nil)
}

// sortsBefore reports whether dir with a slash sorts before name.
func sortsBefore(dir, name []byte) bool {
	n := min(len(dir), len(name))
	if c := bytes.Compare(dir[:n], name[:n]); c != 0 {
		return c < 0
	}
	return len(name) > len(dir) && '/' < name[len(dir)]
}
