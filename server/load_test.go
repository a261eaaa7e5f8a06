package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

// verify reports whether the long form of a test was asked for.
func verify() bool { return os.Getenv("STUDIO_VERIFY") == "1" }

// reign is the time in which one revision was live: from before it could be until after it had been replaced for sure.
type reign struct {
	marker   int
	from, to time.Time
}

// answered is one call of a client.
type answered struct {
	begin, end time.Time
	marker     int
	problem    string
}

// TestDeployLoad deploys and goes back under load through the real front: no call fails, and no answer comes from a revision that was
// not live during the call (case 241). With STUDIO_VERIFY=1 it is 50 and 50, at 200 calls a second at least (make deployload).
func TestDeployLoad(t *testing.T) {
	needChild(t)
	each := 3
	if verify() {
		each = 50
	}
	r := start(t, dataDir(t))
	r.setUp()
	d := newDeployer(r)
	minted := r.api(http.MethodPost, "/mcp-tokens", map[string]any{"name": "load"}, http.StatusCreated)
	ctx, stop := context.WithCancel(t.Context())
	const clients, aim = 16, 260 // calls a second, somewhat above what is promised
	calls := make([][]answered, clients)
	var all sync.WaitGroup
	began := time.Now()
	for c := range clients {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			tick := time.NewTicker(time.Second * clients / aim)
			defer tick.Stop()
			for n := c * 1_000_000; ctx.Err() == nil; n++ {
				calls[c] = append(calls[c], echo(client, r.base+"/mcp", fmt.Sprint(minted["token"]), n))
				<-tick.C
			}
		})
	}
	var took []time.Duration
	for range each {
		took = append(took, d.deploy())
		took = append(took, d.back())
	}
	time.Sleep(100 * time.Millisecond)
	stop()
	all.Wait()
	elapsed := time.Since(began)
	judge(t, d.reigns, slices.Concat(calls...), took, elapsed)
}

// judge prints the figures and fails on a call that failed or that a revision answered which was not live.
func judge(t *testing.T, reigns []reign, calls []answered, deploys []time.Duration, elapsed time.Duration) {
	t.Helper()
	failed, stale := 0, 0
	var latency []time.Duration
	for _, c := range calls {
		latency = append(latency, c.end.Sub(c.begin))
		live := slices.ContainsFunc(reigns, func(x reign) bool { return x.marker == c.marker && !x.from.After(c.end) && !x.to.Before(c.begin) })
		switch {
		case c.problem != "":
			failed++
			if failed <= 10 {
				t.Logf("a call failed %s after the begin of the load: %s", c.begin.Sub(reigns[0].from).Round(time.Millisecond), c.problem)
			}
		case !live:
			stale++
			t.Logf("revision with marker %d answered a call from %s to %s and was not live", c.marker, c.begin, c.end)
		}
	}
	slices.Sort(latency)
	slices.Sort(deploys)
	rate := float64(len(calls)) / elapsed.Seconds()
	t.Logf("%d deploys and roll-backs in %s: %s each in the middle, %s at most", len(deploys), elapsed.Round(time.Millisecond), middle(deploys), deploys[len(deploys)-1].Round(time.Millisecond))
	t.Logf("%d calls, %.0f a second: %d failed, %d answered by a revision that was not live; %s in the middle, p99 %s, %s at most", len(calls), rate, failed, stale,
		middle(latency), latency[len(latency)*99/100].Round(10*time.Microsecond), latency[len(latency)-1].Round(time.Millisecond))
	if failed > 0 || stale > 0 {
		t.Error("a deploy cost clients something")
	}
	if verify() && rate < 200 {
		t.Errorf("%.0f calls a second: too few for this to prove anything; run it on a machine with less to do", rate)
	}
}

func middle(sorted []time.Duration) time.Duration {
	return sorted[len(sorted)/2].Round(10 * time.Microsecond)
}

// echo makes one call and checks that the answer is its own.
func echo(client *http.Client, url, token string, n int) answered {
	a := answered{begin: time.Now()}
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"echo","arguments":{"n":%d}}}`, n, n)
	q, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		a.problem = err.Error()
		return a
	}
	for k, v := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Authorization": "Bearer " + token, "MCP-Protocol-Version": "2025-06-18"} {
		q.Header.Set(k, v)
	}
	res, err := client.Do(q)
	if err != nil {
		a.end, a.problem = time.Now(), err.Error()
		return a
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	a.end = time.Now()
	var answer struct {
		ID     int
		Result struct {
			StructuredContent struct {
				Rows []struct{ N, Marker int }
			}
		}
	}
	rows := func() []struct{ N, Marker int } { return answer.Result.StructuredContent.Rows }
	switch {
	case err != nil:
		a.problem = err.Error()
	case res.StatusCode != http.StatusOK:
		a.problem = fmt.Sprintf("%d %s", res.StatusCode, raw)
	case json.Unmarshal(raw, &answer) != nil || answer.ID != n || len(rows()) != 1 || rows()[0].N != n:
		a.problem = fmt.Sprintf("asked %d, got %s", n, raw)
	default:
		a.marker = rows()[0].Marker
	}
	return a
}

// deployer changes a tool, deploys it, and goes back to earlier revisions. Each answer of the tool shows which text of it is live.
type deployer struct {
	r       *running
	tool    map[string]any
	reigns  []reign
	markers map[int]int // by revision
	last    int         // marker of the newest text
	live    int         // revision
}

// newDeployer deploys the first text.
func newDeployer(r *running) *deployer {
	r.t.Helper()
	sample := r.api(http.MethodPost, "/sample", map[string]any{"deploy": false}, http.StatusCreated)
	d := &deployer{r: r, markers: map[int]int{}}
	d.tool = r.api(http.MethodPost, "/tools", map[string]any{
		"connection_id": sample["connection_id"], "name": "echo", "description": "Answers with what it is asked.", "sql_query": d.text(0),
		"parameters": []map[string]any{{"name": "n", "param_type": "integer", "description": "", "is_required": true, "sort_order": 0}},
	}, http.StatusCreated)
	d.run("/deploy", 0)
	return d
}

func (d *deployer) text(marker int) string {
	return fmt.Sprintf("SELECT :n AS n, %d AS marker", marker)
}

func (d *deployer) deploy() time.Duration {
	d.last++
	d.tool = d.r.api(http.MethodPatch, "/tools/"+fmt.Sprint(d.tool["id"]), map[string]any{"version": d.tool["version"], "sql_query": d.text(d.last)}, http.StatusOK)
	return d.run("/deploy", d.last)
}

// back activates the revision before the live one.
func (d *deployer) back() time.Duration {
	return d.run(fmt.Sprintf("/deploy/revisions/%d/activate", d.live-1), d.markers[d.live-1])
}

// run deploys and waits until the new revision is live.
func (d *deployer) run(path string, marker int) time.Duration {
	d.r.t.Helper()
	began := time.Now()
	d.reigns = append(d.reigns, reign{marker: marker, from: began, to: began.Add(24 * time.Hour)})
	body := map[string]any{}
	if path == "/deploy" {
		body["accept_warnings"] = true
	}
	started := d.r.api(http.MethodPost, path, body, http.StatusAccepted)
	status := d.r.waitFor("running")
	if status["revision"] != started["revision"] {
		d.r.t.Fatalf("revision %v was to be live: %v", started["revision"], status)
	}
	now := time.Now()
	if n := len(d.reigns); n > 1 {
		d.reigns[n-2].to = now
	}
	revision, _ := started["revision"].(float64)
	d.live = int(revision)
	d.markers[d.live] = marker
	return now.Sub(began)
}
