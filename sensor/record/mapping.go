package record

import (
	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch/filter"
	"github.com/org/slimfile/sensor/manifest"
)

// mmap(2) is a hot call: allocators make it all the time, a loader several
// times for each library. The filter lets only mappings of a file as code
// through to the recorder, one for each library, which is what costs nothing
// that can be measured and tells code from data. Files that are mapped as data
// were opened before and have that in the record. Not seen: mprotect(2) of a
// mapped file later on, and the old mmap of i386, whose arguments are in memory;
// no libc uses it.

// mapsCode are the filter's cases for mmap(2): prot is argument 2, flags are
// argument 3.
func mapsCode() []filter.Case {
	return []filter.Case{{
		Conds: []filter.Cond{
			{Arg: 2, Mask: unix.PROT_EXEC, Value: unix.PROT_EXEC},
			{Arg: 3, Mask: unix.MAP_ANONYMOUS},
		},
		Do: filter.Notify,
	}}
}

// mapped records the file behind the descriptor of a mapping, argument 4.
func (l *listener) mapped(fd int, n *notification) error {
	_, err := l.see(fd, n, 4, nil, want{ops: manifest.Mapped})
	return err
}
