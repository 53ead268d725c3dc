package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// tcpServer answers each connection with serve.
func tcpServer(t *testing.T, serve func(net.Conn)) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return int(netip.MustParseAddrPort(listener.Addr().String()).Port())
}

func TestTCP(t *testing.T) {
	echo := tcpServer(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	silent := tcpServer(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	farewell := tcpServer(t, func(c net.Conn) { fmt.Fprint(c, "go away\n") })
	endless := tcpServer(t, func(c net.Conn) { _, _ = io.Copy(c, zeros{}) })
	for _, tt := range []struct {
		name  string
		probe manifest.TCPProbe
		got   string
		err   string
	}{
		{name: "connect", probe: manifest.TCPProbe{Port: silent}, got: "connected"},
		{name: "echo", probe: manifest.TCPProbe{Port: echo, Send: []byte("PING\r\n"), Match: "PING"}, got: "connected, 6 bytes of answer"},
		{name: "silent", probe: manifest.TCPProbe{Port: silent, Match: "x"}, err: "no answer"},
		{name: "wrong, then nothing", probe: manifest.TCPProbe{Port: echo, Send: []byte("a\x00"), Match: "b"}, err: `2 bytes of answer: "a\x00"`},
		{name: "wrong, then the end", probe: manifest.TCPProbe{Port: farewell, Match: "welcome"}, err: `"go away\n", then the end of the connection`},
		{name: "endless", probe: manifest.TCPProbe{Port: endless, Match: "x"}, err: "(64 KiB read)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			prober, err := newTCP(tt.probe)
			if err != nil {
				t.Fatal(err)
			}
			limit := 30 * time.Second
			if tt.probe.Port == silent || strings.Contains(tt.name, "nothing") {
				limit = 300 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			got, err := prober.Probe(ctx)
			if tt.err == "" && (err != nil || got.Got != tt.got) {
				t.Errorf("got %q, %v, want %q", got.Got, err, tt.got)
			}
			if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
		})
	}
}

func TestTCPRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := int(netip.MustParseAddrPort(listener.Addr().String()).Port())
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	prober, err := newTCP(manifest.TCPProbe{Port: port})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prober.Probe(t.Context()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("error %v, want a refused connection", err)
	}
}
