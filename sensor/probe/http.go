package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/org/slimfile/sensor/manifest"
)

// maxBody bounds how much of a response's body is read, in bytes.
const maxBody = 1 << 20

// userAgent is sent unless the probe has its own.
const userAgent = "slimfile-probe"

// HTTP is a request over HTTP or HTTPS to localhost.
type HTTP struct {
	probe  manifest.HTTPProbe
	header http.Header
	host   string // of the Host header, with port
	status StatusSet
	match  *regexp.Regexp
}

// NewHTTP returns the prober of p.
func NewHTTP(p manifest.HTTPProbe) (*HTTP, error) {
	status, err := ParseStatus(p.Status)
	if err != nil {
		return nil, err
	}
	match, err := compile(p.Match)
	if err != nil {
		return nil, err
	}
	h := &HTTP{probe: p, status: status, match: match}
	h.header, h.host, err = splitHeader(p)
	if err != nil {
		return nil, err
	}
	if _, err := h.request(context.Background()); err != nil {
		return nil, err
	}
	return h, nil
}

// splitHeader returns the header to send and the host, which net/http wants
// apart. User agent and host are filled in unless p has them.
func splitHeader(p manifest.HTTPProbe) (header http.Header, host string, err error) {
	header = http.Header{"User-Agent": {userAgent}}
	host = net.JoinHostPort("localhost", strconv.Itoa(p.Port))
	replaced := map[string]bool{}
	for _, line := range p.Header {
		name, value, ok := strings.Cut(line, ":")
		name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || name == "":
			return nil, "", fmt.Errorf("header %q: want \"Name: value\"", line)
		case name == "Host":
			host = value
		case replaced[name]:
			header.Add(name, value)
		default:
			header.Set(name, value)
			replaced[name] = true
		}
	}
	return header, host, nil
}

func (h *HTTP) request(ctx context.Context) (*http.Request, error) {
	if h.probe.Scheme != "http" && h.probe.Scheme != "https" {
		return nil, fmt.Errorf("scheme %q: want http or https", h.probe.Scheme)
	}
	url := h.probe.Scheme + "://" + net.JoinHostPort("localhost", strconv.Itoa(h.probe.Port)) + h.probe.Path
	req, err := http.NewRequestWithContext(ctx, h.probe.Method, url, bytes.NewReader(h.probe.Body))
	if err != nil {
		return nil, err
	}
	req.Header = h.header.Clone()
	req.Host = h.host
	if name, password, ok := strings.Cut(h.probe.User, ":"); ok {
		req.SetBasicAuth(name, password)
	}
	return req, nil
}

// Expected implements Prober.
func (h *HTTP) Expected() string {
	text := "status " + h.status.String()
	if h.match != nil {
		text += fmt.Sprintf(" and a body that matches %q", h.match)
	}
	return text
}

// Probe implements Prober. Redirects are answers, not followed.
func (h *HTTP) Probe(ctx context.Context) (Result, error) {
	req, err := h.request(ctx)
	if err != nil {
		return Result{}, err
	}
	transport := h.transport()
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if errors.Is(err, io.EOF) {
		return Result{}, fmt.Errorf("the connection was closed without an answer: %w", err)
	}
	if err != nil {
		return Result{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	got := fmt.Sprintf("%s, %s", resp.Status, size(len(body)))
	if ctx.Err() != nil {
		return Result{}, &partialError{got + ", no end of the body"}
	}
	if err != nil {
		return Result{}, fmt.Errorf("%s, then: %w", got, err)
	}
	body = body[:min(len(body), maxBody)]
	switch {
	case !h.status.Contains(resp.StatusCode):
		return Result{}, shown(got, body)
	case h.match != nil && !h.match.Match(body):
		return Result{}, shown(got+" that do not match", body)
	}
	return Result{Got: got, Answer: NewAnswer(resp.StatusCode, resp.Header.Get("Content-Type"), body)}, nil
}

// transport makes one for a single request: nothing is shared between probes,
// and no proxy of the environment comes between.
func (h *HTTP) transport() *http.Transport {
	serverName := h.host
	if name, _, err := net.SplitHostPort(h.host); err == nil {
		serverName = name
	}
	return &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return dialLocal(ctx, h.probe.Port) },
		TLSClientConfig:    &tls.Config{ServerName: serverName, InsecureSkipVerify: h.probe.Insecure},
		DisableKeepAlives:  true,
		DisableCompression: true, // what the probe's header asks for, nothing else
	}
}

// shown is an unwanted answer with the beginning of its body.
func shown(got string, body []byte) error {
	if len(body) == 0 {
		return errors.New(got)
	}
	return errors.New(got + ":\n" + excerpt(body))
}

func size(n int) string {
	if n > maxBody {
		return "more than 1 MiB"
	}
	if n == 1 {
		return "1 byte"
	}
	return strconv.Itoa(n) + " bytes"
}

// dialLocal connects to port on the IPv4 or else the IPv6 loopback.
func dialLocal(ctx context.Context, port int) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil {
		return conn, nil
	}
	// On a machine without IPv6 the second error would hide what happened.
	if conn, v6err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("::1", strconv.Itoa(port))); v6err == nil {
		return conn, nil
	}
	return nil, err
}
