package record

import "golang.org/x/sys/unix"

// ignored has the kernel keep quiet about files that are opened again and again
// after the seccomp recorder has them (fanotify_mark(2), FAN_MARK_IGNORED_MASK).
//
// A mark is on the file and not on its path. That hides nothing: a file with
// several links is not marked, and a name that is made later is none of the
// image's. Nor are programs marked, nor what a program opens first, which tells
// where an execve ends (fanotify.follows).
type ignored struct {
	opened  map[inode]struct{} // once
	refused bool
}

// inode identifies a file.
type inode struct {
	major, minor uint32
	number       uint64
}

// ignoredStat is what known needs of a file's statx(2).
const ignoredStat = unix.STATX_TYPE | unix.STATX_NLINK | unix.STATX_INO

// maxOpened bounds the memory of opened.
const maxOpened = 1 << 16

// known notes that a file the recorder has was opened, and marks it the second
// time: most are opened once, and a mark costs as much as an event. Marks go
// with their inodes when the kernel needs the memory (Linux 5.19; an older one
// refuses, and there are none).
func (i *ignored) known(group int, event *unix.FanotifyEventMetadata, st *unix.Statx_t) {
	if i.refused || event.Mask != unix.FAN_OPEN || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1 {
		return
	}
	file := inode{st.Dev_major, st.Dev_minor, st.Ino}
	if _, again := i.opened[file]; !again {
		if len(i.opened) >= maxOpened {
			clear(i.opened)
		}
		i.opened[file] = struct{}{}
		return
	}
	const flags = unix.FAN_MARK_ADD | unix.FAN_MARK_IGNORED_MASK | unix.FAN_MARK_IGNORED_SURV_MODIFY | unix.FAN_MARK_EVICTABLE
	i.refused = unix.FanotifyMark(group, flags, unix.FAN_OPEN, int(event.Fd), "") != nil
}
