package builder

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
)

const (
	dockerDefault = "unix:///var/run/docker.sock"
	// maxErrorBody bounds what is read of a refusal.
	maxErrorBody = 4 << 10
	pingTimeout  = 5 * time.Second
)

// host is where a Docker daemon listens.
type host struct {
	socket string
	// wanted says that the user named it, so that it is not merely looked for.
	wanted bool
}

func dockerHost() (host, error) {
	value := os.Getenv("DOCKER_HOST")
	wanted := value != ""
	if !wanted {
		value = dockerDefault
	}
	socket, ok := strings.CutPrefix(value, "unix://")
	if !ok {
		return host{}, fmt.Errorf("DOCKER_HOST=%s: only unix:// sockets of Docker daemons are supported: "+
			"name a builder of docker buildx with --builder, a BuildKit with --addr, or --addr %s", value, AddrPrivate)
	}
	return host{socket: socket, wanted: wanted}, nil
}

func (h host) String() string { return "unix://" + h.socket }

func (h host) dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", h.socket)
}

// ping tells whether a Docker daemon answers there.
func (h host) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return h.dial(ctx) },
		DisableKeepAlives: true,
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/_ping", nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return errors.Unwrap(err) // without the made-up URL
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", h, resp.Status)
	}
	return nil
}

// options make BuildKit's client talk to the BuildKit inside the daemon. Its
// control API and its sessions are behind HTTP upgrades of the Docker API
// (POST /grpc and POST /session, Docker Engine API v1.39).
func (h host) options() options {
	return options{opts: []client.ClientOpt{
		client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return h.hijack(ctx, "/grpc", "h2c", nil)
		}),
		client.WithSessionDialer(func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			return h.hijack(ctx, "/session", proto, meta)
		}),
	}}
}

// hijack asks the daemon to go on with another protocol on the connection.
func (h host) hijack(ctx context.Context, path, proto string, meta map[string][]string) (net.Conn, error) {
	conn, err := h.dial(ctx)
	if err != nil {
		return nil, err
	}
	// The connection outlives ctx's deadline, the handshake must not.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	up, err := upgrade(conn, path, proto, meta)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask %s for its BuildKit: %w", h, err), conn.Close())
	}
	return up, nil
}

func upgrade(conn net.Conn, path, proto string, meta map[string][]string) (net.Conn, error) {
	req, err := http.NewRequest(http.MethodPost, "http://docker"+path, nil)
	if err != nil {
		return nil, err
	}
	for k, v := range meta {
		req.Header[http.CanonicalHeaderKey(k)] = v
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", proto)
	if err := conn.SetDeadline(time.Now().Add(connectTimeout)); err != nil {
		return nil, err
	}
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	return upgraded{Conn: conn, r: br}, nil
}

// upgraded reads first what came together with the daemon's answer.
type upgraded struct {
	net.Conn
	r io.Reader
}

func (u upgraded) Read(p []byte) (int, error) { return u.r.Read(p) }
