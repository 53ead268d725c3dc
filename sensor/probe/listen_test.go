package probe

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestParseListeners(t *testing.T) {
	// The sample is a little-endian machine's, as all are that slimfile builds on.
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F48 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0000000000000000 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0000000000000000 100 0 0 10 0
   2: 0100007F:1F48 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0000000000000000 20 4 30 10 -1
   3: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 103
   4: 0000000000000000FFFF00000100007F:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 104
`
	got, err := parseListeners(strings.NewReader(table))
	if err != nil {
		t.Fatal(err)
	}
	if want := "[127.0.0.1:8008 0.0.0.0:80 [::1]:8080 127.0.0.1:8081]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestListeners(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			l, err := net.Listen("tcp", address)
			if err != nil {
				cannotListen(t, address, err)
			}
			t.Cleanup(func() { _ = l.Close() })
			got, err := Listeners()
			if err != nil {
				t.Fatal(err)
			}
			if want := netip.MustParseAddrPort(l.Addr().String()); !slices.Contains(got, want) {
				t.Errorf("%v is not in %v", want, got)
			}
		})
	}
}

func FuzzParseListeners(f *testing.F) {
	f.Add("title\n 0: 0100007F:1F48 00000000:0000 0A x\n")
	f.Add(" 0: 0: 0 0A")
	f.Fuzz(func(_ *testing.T, table string) {
		_, _ = parseListeners(strings.NewReader(table)) // must not panic
	})
}

// cannotListen skips a test on a machine without the address family, or fails
// it where no test may be skipped.
func cannotListen(t *testing.T, address string, err error) {
	t.Helper()
	if os.Getenv("SLIMFILE_TEST_REQUIRE") == "1" {
		t.Fatalf("listen on %s: %v", address, err)
	}
	t.Skipf("listen on %s: %v", address, err)
}
