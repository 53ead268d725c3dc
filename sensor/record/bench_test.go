package record

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/slimfile/sensor/launch"
)

// BenchmarkTraced reports how much longer programs take under the recorders
// than without, start and end included, each pair measured side by side.
func BenchmarkTraced(b *testing.B) {
	exe := program(b)
	var names, paths []string
	for i := range 1000 {
		names = append(names, fmt.Sprintf("d%d/f%d", i%10, i))
	}
	dir := workplace(b, names)
	for _, n := range names {
		paths = append(paths, filepath.Join(dir, n))
	}
	fixture := func(args ...string) launch.Spec {
		return launch.Spec{Path: exe, Args: slices.Concat([]string{"program", "fixture"}, args), Dir: dir}
	}
	programs := []struct {
		name string
		spec func() launch.Spec
	}{
		{"opens-100k-of-1k", func() launch.Spec { return fixture(append([]string{"repeat", "open", "100000"}, paths...)...) }},
		{"stats-100k-of-1k", func() launch.Spec { return fixture(append([]string{"repeat", "stat", "100000"}, paths...)...) }},
		{"relative-stats-100k", func() launch.Spec { return fixture(append([]string{"repeat", "stat", "100000"}, names...)...) }},
		{"distinct-opens-50k", func() launch.Spec { return fixture("many", "50000", "n") }},
		{"perl", func() launch.Spec { return command(b, "perl -MPOSIX -MStorable -MFile::Find -e 1") }},
		{"python", func() launch.Spec { return command(b, "/usr/bin/python3 -c import,json,ssl,email,sqlite3") }},
		{"find", func() launch.Spec { return command(b, "find /usr/lib -size +1k -name none") }},
	}
	for _, p := range programs {
		for _, m := range []mode{sandbox, insecure} {
			b.Run(p.name+"/"+string(m), func(b *testing.B) {
				spec := p.spec()
				var with, without []time.Duration
				for b.Loop() {
					with = append(with, measure(b, job{Mode: m, Spec: spec}))
					without = append(without, measure(b, job{Mode: m, Spec: spec, Untraced: true}))
				}
				b.ReportMetric(median(with).Seconds()/median(without).Seconds(), "x-untraced")
				b.ReportMetric(median(with).Seconds()*1000, "ms")
			})
		}
	}
}

// command splits at spaces; a comma stands for one.
func command(b *testing.B, line string) launch.Spec {
	args := strings.Fields(line)
	path := need(b, args[0])
	if last := len(args) - 1; strings.HasPrefix(args[last], "import,") {
		module, list, _ := strings.Cut(args[last], ",")
		args[last] = module + " " + list
	}
	return launch.Spec{Path: path, Args: args, Env: []string{"PATH=/usr/bin:/bin"}}
}

func measure(b *testing.B, j job) time.Duration {
	b.Helper()
	out := run(b, j)
	if out.Exit != 0 || out.StartErr != "" || out.CloseErr != "" {
		b.Fatalf("exit %d, start %q, close %q", out.Exit, out.StartErr, out.CloseErr)
	}
	return out.Elapsed
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
