package program_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// long skips what takes too long for every run of the tests.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("STUDIO_ATTACK") == "" && os.Getenv("STUDIO_VERIFY") == "" {
		t.Skip("takes long: run through make attack or make verify")
	}
}

// alone runs what follows it in a network of its own, without a way out of it.
func alone(t *testing.T) []string {
	t.Helper()
	under := []string{"unshare", "--net"}
	if os.Getuid() != 0 {
		under = append(under, "--map-root-user")
	}
	if b, err := exec.Command(under[0], append(under[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("this machine allows no network namespace: %v %s", err, b)
	}
	return append(under, "--")
}

// table reads /proc/PID/net/NAME: the fields of each line after the first.
func table(t *testing.T, pid int, name string) [][]string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		out = append(out, strings.Fields(line))
	}
	return out
}

// tried is how many packets a process's network could not send, because they had no way to go, or did.
func tried(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/snmp", pid))
	if err != nil {
		t.Fatal(err)
	}
	six, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/snmp6", pid))
	if err != nil {
		six = nil // a machine without IPv6
	}
	n, found := 0, 0
	add := func(name, value string) {
		if slices.Contains([]string{"IpOutNoRoutes", "Ip6OutNoRoutes", "TcpActiveOpens", "UdpOutDatagrams", "Udp6OutDatagrams"}, name) {
			v, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			n, found = n+v, found+1
		}
	}
	lines := strings.Split(string(b), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		for k := 1; k < len(names); k++ {
			add(strings.TrimSuffix(names[0], ":")+names[k], values[k])
		}
	}
	for _, line := range strings.Split(string(six), "\n") {
		if f := strings.Fields(line); len(f) == 2 {
			add(f[0], f[1])
		}
	}
	if found < 3 {
		t.Fatalf("only %d counters were found in %s", found, b)
	}
	return n
}

// TestDefaultListeners starts the program with no setting but its directory: it listens on the addresses that are documented, on
// loopback, and on nothing else; and it asks nobody for anything, by TCP, UDP or DNS. cases 226, 252
func TestDefaultListeners(t *testing.T) {
	h := newHunt(t, 1)
	h.under = alone(t)
	cmd := h.studio(t.Context(), nil, "serve")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "STUDIO_DATA_DIR=" + filepath.Join(h.dir, "data"), "STUDIO_SANDBOX=degraded"}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	defer stop()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		stop()
		t.Fatalf("%v: %s", err, log.String())
	}
	time.Sleep(3 * time.Second) // what happens in the background after a start
	pid := cmd.Process.Pid
	if n := tried(t, pid); n != 0 {
		t.Errorf("the studio tried to reach somebody %d times", n)
	}
	docs, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range regexp.MustCompile("(?m)^\\| `STUDIO_(?:API_|MCP_)?ADDR` \\| `127\\.0\\.0\\.1:(\\d+)`").FindAllStringSubmatch(string(docs), -1) {
		port, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("0100007F:%04X 0A", port)) // loopback, in the kernel's order of bytes; listening
	}
	if len(want) != 3 {
		t.Fatalf("docs/configuration.md names %d listeners", len(want))
	}
	var got []string
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6"} {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d/net/%s", pid, name)); err != nil {
			continue // a machine without IPv6
		}
		for _, f := range table(t, pid, name) {
			got = append(got, f[1]+" "+f[3])
		}
	}
	for _, f := range table(t, pid, "unix") {
		if len(f) > 3 && f[3] == "00010000" { // it accepts connections
			got = append(got, "unix "+strings.Join(f, " "))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("open are %q, want %q", got, want)
	}
	before := tried(t, pid) // the counters count: somebody who does ask is seen
	_ = exec.Command("nsenter", "--target", fmt.Sprint(pid), "--net", "bash", "-c", "echo > /dev/tcp/192.0.2.1/80").Run()
	if os.Getuid() == 0 && tried(t, pid) == before {
		t.Error("the counters do not count: this test proves nothing")
	}
}

// descendants are the processes that a process has started, at any depth.
func descendants(t *testing.T, root int) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	children := map[int][]int{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // it has ended
		}
		if f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])); len(f) > 1 {
			parent, _ := strconv.Atoi(f[1])
			children[parent] = append(children[parent], pid)
		}
	}
	out := slices.Clone(children[root])
	for i := 0; i < len(out); i++ {
		out = append(out, children[out[i]]...)
	}
	return out
}

// memoryHolds searches the writable memory of a process.
func memoryHolds(t *testing.T, pid int, needles map[string][]byte) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return found // it has ended
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Skipf("the memory of a child cannot be read here: %v", err)
	}
	defer mem.Close()
	const step, overlap = 1 << 20, 256
	b := make([]byte, step+overlap)
	for _, line := range strings.Split(string(maps), "\n") {
		var from, to uint64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n != 3 || !strings.HasPrefix(mode, "rw") {
			continue
		}
		for at := from; at < to; at += step {
			n, _ := mem.ReadAt(b[:min(uint64(len(b)), to-at)], int64(at)) // a page that cannot be read holds nothing for anybody
			for name, needle := range needles {
				found[name] = found[name] || bytes.Contains(b[:n], needle)
			}
		}
	}
	return found
}

// TestWhoKnowsThePassword looks into the memory of every process beside the studio itself: a child knows the password of its own
// connections, no other, and no key; the process that starts children knows none. (It is the child that speaks TLS with the database;
// the studio passes it a socket. docs/security.md says so.) case 236
func TestWhoKnowsThePassword(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may look into the memory of a child: run as root to cover case 236")
	}
	h := newHunt(t, 236)
	code := h.start()
	h.call(201, "POST", "/api/v1/auth/setup", fields{"username": "ada", "password": h.plain("admin"), "setup_code": code})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close() // nobody answers there
	ids := map[string]string{}
	for _, name := range []string{"first", "second"} {
		ids[name] = h.call(201, "POST", "/api/v1/connections", fields{"name": name, "db_type": "postgresql", "host": "127.0.0.1", "port": port, "database": "d", "username": "u", "ssl_mode": "disable", "password": h.plain(name)}).text("id")
		h.call(200, "POST", "/api/v1/connections/"+ids[name]+"/test", nil) // a workbench of its own
	}
	h.call(201, "POST", "/api/v1/tools", fields{"name": "ask", "description": "asks", "connection_id": ids["first"], "sql_query": "SELECT 1 AS x"})
	h.call(202, "POST", "/api/v1/deploy", fields{"accept_warnings": true})
	for began := time.Now(); h.call(200, "GET", "/api/v1/deploy/status", nil).text("status") != "running"; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("nothing runs")
		}
	}
	key, err := os.ReadFile(filepath.Join(h.dir, "data", "encryption.key"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(key)))
	if err != nil {
		t.Fatal(err)
	}
	signing, err := os.ReadFile(filepath.Join(h.dir, "data", "session.key"))
	if err != nil {
		t.Fatal(err)
	}
	_, cookie, _ := strings.Cut(h.cookie, "=")
	needles := map[string][]byte{
		"first": []byte(h.secrets["first"]), "second": []byte(h.secrets["second"]), "admin": []byte(h.secrets["admin"]), "key": raw, "key file": bytes.TrimSpace(key),
		"session key": bytes.TrimSpace(signing), "cookie": []byte(cookie),
	}
	own := memoryHolds(t, h.cmd.Process.Pid, needles)
	if !own["key"] && !own["session key"] {
		t.Error("not even the studio's own memory holds its keys: the search proves nothing")
	}
	knows := map[string]int{}
	for _, pid := range descendants(t, h.cmd.Process.Pid) {
		var held []string
		for name, yes := range memoryHolds(t, pid, needles) {
			if yes {
				held = append(held, name)
			}
		}
		slices.Sort(held)
		knows[strings.Join(held, " and ")]++
	}
	t.Logf("processes by what they know: %v", knows)
	if knows["first"] != 2 || knows["second"] != 1 { // workbench and live child; workbench
		t.Errorf("two processes should know the first password and one the second: %v", knows)
	}
	delete(knows, "first")
	delete(knows, "second")
	delete(knows, "") // the starter of children, and what holds no secret
	if len(knows) != 0 {
		t.Errorf("somebody knows more: %v", knows)
	}
}

// crowd is a running studio with tools on the sample's database and a token for them.
func crowd(t *testing.T, seed uint64) (h *hunt, token, connection string) {
	t.Helper()
	h = newHunt(t, seed)
	code := h.start()
	h.call(201, "POST", "/api/v1/auth/setup", fields{"username": "ada", "password": "correct horse battery 9", "setup_code": code})
	connection = h.call(201, "POST", "/api/v1/sample", fields{"deploy": false}).text("connection_id")
	c := h.call(200, "GET", "/api/v1/connections/"+connection, nil)
	h.call(200, "PATCH", "/api/v1/connections/"+connection, fields{"version": c["version"], "max_concurrent_queries": 8, "queue_timeout_seconds": 60, "statement_timeout_seconds": 60})
	token = h.call(201, "POST", "/api/v1/mcp-tokens", fields{"name": "client"}).text("token")
	return h, token, connection
}

// live deploys and waits.
func (h *hunt) live() {
	h.t.Helper()
	h.call(202, "POST", "/api/v1/deploy", fields{"accept_warnings": true})
	for began := time.Now(); h.call(200, "GET", "/api/v1/deploy/status", nil).text("status") != "running"; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 60*time.Second {
			h.t.Fatal("nothing runs")
		}
	}
}

// calls starts n calls of a tool at once and returns when all are sent. results gets what each got.
func (h *hunt) calls(n int, token, tool string, results chan<- string) {
	h.t.Helper()
	var sent sync.WaitGroup
	sent.Add(n)
	client := &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: n}}
	for i := range n {
		go func() {
			var once sync.Once
			wrote := func() { once.Do(sent.Done) }
			defer wrote()
			body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":{}}}`, i, tool)
			q, err := http.NewRequest(http.MethodPost, h.url+"/mcp", strings.NewReader(body))
			if err != nil {
				results <- err.Error()
				return
			}
			q = q.WithContext(httptrace.WithClientTrace(q.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { wrote() }}))
			for k, v := range map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream"} {
				q.Header.Set(k, v)
			}
			res, err := client.Do(q)
			if err != nil {
				results <- err.Error()
				return
			}
			b, err := io.ReadAll(res.Body)
			res.Body.Close()
			results <- fmt.Sprintf("%d %s %v", res.StatusCode, b, err)
		}()
	}
	sent.Wait()
}

// TestEndUnderLoad: SIGTERM while a hundred calls run or wait for their turn: every one gets its whole answer, and the exit code is 0;
// a second SIGTERM does not wait; what was acknowledged is there after both. case 246
func TestEndUnderLoad(t *testing.T) {
	long(t) // a signal, and a second one, are in server/testdata/script/signals.txtar too
	h, token, connection := crowd(t, 246)
	const work = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d) SELECT count(*) AS n FROM n"
	h.call(200, "POST", "/api/v1/preview/execute", fields{"connection_id": connection, "sql_query": fmt.Sprintf(work, 1000)}) // starts the workbench
	began := time.Now()
	h.call(200, "POST", "/api/v1/preview/execute", fields{"connection_id": connection, "sql_query": fmt.Sprintf(work, 200_000)})
	rows := int(200_000 * int64(100*time.Millisecond) / int64(time.Since(began))) // so that a call takes a tenth of a second on this machine
	for name, rows := range map[string]int{"work": rows, "spin": 2_000_000_000} {
		h.call(201, "POST", "/api/v1/tools", fields{"name": name, "description": "works", "connection_id": connection, "sql_query": fmt.Sprintf(work, rows)})
	}
	h.live()
	const n = 100
	results := make(chan string, n)
	h.calls(n, token, "work", results)
	time.Sleep(time.Second) // what still waits in the kernel to be read is no call that runs
	before := len(results)
	pid := h.cmd.Process.Pid
	h.stop() // fails the test when the exit code is not 0
	answered := 0
	for range n {
		if got := <-results; strings.HasPrefix(got, "200 ") && strings.Contains(got, fmt.Sprint(rows)) {
			answered++
		} else {
			t.Errorf("a call that ran got %.300s", got)
		}
	}
	t.Logf("%d of %d calls were answered, %d of them before the signal", answered, n, before)
	if before > n*4/5 {
		t.Errorf("%d calls had ended before the signal: nothing was drained", before)
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
		t.Error("the studio is still there")
	}

	h.start()
	for began := time.Now(); h.call(200, "GET", "/api/v1/deploy/status", nil).text("status") != "running" && time.Since(began) < time.Minute; time.Sleep(50 * time.Millisecond) {
	}
	h.call(201, "POST", "/api/v1/prompts", fields{"name": "acknowledged", "description": "d", "template": "t"})
	h.calls(8, token, "spin", results)
	children := descendants(t, h.cmd.Process.Pid)
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for began = time.Now(); time.Since(began) < time.Minute; time.Sleep(10 * time.Millisecond) { // or the kernel makes one of the two
		if log, _ := os.ReadFile(h.log); bytes.Contains(log, []byte("the studio ends")) {
			break
		}
	}
	began = time.Now()
	ended := make(chan struct{})
	defer close(ended)
	go func(p *os.Process) { // the next signal ends it, once the first one's handler is gone
		for p.Signal(syscall.SIGTERM) == nil {
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ended:
				return
			}
		}
	}(h.cmd.Process)
	if err := h.cmd.Wait(); err == nil || time.Since(began) > 20*time.Second {
		t.Errorf("the second signal did not end it at once: %v after %s", err, time.Since(began))
	}
	h.cmd = nil
	for range 8 {
		<-results
	}
	for _, child := range children {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child)); err != nil || bytes.Contains(b, []byte(") Z ")) {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("process %d outlived the studio", child)
				break
			}
		}
	}
	h.start()
	if items, _ := h.call(200, "GET", "/api/v1/prompts?search=acknowledged", nil)["items"].([]any); len(items) != 1 {
		t.Errorf("%d prompts, want the one that was acknowledged", len(items))
	}
}

// footprint is what the studio and its children hold.
func (h *hunt) footprint() (memory, descriptors, threads, processes int) {
	h.t.Helper()
	for _, pid := range append(descendants(h.t, h.cmd.Process.Pid), h.cmd.Process.Pid) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue // it has ended
		}
		processes++
		for _, line := range strings.Split(string(status), "\n") {
			f := strings.Fields(line)
			if len(f) < 2 {
				continue
			}
			n, _ := strconv.Atoi(f[1])
			switch f[0] {
			case "VmRSS:":
				memory += n
			case "Threads:":
				threads += n
			}
		}
		fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)) // another user's are root's to see
		descriptors += len(fds)
	}
	return memory, descriptors, threads, processes
}

// TestIdleFootprint is a sample of case 248: fifty tools over ten connections, each used, then nobody calls: what the processes hold
// is bounded and does not grow.
func TestIdleFootprint(t *testing.T) {
	long(t)
	h, token, first := crowd(t, 248)
	connections := []string{first}
	file := h.call(200, "GET", "/api/v1/connections/"+first, nil).text("database")
	for i := range 9 {
		connections = append(connections, h.call(201, "POST", "/api/v1/connections", fields{"name": fmt.Sprint("c", i), "db_type": "sqlite", "database": file}).text("id"))
	}
	for i := range 50 {
		h.call(201, "POST", "/api/v1/tools", fields{"name": fmt.Sprint("t", i), "description": "counts", "connection_id": connections[i%10], "sql_query": "SELECT count(*) AS n FROM products"})
	}
	h.live()
	results := make(chan string, 1000)
	for i := range 50 {
		h.calls(4, token, fmt.Sprint("t", i), results)
	}
	for range 200 {
		if got := <-results; !strings.HasPrefix(got, "200 ") || !strings.Contains(got, `"n":`) && !strings.Contains(got, `\"n\":`) {
			t.Fatalf("a call got %.300s", got)
		}
	}
	time.Sleep(500 * time.Millisecond)
	memory, descriptors, threads, processes := h.footprint()
	time.Sleep(2 * time.Second)
	memory2, descriptors2, threads2, processes2 := h.footprint()
	t.Logf("idle: %d MiB, %d descriptors, %d threads in %d processes; then %d MiB, %d, %d, %d", memory>>10, descriptors, threads, processes, memory2>>10, descriptors2, threads2, processes2)
	if memory2 > memory+16<<10 || descriptors2 > descriptors+4 || threads2 > threads+4 || processes2 > processes {
		t.Error("what an idle studio holds grows")
	}
	if memory > 600<<10 || descriptors > 800 { // generous: a figure for every machine
		t.Errorf("an idle studio holds %d MiB and %d descriptors", memory>>10, descriptors)
	}
}

// TestPoorHosts starts the program where little is as it should be, and takes the first steps: it works, or says what is missing. case 250
func TestPoorHosts(t *testing.T) {
	for i, x := range []struct {
		name  string
		root  bool
		under []string
		env   []string
	}{
		{"64 descriptors", false, []string{"sh", "-c", `ulimit -n 64; exec "$@"`, "sh"}, nil},
		{"open umask, strange zone, no locale, no home", false, []string{"sh", "-c", `umask 000; exec "$@"`, "sh"}, []string{"TZ=Mars/Olympus_Mons", "LC_ALL=C", "HOME=", "LANG="}},
		{"closed umask", false, []string{"sh", "-c", `umask 077; exec "$@"`, "sh"}, []string{"TZ=Asia/Kathmandu", "HOME=/nonexistent"}},
		{"a user nobody knows", true, []string{"setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", "--"}, nil},
		{"a read-only root", true, []string{"unshare", "--mount", "--propagation", "private", "sh", "-c", `mount --bind "$DATA" "$DATA" && mount -o remount,ro,bind / && exec "$@"`, "sh"}, []string{"HOME=/"}},
		{"the first process", true, []string{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--"}, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			if x.root && os.Getuid() != 0 {
				t.Skip("needs root")
			}
			if i > 1 {
				long(t)
			}
			h := newHunt(t, 250)
			data := filepath.Join(h.dir, "data")
			if err := os.Mkdir(data, 0o700); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(x.name, "a user") {
				for _, dir := range []string{h.dir, data} {
					if err := os.Chown(dir, 54321, 54321); err != nil {
						t.Fatal(err)
					}
				}
				program, err := exec.LookPath("studio")
				if err != nil {
					t.Fatal(err)
				}
				for dir := filepath.Dir(program); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) { // the program must be reachable
					if err := os.Chmod(dir, 0o755); err != nil {
						t.Fatal(err)
					}
				}
			}
			h.under = x.under
			code := h.start(append(x.env, "DATA="+h.dir)...)
			if code == "" {
				t.Fatalf("no setup link: %s", h.said["what serve prints"])
			}
			h.call(201, "POST", "/api/v1/auth/setup", fields{"username": "ada", "password": "correct horse battery 9", "setup_code": code})
			h.call(201, "POST", "/api/v1/sample", fields{"deploy": false})
			status, answer := h.send(t.Context(), "POST", "/api/v1/deploy", fields{}, nil)
			for began := time.Now(); status == 202 && time.Since(began) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
				out := h.call(200, "GET", "/api/v1/deploy/status", nil)
				if status, answer = 202, fmt.Append(nil, out); out.text("status") == "running" {
					break
				}
				if out.text("status") == "error" && out.text("error") != "" {
					t.Logf("nothing can be deployed here, and it says why: %s", out.text("error"))
					break
				}
			}
			if status != 202 {
				t.Errorf("deploy: %d %s", status, answer)
			}
			h.call(200, "GET", "/api/health", nil)
			if list := h.call(200, "GET", "/api/v1/history", nil); !strings.Contains(fmt.Sprint(list["items"]), "Z") {
				t.Errorf("times are not in UTC: %v", list)
			}
			_ = filepath.Walk(data, func(path string, info os.FileInfo, err error) error {
				if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && !strings.Contains(path, "databases") {
					t.Errorf("%s has mode %o", path, info.Mode().Perm())
				}
				return nil
			})
			if x.under[0] == "unshare" && x.under[1] == "--pid" { // what is outside keeps the signal to itself
				for _, pid := range descendants(t, h.cmd.Process.Pid)[:1] {
					if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
						t.Fatal(err)
					}
				}
			}
			h.stop()
		})
	}
}

// TestSameBytes builds the program twice, in two directories, and compares; and the binary lists the modules it is made of, with their
// sums. With STUDIO_VERIFY the second build takes nothing from the first one's cache. case 251
func TestSameBytes(t *testing.T) {
	long(t)
	tree := func() string { // another build of the UI may end in between
		h := sha256.New()
		files, err := filepath.Glob("ui/dist/*/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, _ := os.ReadFile(f) // a directory
			fmt.Fprintln(h, f, len(b))
			h.Write(b)
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	var sums, sources []string
	var program string
	for i := range 2 {
		program = filepath.Join(t.TempDir(), "studio")
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", program, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "TMPDIR="+t.TempDir())
		if os.Getenv("STUDIO_VERIFY") != "" && i == 1 {
			cmd.Env = append(cmd.Env, "GOCACHE="+t.TempDir())
		}
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, b)
		}
		b, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		sums, sources = append(sums, hex.EncodeToString(sum[:])), append(sources, tree())
		if wd, err := os.Getwd(); err != nil || bytes.Contains(b, []byte(wd+"/")) {
			t.Errorf("the binary names the directory it was built in (%v)", err)
		}
	}
	if sums[0] != sums[1] && sources[0] == sources[1] {
		t.Errorf("two builds differ: %s", sums)
	}
	b, err := exec.Command("go", "version", "-m", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := 0
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != "dep" {
			continue
		}
		if modules++; len(f) != 4 || !strings.HasPrefix(f[3], "h1:") {
			t.Errorf("a module without a sum: %s", line)
		}
	}
	if modules < 20 {
		t.Errorf("the binary lists %d modules", modules)
	}
}
