package record

import (
	"encoding/binary"
	"errors"
)

// sendmsg(2) and sendmmsg(2) may name the socket that a message is for, in
// memory, so that every call of theirs is reported. That costs what any event
// does; streams are mostly written to by other calls.

// header is the layout of struct msghdr and struct mmsghdr, in bytes: where the
// address is and its size, and how far it is to the next header.
type header struct{ address, size, next int }

func headerOf(arch uint32) header {
	if wordSize(arch) == 4 {
		return header{0, 4, 28 + 4}
	}
	return header{0, 8, 56 + 8}
}

// maxMessages is how many the kernel takes at once, UIO_MAXIOV.
const maxMessages = 1024

// messages records the addresses in so many message headers.
func (l *listener) messages(fd int, n *notification, a arg, sock, headers, count uint64) (hidden bool, err error) {
	layout := headerOf(n.Arch)
	head := make([]byte, layout.size+4)
	for i := range min(count, maxMessages) {
		err := l.target.read(int(n.PID), headers+i*uint64(layout.next), head)
		if errors.Is(err, errFault) && i > 0 {
			return hidden, nil // the kernel has sent those before
		}
		if err != nil {
			return false, err
		}
		address, size := word(head[layout.address:layout.size]), binary.LittleEndian.Uint32(head[layout.size:])
		if address == 0 {
			continue
		}
		below, err := l.socketAddress(fd, n, a, sock, address, uint64(size))
		if err != nil {
			return false, err
		}
		hidden = hidden || below
	}
	return hidden, nil
}

// word is a number of 4 or 8 bytes.
func word(b []byte) uint64 {
	if len(b) == 4 {
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}
