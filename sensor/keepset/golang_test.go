package keepset

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestFindAll(t *testing.T) {
	part := 1 << 20
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"at the begin and the end", "one" + strings.Repeat("x", 100) + "three", []string{"one", "three"}},
		{"across parts", strings.Repeat("x", part-2) + "three" + strings.Repeat("x", part) + "two", []string{"three", "two"}},
		{"in pieces that are none", "thr" + "on", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, err := findAll(iotest.HalfReader(strings.NewReader(tt.text)), []string{"one", "two", "three"})
			if err != nil || !slices.Equal(slices.Sorted(maps.Keys(found)), tt.want) {
				t.Errorf("found %v, error %v, want %q", found, err, tt.want)
			}
		})
	}
	if _, err := findAll(iotest.ErrReader(bytes.ErrTooLarge), []string{"one"}); err == nil {
		t.Error("no error from a file that cannot be read")
	}
}
