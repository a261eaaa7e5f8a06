package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// median is the middle one; of an even number the lower of the two.
func median[T cmp.Ordered](all []T) T {
	all = slices.Sorted(slices.Values(all))
	return all[(len(all)-1)/2]
}

func medianOf[T cmp.Ordered](samples []sample, f func(sample) T) T {
	all := make([]T, len(samples))
	for i, s := range samples {
		all[i] = f(s)
	}
	return median(all)
}

// ratio is the median of the rounds' own ratios, in which a drift of the machine cancels out.
func ratio(a, b []sample, f func(sample) float64) string {
	if len(a) == 0 || len(a) != len(b) {
		return "–"
	}
	all := make([]float64, len(a))
	for i := range a {
		all[i] = f(a[i]) / f(b[i])
	}
	return fmt.Sprintf("%.2f", median(all))
}

func perSec(s sample) float64 { return s.perSec }
func cpu(s sample) float64    { return s.total().Seconds() }

func micros(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }
func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
func mebi(n int) string             { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// markdown is the report.
func (m *measured) markdown(p *plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Medians of %d rounds of %v; every answer checked; sandbox %s.\n", p.rounds, p.measure, m.level)
	for _, clients := range p.clients {
		m.callTable(&b, clients)
	}
	m.listTable(&b)
	f := &m.start
	fmt.Fprintf(&b, "\n| the studio | |\n|---|---|\n")
	fmt.Fprintf(&b, "| new child process to its first answer | %s |\n", millis(median(f.spawn)))
	fmt.Fprintf(&b, "| child killed to the next answer | %s |\n", millis(median(f.kill)))
	fmt.Fprintf(&b, "| deploy to the first call of a new tool, a new session with the database included | %s |\n", millis(median(f.deploys)))
	fmt.Fprintf(&b, "| resident memory when idle | %s |\n", f.idle)
	fmt.Fprintf(&b, "| resident memory after the load | %s |\n", f.loaded)
	fmt.Fprintf(&b, "| binary | %s |\n", mebi(f.binary))
	return b.String()
}

func (m *measured) callTable(b *strings.Builder, clients int) {
	word := "clients"
	if clients == 1 {
		word = "client"
	}
	fmt.Fprintf(b, "\n| %d %s | calls/s | × Toolbox | × baseline | p50 | p99 | CPU per call | × baseline | parent + child | PostgreSQL |\n|---|---|---|---|---|---|---|---|---|---|\n", clients, word)
	for _, v := range m.variants {
		all := m.calls[clients]
		own, base, peer := all[v], all[m.find("baseline", v.era)], all[m.find("MCP Toolbox", legacyEra)]
		var parts []string
		for i := range v.pids {
			parts = append(parts, fmt.Sprint(medianOf(own, func(s sample) time.Duration { return s.cpu[i] }).Microseconds()))
		}
		fmt.Fprintf(b, "| %s | %.0f | %s | %s | %s | %s | %s | %s | %s | %s |\n", v, medianOf(own, perSec), ratio(own, peer, perSec), ratio(own, base, perSec),
			millis(medianOf(own, func(s sample) time.Duration { return s.p50 })), millis(medianOf(own, func(s sample) time.Duration { return s.p99 })),
			micros(medianOf(own, sample.total)), ratio(own, base, cpu), strings.Join(parts, " + "), micros(medianOf(own, func(s sample) time.Duration { return s.database })))
	}
}

// find is the variant of a server in an era; one that nothing was measured of if there is none.
func (m *measured) find(name string, e era) variant {
	for _, v := range m.variants {
		if v.name == name && v.era == e {
			return v
		}
	}
	return variant{}
}

func (m *measured) listTable(b *strings.Builder) {
	fmt.Fprintf(b, "\n| tools/list, %d clients | tools | answers/s | answers for a list | lists/s | p50 | p99 | CPU per answer |\n|---|---|---|---|---|---|---|---|\n", listClients)
	for _, f := range m.lists {
		for _, s := range f.servers {
			own := f.samples[s]
			fmt.Fprintf(b, "| %s | %d | %.0f | %d | %.0f | %s | %s | %s |\n", s.name, f.tools, medianOf(own, perSec), f.pages[s], medianOf(own, perSec)/float64(f.pages[s]),
				millis(medianOf(own, func(s sample) time.Duration { return s.p50 })), millis(medianOf(own, func(s sample) time.Duration { return s.p99 })), micros(medianOf(own, sample.total)))
		}
	}
}

// The marks between which write puts the report.
const (
	beginMark = "<!-- figures: written by make bench -->\n"
	endMark   = "<!-- end of figures -->\n"
)

// write replaces what stands between the marks of a file.
func write(path, report string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(beginMark))
	_, after, ok2 := bytes.Cut(rest, []byte(endMark))
	if !ok || !ok2 {
		return fmt.Errorf("%s lacks the marks %s and %s", path, strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	return os.WriteFile(path, slices.Concat(before, []byte(beginMark+"\n"+report+"\n"+endMark), after), 0o644)
}
