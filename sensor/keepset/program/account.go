package program

import (
	"bytes"
	"io"
	"slices"

	"github.com/moby/sys/user"

	"github.com/org/slimfile/sensor/rootfs"
)

// Account is the user that an image's programs run as.
type Account struct {
	// UID is nil if the image does not tell.
	UID    *uint32
	groups []int
}

// maxAccounts bounds each of the account files, in bytes.
const maxAccounts = 1 << 20

// ReadAccount finds what USER stands for in the image's account files.
func ReadAccount(root *rootfs.Root, name string) Account {
	accounts := func(path string) io.Reader {
		data, err := root.ReadFile(path, maxAccounts)
		if err != nil {
			return bytes.NewReader(nil)
		}
		return bytes.NewReader(data)
	}
	found, err := user.GetExecUser(name, &user.ExecUser{}, accounts("/etc/passwd"), accounts("/etc/group"))
	if err != nil {
		return Account{}
	}
	uid := uint32(found.Uid)
	return Account{UID: &uid, groups: append(found.Sgids, found.Gid)}
}

// Unprivileged tells whether the user is known not to be root.
func (a Account) Unprivileged() bool { return a.UID != nil && *a.UID != 0 }

// May tells whether the user may read (4), write (2) or execute (1) a file.
// Root, and a user who is not known, may read and write all, and execute what
// anybody may.
func (a Account) May(info rootfs.Info, what uint32) bool {
	switch {
	case !a.Unprivileged():
		return what != 1 || info.IsDir() || info.Mode&0o111 != 0
	case info.UID == *a.UID:
		return info.Mode>>6&what != 0
	case slices.Contains(a.groups, int(info.GID)):
		return info.Mode>>3&what != 0
	}
	return info.Mode&what != 0
}
