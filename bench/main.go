// Command bench measures what a call through the studio costs, next to what it could cost and to what others cost.
//
//	e2e/with-postgres go run ./bench [-seconds 3] [-rounds 3] [-clients 1,16,64] [-write docs/performance.md]
//
// It starts the built binary as an admin would (full sandbox, bearer auth, call log, one read-only PostgreSQL
// connection), a baseline that does the same job in one process with net/http and pgx and nothing else, and, when it is
// installed below bench/toolbox, MCP Toolbox for Databases, the strongest peer. All serve the same statement on the same
// PostgreSQL and are loaded in turn, round by round, because a machine drifts: figures compare within one run only, and a
// ratio is the median of the rounds' own ratios.
//
// It promises that every answer is checked: its id, and each value of its row against what the arguments ask for. A run
// with one wrong answer prints no figures and fails.
//
// Its hole: load generator, servers and database share one machine, so calls per second say less than CPU per call.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// plan is what one run does.
type plan struct {
	studio  string // path of the binary
	toolbox string // path of the peer's binary; empty: not there
	dsn     string // of a PostgreSQL superuser
	sandbox string // STUDIO_SANDBOX
	clients []int
	rounds  int
	warm    time.Duration
	measure time.Duration
	lists   []int // numbers of tools
	repeat  int   // of starts, deploys and restarts
	write   string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "baseline" { // started by the run itself
		if err := baseline(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "baseline:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p, err := parse(os.Args[1:], os.Getenv)
	if err == nil {
		err = run(ctx, p, os.Stdout)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string, getenv func(string) string) (plan, error) {
	var p plan
	var clients, lists string
	var seconds, warm float64
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&p.studio, "studio", "./studio", "the built binary")
	f.StringVar(&p.toolbox, "toolbox", "", "binary of MCP Toolbox; found below bench/toolbox when left out, off: without it")
	f.StringVar(&p.sandbox, "sandbox", "enforce", "STUDIO_SANDBOX of the studio")
	f.StringVar(&clients, "clients", "1,16,64", "numbers of clients")
	f.StringVar(&lists, "lists", "10,100,1000", "numbers of tools for tools/list")
	f.IntVar(&p.rounds, "rounds", 3, "rounds; the figures are their medians")
	f.IntVar(&p.repeat, "repeat", 7, "restarts and deploys; the figures are their medians")
	f.Float64Var(&seconds, "seconds", 3, "seconds each server is measured for in a round")
	f.Float64Var(&warm, "warm", 0.7, "seconds of load before them")
	f.StringVar(&p.write, "write", "", "a Markdown file whose part between the marks is replaced by the tables")
	if err := f.Parse(args); err != nil {
		return p, err
	}
	p.dsn = getenv("STUDIO_TEST_POSTGRES")
	p.measure, p.warm = time.Duration(seconds*float64(time.Second)), time.Duration(warm*float64(time.Second))
	var err, err2 error
	p.clients, err = numbers(clients)
	p.lists, err2 = numbers(lists)
	switch {
	case errors.Join(err, err2) != nil:
		return p, errors.Join(err, err2)
	case f.NArg() > 0:
		return p, fmt.Errorf("what is %q?", f.Arg(0))
	case p.dsn == "":
		return p, errors.New("STUDIO_TEST_POSTGRES is not set: run through e2e/with-postgres, or make bench")
	case p.rounds < 1 || p.repeat < 1 || p.measure <= 0:
		return p, errors.New("rounds, repeat and seconds must be more than none")
	}
	if p.toolbox == "" {
		p.toolbox = installedToolbox()
	} else if p.toolbox == "off" {
		p.toolbox = ""
	}
	return p, nil
}

// numbers reads "1,16,64", in ascending order.
func numbers(list string) ([]int, error) {
	var out []int
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 || n > 10_000 {
			return nil, fmt.Errorf("%q is not a list of numbers from 1 to 10,000", list)
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return out, nil
}
