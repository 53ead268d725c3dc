package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/org/slimfile/sensor/manifest"
)

// server serves the routes of the tests; withTLS with a certificate that
// nobody trusts.
func server(t *testing.T, address string, withTLS bool) (port int) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Hello, world") })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/hello", http.StatusFound) })
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.CopyN(w, zeros{}, 3<<20) })
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/half", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "half of it")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/drop", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		name, password, _ := r.BasicAuth()
		fmt.Fprintf(w, "%s %s host=%s agent=%s x=%q user=%s:%s body=%q", r.Method, r.URL, r.Host, r.UserAgent(), r.Header["X-Test"], name, password, body)
	})
	listener, err := net.Listen("tcp", address)
	if err != nil {
		cannotListen(t, address, err)
	}
	s := httptest.NewUnstartedServer(mux)
	if err := s.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	s.Listener = listener
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if withTLS {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return int(netip.MustParseAddrPort(listener.Addr().String()).Port())
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestHTTP(t *testing.T) {
	plain, secure := server(t, "127.0.0.1:0", false), server(t, "127.0.0.1:0", true)
	for _, tt := range []struct {
		name  string
		probe manifest.HTTPProbe
		got   string
		err   string // a part of it; empty: success
	}{
		{name: "ok", probe: manifest.HTTPProbe{Path: "/hello", Match: "^Hello"}, got: "200 OK, 12 bytes"},
		{name: "no body", probe: manifest.HTTPProbe{Path: "/empty"}, got: "200 OK, 0 bytes"},
		{name: "redirect is an answer", probe: manifest.HTTPProbe{Path: "/moved", Status: "302"}, got: "302 Found, 29 bytes"},
		{name: "big", probe: manifest.HTTPProbe{Path: "/big"}, got: "200 OK, more than 1 MiB"},
		{name: "status", probe: manifest.HTTPProbe{Path: "/nope"}, err: "404 Not Found, 19 bytes:\n404 page not found"},
		{name: "match", probe: manifest.HTTPProbe{Path: "/hello", Match: "Bye"}, err: "200 OK, 12 bytes that do not match:\nHello, world"},
		{name: "hang", probe: manifest.HTTPProbe{Path: "/hang"}, err: "deadline"},
		{name: "half", probe: manifest.HTTPProbe{Path: "/half"}, err: "200 OK, 10 bytes, no end of the body"},
		{name: "drop", probe: manifest.HTTPProbe{Path: "/drop"}, err: "closed without an answer"},
		{
			name: "everything sent",
			probe: manifest.HTTPProbe{
				Method: "PUT", Path: "/echo?a=b%20c", Header: []string{"X-Test: 1", "x-test:2", "Host: example.com", "User-Agent: me"},
				User: "joe:se:cret", Body: []byte("data"),
				Match: `^PUT /echo\?a=b%20c host=example\.com agent=me x=\["1" "2"\] user=joe:se:cret body="data"$`,
			},
			got: "200 OK, 84 bytes",
		},
		{
			name:  "defaults sent",
			probe: manifest.HTTPProbe{Path: "/echo", Match: `^GET /echo host=localhost:\d+ agent=slimfile-probe x=\[\] user=: body=""$`},
			got:   "200 OK,",
		},
		{name: "https", probe: manifest.HTTPProbe{Scheme: "https", Port: secure, Path: "/hello", Insecure: true}, got: "200 OK, 12 bytes"},
		{name: "untrusted", probe: manifest.HTTPProbe{Scheme: "https", Port: secure, Path: "/hello"}, err: "x509"},
		{name: "https to http", probe: manifest.HTTPProbe{Scheme: "https", Path: "/hello"}, err: "does not look like a TLS handshake"},
		{name: "http to https", probe: manifest.HTTPProbe{Port: secure, Path: "/hello"}, err: "400 Bad Request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.probe.Port == 0 {
				tt.probe.Port = plain
			}
			if tt.probe.Scheme == "" {
				tt.probe.Scheme = "http"
			}
			if tt.probe.Method == "" {
				tt.probe.Method = "GET"
			}
			h, err := NewHTTP(tt.probe)
			if err != nil {
				t.Fatal(err)
			}
			limit := 30 * time.Second
			if tt.name == "hang" || tt.name == "half" {
				limit = 300 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			got, err := h.Probe(ctx)
			if tt.err == "" && (err != nil || !strings.HasPrefix(got.Got, tt.got)) {
				t.Errorf("got %q, %v, want %q", got.Got, err, tt.got)
			}
			if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %q, error %v, want one with %q", got.Got, err, tt.err)
			}
		})
	}
}

func TestHTTPErrorsAreTyped(t *testing.T) {
	h, err := NewHTTP(manifest.HTTPProbe{Method: "GET", Scheme: "https", Port: server(t, "127.0.0.1:0", true), Path: "/"})
	if err != nil {
		t.Fatal(err)
	}
	var untrusted *tls.CertificateVerificationError
	if _, err := h.Probe(t.Context()); !errors.As(err, &untrusted) {
		t.Errorf("error %v, want one about the certificate", err)
	}
}

func TestHTTPv6Only(t *testing.T) {
	port := server(t, "[::1]:0", false)
	h, err := NewHTTP(manifest.HTTPProbe{Method: "GET", Scheme: "http", Port: port, Path: "/hello"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.Probe(t.Context()); err != nil || got.Got != "200 OK, 12 bytes" {
		t.Errorf("got %q, %v", got.Got, err)
	}
}

func TestHTTPIgnoresProxies(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	h, err := NewHTTP(manifest.HTTPProbe{
		Method: "GET", Scheme: "http", Port: server(t, "127.0.0.1:0", false), Path: "/hello", Header: []string{"Host: example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Probe(t.Context()); err != nil {
		t.Error(err)
	}
}
