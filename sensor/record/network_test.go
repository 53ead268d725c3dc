package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// useSockets listens and seeks in all the ways that are recorded.
func useSockets() error {
	var errs []error
	open := func(family, kind int) int {
		fd, err := unix.Socket(family, kind, 0)
		errs = append(errs, err)
		return fd
	}
	local, local6 := [4]byte{127, 0, 0, 1}, [16]byte{15: 1}
	tcp := open(unix.AF_INET, unix.SOCK_STREAM)
	errs = append(errs, unix.Bind(tcp, &unix.SockaddrInet4{Port: 18081, Addr: local}), unix.Listen(tcp, 1))
	tcp6 := open(unix.AF_INET6, unix.SOCK_STREAM)
	errs = append(errs, unix.Bind(tcp6, &unix.SockaddrInet6{Port: 18082}), unix.Listen(tcp6, 1))
	udp := open(unix.AF_INET, unix.SOCK_DGRAM)
	errs = append(errs, unix.Bind(udp, &unix.SockaddrInet4{Port: 18083}))
	client := open(unix.AF_INET, unix.SOCK_STREAM) // bound, and does not listen
	errs = append(errs, unix.Bind(client, &unix.SockaddrInet4{Port: 18084, Addr: local}))
	for range 3 {
		if err := unix.Connect(open(unix.AF_INET, unix.SOCK_STREAM), &unix.SockaddrInet4{Port: 18085, Addr: local}); !errors.Is(err, unix.ECONNREFUSED) {
			errs = append(errs, fmt.Errorf("connect: %w", err))
		}
	}
	name := open(unix.AF_INET6, unix.SOCK_DGRAM)
	errs = append(errs, unix.Connect(name, &unix.SockaddrInet6{Port: 18086, Addr: local6}))
	_, err := unix.Write(name, []byte("connected already"))
	errs = append(errs, err)
	errs = append(errs, unix.Sendto(open(unix.AF_INET, unix.SOCK_DGRAM), []byte("x"), 0, &unix.SockaddrInet4{Port: 18087, Addr: local}))
	errs = append(errs, unix.Sendmsg(open(unix.AF_INET, unix.SOCK_DGRAM), []byte("x"), nil, &unix.SockaddrInet4{Port: 18088, Addr: local}, 0))
	return errors.Join(errs...)
}

func TestSockets(t *testing.T) {
	exe := program(t)
	socket := func(protocol, address string, port int, phases ...int) manifest.Socket {
		return manifest.Socket{Protocol: protocol, Address: address, Port: port, Phases: phases}
	}
	listening := []manifest.Socket{
		socket("tcp", "127.0.0.1", 18081, 0, 1), socket("tcp", "::", 18082, 0, 1), socket("udp", "0.0.0.0", 18083, 0, 1),
	}
	outbound := []manifest.Socket{
		socket("tcp", "127.0.0.1", 18085, 0, 1), socket("udp", "127.0.0.1", 18087, 0, 1), socket("udp", "127.0.0.1", 18088, 0, 1), socket("udp", "::1", 18086, 0, 1),
	}
	for _, m := range modes {
		for _, uid := range []uint32{0, nobody} {
			t.Run(fmt.Sprintf("%s/%d", m, uid), func(t *testing.T) {
				args := []string{"program", "fixture", "sockets"}
				out := run(t, job{Mode: m, Spec: launch.Spec{Path: exe, Args: args, Dir: "/", UID: uid, GID: uid}, Then: [][]string{args}})
				if out.CloseErr != "" || out.Exit != 0 {
					t.Fatalf("%+v", out)
				}
				if !reflect.DeepEqual(out.Listening, listening) || !reflect.DeepEqual(out.Outbound, outbound) {
					t.Errorf("listening %+v, outbound %+v", out.Listening, out.Outbound)
				}
			})
		}
	}
}

// TestSocketsBound: a program that seeks the whole Internet.
func TestSocketsBound(t *testing.T) {
	s := newNetwork().sought
	for i := range maxSockets + 20 {
		s.note(endpoint{"tcp", netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 80)}, 1, 0)
	}
	if list := s.list(func(programID) int { return 0 }); len(list) != maxSockets || s.omitted != 20 {
		t.Errorf("%d sockets, %d omitted", len(list), s.omitted)
	}
}

// FuzzParseAddress: what is accepted has the port and the length of its family.
func FuzzParseAddress(f *testing.F) {
	f.Add([]byte("\x02\x00\x1f\x90\x7f\x00\x00\x01........"))
	f.Add([]byte("\x0a\x00\x1f\x90....abcdefghijklmnop...."))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, ok := parseAddress(raw)
		if !ok {
			return
		}
		if a.Port() != binary.BigEndian.Uint16(raw[2:]) || !a.IsValid() || len(raw) < 16 || raw[0] == unix.AF_INET6 && len(raw) < 24 {
			t.Errorf("%v of %q", a, raw)
		}
	})
}
