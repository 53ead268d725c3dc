package trace

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseSignal(t *testing.T) {
	for text, want := range map[string]unix.Signal{
		"":            unix.SIGTERM,
		"SIGTERM":     unix.SIGTERM,
		"TERM":        unix.SIGTERM,
		"sigquit":     unix.SIGQUIT,
		"15":          unix.SIGTERM,
		"9":           unix.SIGKILL,
		"SIGWINCH":    unix.SIGWINCH,
		"SIGRTMIN":    34,
		"SIGRTMIN+3":  37,
		"RTMIN+30":    64,
		"SIGRTMAX":    64,
		"SIGRTMAX-14": 50,
		"64":          64,
	} {
		if got, err := parseSignal(text); err != nil || got != want {
			t.Errorf("parseSignal(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestParseSignalErrors(t *testing.T) {
	for _, text := range []string{"SIG", "FOO", "0", "65", "-1", "+9", "SIGRTMIN-1", "SIGRTMIN+31", "RTMAX+1", "RTMIN+", "RTMIN++3", " TERM", "SIGSIGTERM"} {
		if got, err := parseSignal(text); err == nil {
			t.Errorf("parseSignal(%q) = %d", text, got)
		}
	}
}

func TestSignalName(t *testing.T) {
	for sig, want := range map[unix.Signal]string{unix.SIGTERM: "SIGTERM", 37: "SIGRTMIN+3", 34: "SIGRTMIN+0"} {
		if got := signalName(sig); got != want {
			t.Errorf("signalName(%d) = %q, want %q", sig, got, want)
		}
	}
}

func FuzzParseSignal(f *testing.F) {
	for _, seed := range []string{"SIGTERM", "15", "SIGRTMIN+3", "rtmax-64", "SIG+"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sig, err := parseSignal(text)
		if err != nil {
			return
		}
		if sig < 1 || sig > 64 {
			t.Fatalf("%q is %d", text, sig)
		}
		if again, err := parseSignal(signalName(sig)); err != nil || again != sig {
			t.Errorf("%q is %d, but its name %q is %d, %v", text, sig, signalName(sig), again, err)
		}
	})
}
