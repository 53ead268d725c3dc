package keepset

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest/lock"
	"github.com/org/slimfile/sensor/rootfs"
)

// maxAbsent bounds the entries that a message names.
const maxAbsent = 5

// keepLocked keeps the entries of a lock, as they are in the image now. All of
// them have to be there.
func (b *builder) keepLocked(entries []lock.Entry) error {
	var absent []string
	for i, e := range entries {
		if i%1024 == 0 && b.ctx.Err() != nil {
			return b.ctx.Err()
		}
		ok, err := b.keepEntry(e, reasonsNamed(e.Reasons)|Lock)
		if err != nil {
			return err
		}
		if ok {
			continue
		}
		name := fmt.Sprintf("%q", e.Path)
		if e.Package != "" {
			name += " of package " + e.Package
		}
		absent = append(absent, name)
	}
	if len(absent) == 0 {
		return nil
	}
	text := strings.Join(absent[:min(len(absent), maxAbsent)], ", ")
	if more := len(absent) - maxAbsent; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return failure(nil, lockRemedy, "%s names what the image has no more: %s", b.pack.LockName, text)
}

// lockRemedy is what helps against a lock that is out of date.
const lockRemedy = "make the lock anew and commit it: slimfile lock DIR"

// addLocked keeps what the runs that a lock was made by touched, as far as the
// image has it. What the lock has on other grounds this build finds by itself, or
// has no use for any more.
func (b *builder) addLocked(entries []lock.Entry) error {
	for _, e := range entries {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		why := reasonsNamed(e.Reasons)
		if why&(touched|Verify|Link) == 0 && why != Traversed {
			continue
		}
		if _, err := b.keepEntry(e, why&(touched|Verify|Link|Traversed)|Lock); err != nil {
			return err
		}
	}
	return nil
}

// keepEntry keeps an entry of a lock, if the image has it.
func (b *builder) keepEntry(e lock.Entry, why Reasons) (bool, error) {
	info, err := b.near.Lstat(e.Path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b.rule = ruleNamed(e.Rule)
	defer func() { b.rule = 0 }()
	_, err = b.keep(e.Path, info, why, 0)
	return err == nil, err
}

// ruleNamed is the rule of that name, 0 for none.
func ruleNamed(name string) ruleID {
	return ruleID(slices.IndexFunc(families, func(f family) bool { return f.rule == name }) + 1)
}

// isLock says whether a file is the lock, which a COPY of the whole build context
// brings along: it says what is kept, and is no part of that.
func (b *builder) isLock(name string, info rootfs.Info) bool {
	return b.pack.LockName != "" && info.IsRegular() && rootfs.Base(name) == path.Base(b.pack.LockName) && IsLock(b.root, name)
}

// IsLock tells by its first bytes whether the file at a physical path is a lock.
func IsLock(root *rootfs.Root, name string) bool {
	reader := root.Reader()
	defer reader.Close()
	head := make([]byte, len(lock.Magic))
	n, err := reader.ReadHead(name, head)
	return err == nil && string(head[:n]) == lock.Magic
}
