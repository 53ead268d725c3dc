package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/manifest"
)

// scripted answers with its errors in turn, then with "fine".
type scripted struct {
	errs  []error
	calls int
}

func (*scripted) Expected() string { return "fine" }

func (s *scripted) Probe(ctx context.Context) (Result, error) {
	s.calls++
	if s.calls <= len(s.errs) {
		return Result{}, s.errs[s.calls-1]
	}
	return Result{Got: "fine"}, ctx.Err()
}

func TestRun(t *testing.T) {
	bad := errors.New("500 Internal Server Error")
	program := &manifest.ExecProbe{}
	for _, tt := range []struct {
		name    string
		errs    []error
		exec    *manifest.ExecProbe
		retries int
		calls   int
		err     string // empty: success
	}{
		{name: "at once", calls: 1},
		{name: "no retry", errs: []error{bad}, calls: 1, err: "500 Internal Server Error"},
		{name: "retried", errs: []error{bad}, retries: 1, calls: 2},
		{name: "retries used up", errs: []error{bad, bad, bad}, retries: 2, calls: 3, err: "500 Internal Server Error"},
		{name: "refused is not a retry", errs: []error{unix.ECONNREFUSED, unix.ECONNREFUSED}, calls: 3},
		{name: "a program while the app settles", errs: []error{bad, bad, bad, bad}, exec: program, calls: 5},
		{name: "a program that fails for good", errs: []error{bad, bad, bad, bad, bad}, exec: program, calls: 5, err: "500 Internal Server Error"},
		{name: "a program with retries", errs: []error{bad, bad}, exec: program, retries: 1, calls: 2, err: "500 Internal Server Error"},
		{name: "a program that cannot be started", errs: []error{&notStartedError{bad}, bad}, exec: program, retries: 3, calls: 1, err: "500 Internal Server Error"},
		{name: "refused, then bad", errs: []error{unix.ECONNREFUSED, bad}, calls: 2, err: "500 Internal Server Error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{errs: tt.errs}
				got, err := Run(t.Context(), manifest.Probe{TimeoutSeconds: 5, Retries: tt.retries, Exec: tt.exec}, s)
				if tt.err == "" && (err != nil || got.Got != "fine") {
					t.Errorf("got %q, %v", got.Got, err)
				}
				if tt.err != "" && (err == nil || err.Error() != tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				if s.calls != tt.calls {
					t.Errorf("%d requests, want %d", s.calls, tt.calls)
				}
			})
		})
	}
}

func TestRunTimeout(t *testing.T) {
	refused := &scripted{errs: make([]error, 1000)}
	for i := range refused.errs {
		refused.errs[i] = unix.ECONNREFUSED
	}
	_, err := Run(t.Context(), manifest.Probe{TimeoutSeconds: 0.1}, refused)
	if !errors.Is(err, unix.ECONNREFUSED) || !strings.Contains(err.Error(), "no answer within 100ms") {
		t.Errorf("error %v", err)
	}
	if refused.calls < 2 {
		t.Errorf("%d requests, want several", refused.calls)
	}
}

// TestRunLate: an answer cut off by the time limit does not hide what came
// before, even if the limit is noticed there first.
func TestRunLate(t *testing.T) {
	for _, late := range []error{os.ErrDeadlineExceeded, context.DeadlineExceeded} {
		s := &scripted{errs: []error{unix.ECONNREFUSED}}
		for range 1000 {
			s.errs = append(s.errs, fmt.Errorf("dial: %w", late))
		}
		_, err := Run(t.Context(), manifest.Probe{TimeoutSeconds: 0.1}, s)
		if !errors.Is(err, unix.ECONNREFUSED) || !strings.Contains(err.Error(), "no answer within 100ms") {
			t.Errorf("%v: error %v", late, err)
		}
	}
}

func TestRunEndsWithContext(t *testing.T) {
	gone := errors.New("the app ended")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, err := Run(ctx, manifest.Probe{TimeoutSeconds: 60}, &scripted{}); !errors.Is(err, gone) {
		t.Errorf("error %v, want %v", err, gone)
	}
}

func TestNewWantsOneKind(t *testing.T) {
	for name, p := range map[string]manifest.Probe{
		"none":       {},
		"two":        {HTTP: &manifest.HTTPProbe{Method: "GET", Scheme: "http", Port: 1}, TCP: &manifest.TCPProbe{Port: 1}},
		"bad status": {HTTP: &manifest.HTTPProbe{Method: "GET", Scheme: "http", Port: 1, Status: "ok"}},
		"bad match":  {TCP: &manifest.TCPProbe{Port: 1, Match: "("}},
		"bad header": {HTTP: &manifest.HTTPProbe{Method: "GET", Scheme: "http", Port: 1, Header: []string{"nonsense"}}},
		"bad method": {HTTP: &manifest.HTTPProbe{Method: "G T", Scheme: "http", Port: 1}},
		"bad scheme": {HTTP: &manifest.HTTPProbe{Method: "GET", Scheme: "gopher", Port: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(p, nil); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestSeconds(t *testing.T) {
	if got := Seconds(1.5); got != 1500*time.Millisecond {
		t.Error(got)
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext\n":        "plain\ttext\n",
		"a\r\nb":               "a\nb",
		"\x1b[31mred\x1b[0m":   "[31mred[0m",
		"nul\x00 bell\a":       "nul� bell�",
		"\xff\xfe":             "��",
		"caf\u00e9 \U0001F600": "café 😀",
		"c1\u009b31m":          "c1�31m",
	} {
		if got := Printable([]byte(in)); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add([]byte("\x1b]0;title\a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got := Printable(data)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x1b\x00\r\u009b") {
			t.Errorf("%q", got)
		}
	})
}
