// Command bench measures what slimfile costs and gains, on the daemon that
// BUILDKIT_HOST names, and prints ratios: both sides of each are measured in the
// same run, alternately. hack/bench.sh sets up what it needs.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var b bench
	flag.StringVar(&b.tools, "tools", "", "`folder` with linux-ARCH/slimfile-sensor and slimfile-pack")
	flag.StringVar(&b.timer, "timer", "", "`folder` with the program timer")
	flag.StringVar(&b.examples, "examples", "examples", "`folder` of the examples")
	flag.IntVar(&b.rounds, "rounds", 5, "how often each thing is measured")
	flag.Parse()
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is what all measurements share.
type bench struct {
	tools, timer, examples string
	rounds                 int
	daemon                 *daemon
}

func (b *bench) run(ctx context.Context) error {
	var err error
	if b.daemon, err = connect(ctx, b.tools); err != nil {
		return err
	}
	defer b.daemon.close()
	for _, measure := range []func(context.Context) error{b.overhead, b.cached, b.size, b.start} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// overhead is the time of slimfile's own steps: a slim build that has to run
// them all minus a stock build that has to run nothing, minus what the app took
// to start, to answer the probes and to stop.
func (b *bench) overhead(ctx context.Context) error {
	title("slim overhead", "slim s", "stock s", "app s", "overhead s", "mark")
	for _, ex := range []struct {
		name string
		mark float64
	}{{"flask", 2}, {"go", 1}} {
		stock := build{context: b.examples + "/" + ex.name, args: map[string]string{"SLIM": "off"}}
		slim := build{context: stock.context, allow: true, noCache: "slim"}
		report := slim
		report.noCache, report.args = "", map[string]string{"SLIM_OUTPUT": "report"}
		for _, warm := range []build{stock, slim} {
			if _, err := b.daemon.run(ctx, warm); err != nil {
				return err
			}
		}
		var slims, stocks, apps, overheads []float64
		for range b.rounds {
			s, err := b.daemon.run(ctx, slim)
			if err != nil {
				return err
			}
			app, err := b.appTime(ctx, report)
			if err != nil {
				return err
			}
			f, err := b.daemon.run(ctx, stock)
			if err != nil {
				return err
			}
			slims, stocks, apps = append(slims, s.seconds), append(stocks, f.seconds), append(apps, app)
			overheads = append(overheads, s.seconds-f.seconds-app)
		}
		row(ex.name, median(slims), median(stocks), median(apps), median(overheads), ex.mark)
	}
	return nil
}

// appTime is the app's own part of a slim build, traced and verified, in
// seconds.
func (b *bench) appTime(ctx context.Context, report build) (float64, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	report.dest = dir
	if _, err := b.daemon.run(ctx, report); err != nil {
		return 0, err
	}
	ms := int64(0)
	for _, name := range []string{"trace-run-report.json", "verify-run-report.json"} {
		run, err := readRunReport(dir + "/" + name)
		if err != nil {
			return 0, err
		}
		ms += run.StartMS + run.StopMS
		for _, p := range run.Probes {
			ms += p.MS
		}
	}
	return float64(ms) / 1000, nil
}

// size is the slim Flask image's.
func (b *bench) size(ctx context.Context) error {
	res, err := b.daemon.run(ctx, build{context: b.examples + "/flask", allow: true})
	if err != nil {
		return err
	}
	title("size of the Flask image", "slim MB", "fat MB", "mark")
	row("flask", float64(res.summary.KeptBytes)/1e6, float64(res.summary.TotalBytes)/1e6, 26)
	return nil
}

// cached is a rebuild in which nothing has changed.
func (b *bench) cached(ctx context.Context) error {
	title("cached rebuild in-process", "slim s", "stock s", "ratio", "mark")
	for _, example := range []string{"flask", "go"} {
		slim := build{context: b.examples + "/" + example, allow: true}
		stock := build{context: slim.context, stock: true}
		var slims, stocks []float64
		for range 4 * b.rounds {
			s, err := b.daemon.run(ctx, slim)
			if err != nil {
				return err
			}
			f, err := b.daemon.run(ctx, stock)
			if err != nil {
				return err
			}
			slims, stocks = append(slims, s.seconds), append(stocks, f.seconds)
		}
		row(example, median(slims), median(stocks), median(slims)/median(stocks), 1.15)
	}
	return nil
}

// start is how long programs take to start and end, traced and not.
func (b *bench) start(ctx context.Context) error {
	title("traced start, untraced = 1", "untraced s", "seccomp", "and fanotify", "mark")
	for _, app := range []struct{ name, dockerfile, cmd string }{
		{
			"python", "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends python3-flask\n",
			`"python3", "-c", "import flask, sqlite3, ssl, json, email"`,
		},
		{
			"node", "FROM node:18-bookworm-slim\n",
			`"npm", "--version"`,
		},
		{
			"java", "FROM debian:bookworm-slim\nRUN mkdir -p /usr/share/man/man1 && apt-get update && apt-get install -y --no-install-recommends default-jre-headless\n",
			`"java", "-Xshare:off", "-version"`,
		},
	} {
		dockerfile := app.dockerfile + "COPY timer /\n"
		untraced := build{context: b.timer, dockerfile: dockerfile + "ARG ROUND\nRUN --network=none [\"/timer\", " + app.cmd + "]\n", args: map[string]string{}, stock: true}
		traced := build{context: b.timer, dockerfile: dockerfile + "ENTRYPOINT []\nCMD [\"/timer\", " + app.cmd + "]\n", noCache: "slim"}
		both := traced
		both.allow = true
		var times [3][]float64
		for round := range b.rounds + 1 {
			untraced.args["ROUND"] = fmt.Sprint(time.Now().UnixNano(), round)
			for i, what := range []build{untraced, traced, both} {
				res, err := b.daemon.run(ctx, what)
				if err != nil {
					return fmt.Errorf("%s: %w", app.name, err)
				}
				if round > 0 { // the first one fills the page cache
					times[i] = append(times[i], res.timer)
				}
			}
		}
		base := median(times[0])
		row(app.name, base, median(times[1])/base, median(times[2])/base, 1.35)
	}
	return nil
}

func title(name string, columns ...string) {
	fmt.Printf("\n%-28s", name)
	for _, c := range columns {
		fmt.Printf("%14s", c)
	}
	fmt.Println()
}

func row(name string, values ...float64) {
	fmt.Printf("%-28s", name)
	for _, v := range values {
		fmt.Printf("%14.2f", v)
	}
	fmt.Println()
}

func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
