package program_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hunt runs the real program, gives it secrets that are easy to find again, and keeps everything it says.
type hunt struct {
	t       *testing.T
	rng     *rand.Rand
	dir     string
	under   []string // what the program is started by; nothing: directly
	url     string
	cookie  string
	cmd     *exec.Cmd
	log     string
	secrets map[string]string // by kind
	said    map[string][]byte // by place
}

// secret makes a new secret of a kind, with characters that each encoding writes in another way.
func (h *hunt) secret(kind string) string {
	s := fmt.Sprintf("cAn%08x\"<&>é/+ %%%016x", h.rng.Uint32(), h.rng.Uint64())
	h.secrets[kind] = s
	return s
}

// plain is a secret that may stand in an environment variable, a header or a key list.
func (h *hunt) plain(kind string) string {
	s := fmt.Sprintf("cAn%08x-%016x-%016x", h.rng.Uint32(), h.rng.Uint64(), h.rng.Uint64())
	h.secrets[kind] = s
	return s
}

// newHunt makes a place for the program to run in.
func newHunt(t *testing.T, seed uint64) *hunt {
	t.Helper()
	h := &hunt{t: t, rng: rand.New(rand.NewPCG(seed, 0)), dir: t.TempDir(), secrets: map[string]string{}, said: map[string][]byte{}}
	for dir := h.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) { // children have a user id of their own
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(h.stop)
	return h
}

func (h *hunt) studio(ctx context.Context, env []string, args ...string) *exec.Cmd {
	h.t.Helper()
	program, err := exec.LookPath("studio")
	if err != nil {
		h.t.Fatal(err)
	}
	line := slices.Concat(h.under, []string{program}, args)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir = h.dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "STUDIO_DATA_DIR=" + filepath.Join(h.dir, "data"), "STUDIO_ADDR=127.0.0.1:0", "STUDIO_API_ADDR=127.0.0.1:0",
		"STUDIO_MCP_ADDR=127.0.0.1:0", "STUDIO_SANDBOX=degraded", "STUDIO_LOG_LEVEL=debug",
	}, env...)
	return cmd
}

// start runs studio serve and returns the setup code it prints, if it does.
func (h *hunt) start(env ...string) (code string) {
	h.t.Helper()
	h.log = filepath.Join(h.t.TempDir(), "serve.log")
	log, err := os.Create(h.log)
	if err != nil {
		h.t.Fatal(err)
	}
	defer log.Close()
	h.cmd = h.studio(context.Background(), env, "serve")
	h.cmd.Stderr = log
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		b, _ := os.ReadFile(h.log)
		h.t.Fatalf("studio serve: %v\n%s", err, b)
	}
	_, h.url, _ = strings.Cut(strings.TrimSpace(first), " is at ")
	h.said["what serve prints"] = []byte(first)
	if lines.Buffered() > 0 {
		second, _ := lines.ReadString('\n')
		_, code, _ = strings.Cut(strings.TrimSpace(second), "#code=")
	}
	return code
}

func (h *hunt) stop() {
	h.t.Helper()
	if h.cmd == nil {
		return
	}
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(2*time.Minute, func() { _ = h.cmd.Process.Kill() })
	if err := h.cmd.Wait(); err != nil {
		h.t.Errorf("studio serve: %v", err)
	}
	timer.Stop()
	h.cmd = nil
	b, err := os.ReadFile(h.log)
	if err != nil {
		h.t.Error(err)
	}
	h.said["the log "+h.log] = b
}

// run is a command beside the studio; what it prints is kept.
func (h *hunt) run(env []string, in string, args ...string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := h.studio(ctx, env, args...)
	cmd.Stdin = strings.NewReader(in)
	out, err := cmd.CombinedOutput()
	h.said["what "+strings.Join(args, " ")+" prints"] = out
	if err != nil {
		h.t.Fatalf("studio %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// fields is a JSON object.
type fields map[string]any

func (f fields) text(name string) string { s, _ := f[name].(string); return s }

// call makes a request with the session and keeps the answer. shown are the fields whose values may be in this one answer: they are
// taken out of what is searched and returned.
func (h *hunt) call(status int, method, path string, body any, shown ...string) fields {
	h.t.Helper()
	got, answer := h.send(h.t.Context(), method, path, body, nil)
	if got != status {
		h.t.Fatalf("%s %s: got %d, want %d: %s", method, path, got, status, answer)
	}
	out := fields{}
	_ = json.Unmarshal(answer, &out) // not every answer is an object
	place := fmt.Sprintf("%s %s #%d", method, path, len(h.said))
	if len(shown) > 0 {
		rest := maps.Clone(out)
		for _, name := range shown {
			if out[name] == nil {
				h.t.Fatalf("%s %s: no %s in %s", method, path, name, answer)
			}
			delete(rest, name)
		}
		answer, _ = json.Marshal(rest)
	}
	h.said[place] = append(h.said[place], answer...)
	return out
}

func (h *hunt) send(ctx context.Context, method, path string, body any, header http.Header) (status int, answer []byte) {
	h.t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			h.t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(ctx, method, h.url+path, in)
	if err != nil {
		h.t.Fatal(err)
	}
	if header != nil {
		q.Header = header
	} else if h.cookie != "" {
		q.Header.Set("Cookie", h.cookie)
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{Timeout: 2 * time.Minute}
	res, err := client.Do(q)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	if err != nil && ctx.Err() == nil {
		h.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		h.cookie = c.Name + "=" + c.Value
		if parts := strings.Split(c.Value, "."); len(parts) == 3 {
			h.secrets[fmt.Sprintf("session token %d", len(h.said))], h.secrets["session mac"] = parts[1], parts[2]
		}
	}
	res.Header.Del("Set-Cookie") // the one place a session may be
	h.said[fmt.Sprintf("headers of %s %s #%d", method, path, len(h.said))] = fmt.Append(nil, res.Header)
	return res.StatusCode, answer
}

// stream reads an event stream for a moment.
func (h *hunt) stream(path string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	q.Header.Set("Cookie", h.cookie)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	time.AfterFunc(500*time.Millisecond, cancel) // the moment begins with the answer
	b, _ := io.ReadAll(res.Body)                 // what came until then
	h.said["stream "+path] = b
	h.said["headers of stream "+path] = fmt.Append(nil, res.Header)
}

// everything reads every address of the API that takes no more than the ids of what is there.
func (h *hunt) everything(ids map[string][]string) {
	h.t.Helper()
	b, err := os.ReadFile("docs/openapi.json")
	if err != nil {
		h.t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		h.t.Fatal(err)
	}
	read := 0
	for template, methods := range doc.Paths {
		if methods["get"] == nil || template == "/api/v1/events" || template == "/api/v1/deploy/logs" {
			continue
		}
		for _, path := range h.expand(template, ids) {
			_, answer := h.send(h.t.Context(), http.MethodGet, path, nil, nil)
			h.said["GET "+path] = answer
			read++
		}
	}
	if read < 40 {
		h.t.Errorf("only %d addresses were read", read)
	}
	h.stream("/api/v1/events")
	h.stream("/api/v1/deploy/logs?tail=2000")
}

func (h *hunt) expand(template string, ids map[string][]string) []string {
	kind := strings.Split(strings.TrimPrefix(template, "/api/v1/"), "/")[0]
	var out []string
	switch {
	case !strings.Contains(template, "{"):
		out = []string{template}
		for _, q := range []string{"?limit=100", "?limit=100&search=cAn"} {
			out = append(out, template+q)
		}
	case template == "/api/v1/history/{type}/{id}":
		for kind, all := range ids {
			for _, id := range all {
				out = append(out, "/api/v1/history/"+strings.ReplaceAll(strings.TrimSuffix(kind, "s"), "-", "_")+"/"+id)
			}
		}
	case strings.Contains(template, "{connection}"):
		for _, id := range ids["connections"] {
			out = append(out, strings.NewReplacer("{connection}", id, "{table}", "products").Replace(template))
		}
	case strings.Contains(template, "{number}"):
		out = append(out, strings.ReplaceAll(template, "{number}", "1"))
	case strings.Contains(template, "{id}"):
		for _, id := range ids[kind] {
			out = append(out, strings.ReplaceAll(template, "{id}", id))
		}
	}
	return out
}

// processes reads what /proc shows of the studio and of everything it started.
func (h *hunt) processes() {
	h.t.Helper()
	parents := map[int]int{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // gone
		}
		if f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])); len(f) > 1 {
			parents[pid], _ = strconv.Atoi(f[1])
		}
	}
	ours := 0
	for pid := range parents {
		up := pid
		for up > 1 && up != h.cmd.Process.Pid {
			up = parents[up]
		}
		if up != h.cmd.Process.Pid {
			continue
		}
		ours++
		for _, file := range []string{"cmdline", "environ"} {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
				continue // it has ended since
			}
			if err != nil && file == "cmdline" {
				h.t.Errorf("read %s of process %d: %v", file, pid, err)
			}
			h.said[fmt.Sprintf("%s of process %d", file, pid)] = b // environ: refused is as good as empty
		}
	}
	if ours < 2 {
		h.t.Errorf("%d processes: no child was looked at", ours)
	}
	if own := h.said[fmt.Sprintf("cmdline of process %d", h.cmd.Process.Pid)]; !bytes.Contains(own, []byte("serve")) {
		h.t.Errorf("the studio's own arguments are %q: nothing was really read", own)
	}
}

// files reads every file below the studio's directory. own are files whose purpose is to hold a secret.
func (h *hunt) files(own ...string) {
	h.t.Helper()
	n := 0
	err := filepath.WalkDir(h.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || slices.Contains(own, e.Name()) {
			return err
		}
		b, err := os.ReadFile(path)
		h.said["file "+path] = b
		n++
		return err
	})
	if err != nil || n < 3 {
		h.t.Fatalf("read %d files: %v", n, err)
	}
}

// spellings are the forms a secret may stand in.
func spellings(s string) map[string][]string {
	quoted, _ := json.Marshal(s)
	var bare bytes.Buffer
	e := json.NewEncoder(&bare)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	out := map[string][]string{
		"plain": {s}, "hex": {hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s)))},
		"url":  {url.QueryEscape(s), url.PathEscape(s)},
		"json": {string(quoted[1 : len(quoted)-1]), strings.TrimSuffix(strings.TrimSpace(bare.String()), `"`)[1:], strconv.Quote(s)[1 : len(strconv.Quote(s))-1]},
	}
	for skip := range 3 { // inside a longer text it has one of three alignments
		if whole := (len(s) - skip) / 3 * 3; whole > 9 {
			part := []byte(s[skip : skip+whole])
			out["base64"] = append(out["base64"], base64.StdEncoding.EncodeToString(part), base64.URLEncoding.EncodeToString(part))
		}
	}
	return out
}

// search reports every place that holds a secret in any form, without showing it.
func (h *hunt) search() {
	h.t.Helper()
	bytesRead := 0
	for kind, s := range h.secrets {
		if len(s) < 12 {
			h.t.Fatalf("the secret %s is too short to search for", kind)
		}
		for form, needles := range spellings(s) {
			for place, content := range h.said {
				for _, needle := range needles {
					if i := bytes.Index(content, []byte(needle)); i >= 0 {
						h.t.Errorf("%s holds the secret %q (%s): …%s", place, kind, form, bytes.ToValidUTF8(content[max(0, i-60):i], []byte("?")))
					}
				}
			}
		}
	}
	for _, content := range h.said {
		bytesRead += len(content)
	}
	h.t.Logf("%d kinds of secrets, %d forms, %d places, %d bytes: searched", len(h.secrets), len(spellings("0123456789abcdef")), len(h.said), bytesRead)
}
