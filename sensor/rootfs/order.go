package rootfs

import "cmp"

// Compare orders physical paths as Walk visits them: as bytes, but with the
// slash, which ends a name, before every byte that a name can hold.
func Compare(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}
