package keepset

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/org/slimfile/sensor/rootfs"
)

// nodeID is the number of a node; 0 is none, rootID the root folder.
type nodeID uint32

const rootID nodeID = 1

// kind is what a node is in the image.
type kind uint8

const (
	directory kind = iota
	regular
	symlink
	special // fifo, device
)

// flags of a node.
type flags uint8

const (
	dropped    flags = 1 << iota // a drop directive names it or a folder above
	pinned                       // a keep directive needs it, which wins
	inheriting                   // a library whose libraries were looked for with what its loader hands on
	plain                        // a library that is also reached without
	imported                     // a module that a kept module names
)

// node is one entry of the tree, 28 bytes without a pointer, so that a million
// of them are cheap and the garbage collector does not look into them.
type node struct {
	parent, child, sibling nodeID
	via                    nodeID
	name                   uint32 // where in names
	reasons                Reasons
	length                 uint8 // of the name; NAME_MAX is 255
	kind                   kind
	flags                  flags
	rule                   ruleID // of the family that added it
}

// arena holds a tree of nodes in chunks that never move, and finds a child by
// name with a hash table of node numbers.
type arena struct {
	nodes [][]node
	count uint32
	names [][]byte
	used  uint32 // bytes of the last chunk of names
	seed  maphash.Seed
	index []nodeID // open addressing; the length is a power of two
}

const (
	nodeChunk = 1 << 12
	nameChunk = 1 << 16
	// maxNodes bounds a keep set: 64 million entries, 3 GB.
	maxNodes = 1 << 26
)

func newArena() *arena {
	a := &arena{seed: maphash.MakeSeed(), index: make([]nodeID, 1<<10)}
	a.append(node{}) // number 0 is none
	a.append(node{reasons: Traversed})
	return a
}

func (a *arena) at(id nodeID) *node {
	return &a.nodes[id/nodeChunk][id%nodeChunk]
}

func (a *arena) append(n node) nodeID {
	if a.count%nodeChunk == 0 {
		a.nodes = append(a.nodes, make([]node, nodeChunk))
	}
	id := nodeID(a.count)
	a.count++
	*a.at(id) = n
	return id
}

// clone returns a copy that may be added to.
func (a *arena) clone() *arena {
	c := *a
	c.nodes = make([][]node, len(a.nodes))
	for i, chunk := range a.nodes {
		c.nodes[i] = slices.Clone(chunk)
	}
	c.index = slices.Clone(a.index)
	// The names of the last chunk may go on in either.
	c.names = slices.Clone(a.names)
	if last := len(c.names) - 1; last >= 0 {
		c.names[last] = slices.Clone(c.names[last])
	}
	return &c
}

// full says that no more nodes may be added.
func (a *arena) full() bool { return a.count >= maxNodes }

func (a *arena) name(id nodeID) []byte {
	n := a.at(id)
	return a.names[n.name/nameChunk][n.name%nameChunk:][:n.length]
}

// store copies a name of at most 255 bytes.
func (a *arena) store(name string) uint32 {
	if len(a.names) == 0 || int(a.used)+len(name) > nameChunk {
		a.names = append(a.names, make([]byte, nameChunk))
		a.used = 0
	}
	at := a.used
	copy(a.names[len(a.names)-1][at:], name)
	a.used += uint32(len(name))
	return uint32(len(a.names)-1)*nameChunk + at
}

// slot finds where in index the child stands, or where it would go.
func (a *arena) slot(parent nodeID, name string) uint32 {
	mask := uint32(len(a.index) - 1)
	h := uint32(maphash.String(a.seed, name)>>32) ^ uint32(parent)*0x9e3779b1
	for ; ; h++ {
		id := a.index[h&mask]
		if id == 0 || a.at(id).parent == parent && string(a.name(id)) == name {
			return h & mask
		}
	}
}

// child returns the child of parent that has the name, or 0.
func (a *arena) child(parent nodeID, name string) nodeID {
	return a.index[a.slot(parent, name)]
}

// add adds a child that parent does not have yet.
func (a *arena) add(parent nodeID, name string, k kind) nodeID {
	if int(a.count) > len(a.index)/4*3 {
		a.grow()
	}
	p := a.at(parent)
	id := a.append(node{
		parent: parent, sibling: p.child, name: a.store(name), length: uint8(len(name)), kind: k,
	})
	p.child = id
	a.index[a.slot(parent, name)] = id
	return id
}

func (a *arena) grow() {
	a.index = make([]nodeID, 2*len(a.index))
	for id := rootID + 1; uint32(id) < a.count; id++ {
		a.index[a.slot(a.at(id).parent, string(a.name(id)))] = id
	}
}

// path returns the absolute path of a node.
func (a *arena) path(id nodeID) string {
	if id == rootID {
		return "/"
	}
	var parts []nodeID
	size := 0
	for ; id != rootID; id = a.at(id).parent {
		parts = append(parts, id)
		size += 1 + int(a.at(id).length)
	}
	path := make([]byte, 0, size)
	for _, id := range slices.Backward(parts) {
		path = append(append(path, '/'), a.name(id)...)
	}
	return string(path)
}

// sort puts the children of every node into bytewise order of their names.
func (a *arena) sort() {
	var ids []nodeID
	for parent := rootID; uint32(parent) < a.count; parent++ {
		ids = ids[:0]
		for id := a.at(parent).child; id != 0; id = a.at(id).sibling {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, func(x, y nodeID) int { return slices.Compare(a.name(x), a.name(y)) })
		next := nodeID(0)
		for _, id := range slices.Backward(ids) {
			a.at(id).sibling = next
			next = id
		}
		a.at(parent).child = next
	}
}

func kindOf(info rootfs.Info) kind {
	switch {
	case info.IsDir():
		return directory
	case info.IsRegular():
		return regular
	case info.IsLink():
		return symlink
	}
	return special
}

// find returns the node of a physical path, or 0.
func (a *arena) find(path string) nodeID {
	id := rootID
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if id == 0 || name == "" {
			break
		}
		id = a.child(id, name)
	}
	return id
}
