package record

import (
	"bytes"
	"hash/maphash"
	"unsafe"

	"golang.org/x/sys/unix"
)

// folders are the directories that names were looked up in lately, by the paths
// that led there: a program mostly looks up one name after the other in a
// directory, of which the second need not be followed from the root.
//
// What is kept holds as long as what walker learns of a name, and for one phase,
// as each link on the way is marked in every phase that it is followed in.
type folders struct {
	slots [maxFolders]folder
	seed  maphash.Seed
	key   []byte
}

// folder is a directory, on the root file system, and what the way there was.
type folder struct {
	key        []byte // root, base and path of the look-up, as far as its last name
	generation uint32
	phase      Phase
	links      int
	guarded    bool
	id         nodeID
	path       []byte // physical
	uses       int
	fd         int // of the directory itself after some uses, -1 without
}

const (
	// maxFolders bounds memory and open descriptors.
	maxFolders = 128
	// usesToOpen is after how many look-ups a descriptor pays: it spares each
	// about a fifth of what opening and closing it costs.
	usesToOpen = 8
)

func newFolders() *folders {
	f := &folders{seed: maphash.MakeSeed()}
	for i := range f.slots {
		f.slots[i].fd = -1
	}
	return f
}

// limits are the flags under which the way matters as well as where it leads.
const limits = inRoot | beneathDir | noLinks | noMagicLinks | noMounts

// of splits the last name off a path and finds the folder where what is learnt
// of the rest belongs: nil if there is nothing to be kept.
func (f *folders) of(pl place, path []byte, l look) (in *folder, name []byte) {
	end := bytes.LastIndexByte(path, '/') + 1
	name = path[end:]
	if l&limits != 0 || len(name) == 0 || string(name) == "." || string(name) == ".." {
		return nil, nil
	}
	f.key = append(append(f.key[:0], pl.root...), 0)
	if end == 0 || path[0] != '/' {
		f.key = append(append(f.key, pl.base...), 0)
	}
	f.key = append(f.key, path[:end]...)
	in = &f.slots[maphash.Bytes(f.seed, f.key)%maxFolders]
	if !bytes.Equal(in.key, f.key) {
		in.leave()
		in.key = append(in.key[:0], f.key...)
	}
	return in, name
}

// leave forgets the folder.
func (in *folder) leave() {
	if in.fd >= 0 {
		_ = unix.Close(in.fd)
	}
	in.fd, in.uses, in.generation = -1, 0, 0
}

// learn keeps where the walker stands.
func (in *folder) learn(w *walker, at nodeID, links int) {
	in.leave()
	in.path = append(in.path[:0], w.cur...)
	in.generation, in.phase, in.links, in.guarded, in.id = w.generation, w.now.phase, links, w.guarded, at
}

// enter puts the walker there, if what is kept still holds.
func (in *folder) enter(w *walker) bool {
	if in.generation != w.generation || in.phase != w.now.phase || in.generation == 0 {
		return false
	}
	w.cur, w.guarded = append(w.cur[:0], in.path...), in.guarded
	if in.uses++; in.uses == usesToOpen {
		in.open(w)
	}
	return true
}

// open opens the directory. Without a descriptor it is looked up by its path.
func (in *folder) open(w *walker) {
	fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, atFDCWD, uintptr(unsafe.Pointer(w.zeroTerminated())),
		unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0, 0, 0)
	if errno == 0 {
		in.fd = int(fd)
	}
}

// close closes all descriptors.
func (f *folders) close() {
	for i := range f.slots {
		f.slots[i].leave()
	}
}
