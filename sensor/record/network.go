package record

import (
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch/filter"
	"github.com/org/slimfile/sensor/manifest"
)

// network is the Internet sockets that the programs listened on, and those that
// they sought. Both are noted by the calls and not by the tables in /proc, which
// show those of the probes, and of the host where the network is shared.
//
// A call is noted before the kernel makes it, so whether a connection came
// about is not known. A TCP socket listens when listen(2) follows its bind(2), a
// UDP socket once it is bound.
type network struct {
	mu sync.Mutex
	// bound has the addresses of sockets that may listen yet, by inode.
	bound             map[string]endpoint
	listening, sought sockets
}

// endpoint is one end of a connection.
type endpoint struct {
	protocol string
	address  netip.AddrPort
}

// sockets are the endpoints seen.
type sockets struct {
	seen    map[endpoint]*socket
	omitted int64
}

// socket is who used an endpoint first, and when it was used.
type socket struct {
	program programID
	phases  []int // ascending
}

const (
	// maxSockets bounds the endpoints listed of either kind.
	maxSockets = 1000
	// maxBound bounds the sockets that are bound and do not listen yet.
	maxBound = 1 << 14
)

func newNetwork() *network {
	return &network{
		bound:     map[string]endpoint{},
		listening: sockets{seen: map[endpoint]*socket{}}, sought: sockets{seen: map[endpoint]*socket{}},
	}
}

// note adds an endpoint. Phases come in order.
func (s *sockets) note(e endpoint, who programID, phase Phase) {
	known, ok := s.seen[e]
	if !ok {
		if len(s.seen) >= maxSockets {
			s.omitted++
			return
		}
		known = &socket{program: who}
		s.seen[e] = known
	}
	if n := len(known.phases); n == 0 || known.phases[n-1] < int(phase) {
		known.phases = append(known.phases, int(phase))
	}
}

// list lists the endpoints by protocol, address and port.
func (s *sockets) list(place func(programID) int) []manifest.Socket {
	order := slices.SortedFunc(maps.Keys(s.seen), func(a, b endpoint) int {
		return cmp.Or(cmp.Compare(a.protocol, b.protocol), a.address.Compare(b.address))
	})
	var list []manifest.Socket
	for _, e := range order {
		list = append(list, manifest.Socket{
			Protocol: e.protocol, Address: e.address.Addr().String(), Port: int(e.address.Port()),
			Phases: s.seen[e].phases, Program: place(s.seen[e].program),
		})
	}
	return list
}

// addressed notes what a call does with an Internet address.
func (l *listener) addressed(n *notification, sock uint64, bind bool, raw []byte) error {
	address, ok := parseAddress(raw)
	if !ok {
		return nil
	}
	protocol, err := l.target.protocol(int(n.PID), int32(sock))
	if err != nil {
		return ignoreGone(err)
	}
	who, phase, e := l.census.of(n.PID), Phase(l.phase.Load()), endpoint{protocol, address}
	net := l.network
	net.mu.Lock()
	defer net.mu.Unlock()
	switch {
	case !bind:
		net.sought.note(e, who, phase)
	case protocol == "udp":
		net.listening.note(e, who, phase)
	default:
		inode, err := l.target.procLink(int(n.PID), descriptor(int32(sock)))
		if err != nil {
			return ignoreGone(err)
		}
		if len(net.bound) >= maxBound {
			clear(net.bound)
		}
		net.bound[string(inode)] = e
	}
	return nil
}

// listens notes that a socket is to listen. One that was not bound gets a port
// from the kernel; nothing can know it in advance.
func (l *listener) listens(n *notification, sock uint64) error {
	inode, err := l.target.procLink(int(n.PID), descriptor(int32(sock)))
	if err != nil {
		return ignoreGone(err)
	}
	who, phase := l.census.of(n.PID), Phase(l.phase.Load())
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	if e, ok := l.network.bound[string(inode)]; ok {
		l.network.listening.note(e, who, phase)
	}
	return nil
}

// descriptor is the name of a descriptor in a process' folder of /proc.
func descriptor(fd int32) string { return "fd/" + strconv.Itoa(int(fd)) }

// parseAddress reads a struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)).
func parseAddress(raw []byte) (netip.AddrPort, bool) {
	const inet, inet6 = 16, 24 // without the scope, which is optional
	if len(raw) < inet {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(raw[2:])
	switch family := binary.LittleEndian.Uint16(raw); {
	case family == unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(raw[4:8])), port), true
	case family == unix.AF_INET6 && len(raw) >= inet6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(raw[8:24])).Unmap(), port), true
	}
	return netip.AddrPort{}, false
}

// protocol is what a socket speaks: "tcp", "udp", or as the kernel calls it. The
// kernel tells it by an extended attribute (net/socket.c, sockfs_xattr_get).
func (t *target) protocol(pid int, fd int32) (string, error) {
	var buf [32]byte
	var n int
	err := t.as(pid, func() (err error) {
		n, err = unix.Getxattr("/proc/"+strconv.Itoa(pid)+"/"+descriptor(fd), "system.sockprotoname", buf[:])
		return err
	})
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ESRCH), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ERANGE):
		return "", errGone // or no socket: the call fails as well
	case err != nil:
		return "", err
	}
	name := strings.TrimSuffix(strings.ToLower(strings.TrimRight(string(buf[:n]), "\x00")), "v6")
	if name == "mptcp" { // is TCP to whoever does not speak it (RFC 8684)
		name = "tcp"
	}
	return name, nil
}

// sendsTo are the filter's cases for sendto(2): one without an address is the
// send(2) of a connected socket, and hot. The address is argument 4.
func sendsTo() []filter.Case {
	return []filter.Case{{Conds: []filter.Cond{{Arg: 4, Op: filter.Greater}}, Do: filter.Notify}}
}
