package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/child/childtest"
	"mcpstudio/server/studio"
	"mcpstudio/store"
)

func (w *world) sandbox() mcpgen.SandboxState {
	w.t.Helper()
	return into[mcpgen.SandboxState](w.do(http.MethodGet, "/api/v1/server/sandbox", nil), http.StatusOK)
}

// TestChildLimits: what a child may use is a setting with bounds, takes effect with a deploy, and stays with the revision.
func TestChildLimits(t *testing.T) {
	needChild(t)
	w := newWorld(t).signIn()
	config := into[store.ServerConfig](w.do(http.MethodGet, "/api/v1/server/config", nil), http.StatusOK)
	if config.ChildMemoryMiB != 512 || config.ChildCPUs != 0 {
		t.Errorf("a fresh studio: %d MiB, %d processors", config.ChildMemoryMiB, config.ChildCPUs)
	}
	for _, x := range []struct{ body, field, says string }{
		{`{"child_memory_mib":63}`, "child_memory_mib", "64 to 16384"}, {`{"child_memory_mib":16385}`, "child_memory_mib", "64 to 16384"}, {`{"child_memory_mib":0}`, "child_memory_mib", "64 to 16384"},
		{`{"child_cpus":-1}`, "child_cpus", "0 to 1024"}, {`{"child_cpus":1025}`, "child_cpus", "0 to 1024"}, {`{"child_cpus":0.5}`, "child_cpus", "whole number"}, {`{"child_cpus":"2"}`, "child_cpus", ""},
	} {
		f := w.do(http.MethodPatch, "/api/v1/server/config", x.body).failure(http.StatusUnprocessableEntity, store.Invalid, x.field)
		if !strings.Contains(f.Fields[x.field], x.says) {
			t.Errorf("%s: %q does not say %q", x.body, f.Fields[x.field], x.says)
		}
	}
	into[studio.Sample](w.do(http.MethodPost, "/api/v1/sample", nil), http.StatusCreated)
	w.settled()
	if live := w.live(); live.Memory.LimitBytes != 512<<20 || live.CPU.Limit != 0 {
		t.Errorf("the first revision: %+v %+v", live.Memory, live.CPU)
	}
	into[store.ServerConfig](w.do(http.MethodPatch, "/api/v1/server/config", `{"child_memory_mib":256,"child_cpus":1}`), http.StatusOK)
	if live := w.live(); live.Memory.LimitBytes != 512<<20 {
		t.Errorf("the limit changed without a deploy: %+v", live.Memory)
	}
	d := into[studio.Diff](w.do(http.MethodGet, "/api/v1/deploy/diff", nil), http.StatusOK)
	if len(d.Changes) != 1 || d.Changes[0].EntityType != store.KindServerConfig || len(d.Changes[0].Fields) != 2 || !strings.Contains(fmt.Sprint(d.Changes[0].Sentences), "256 MiB of memory, 1 processor") {
		t.Errorf("the diff: %+v", d.Changes)
	}
	into[studio.Started](w.do(http.MethodPost, "/api/v1/deploy", nil), http.StatusAccepted)
	w.settled()
	if live := w.live(); live.Revision != 2 || live.Memory.LimitBytes != 256<<20 || live.CPU.Limit != 1 {
		t.Errorf("the second revision: %+v %+v", live.Memory, live.CPU)
	}
	into[studio.Started](w.do(http.MethodPost, "/api/v1/deploy/revisions/1/activate", nil), http.StatusAccepted)
	w.settled()
	if live := w.live(); live.Revision != 3 || live.Memory.LimitBytes != 512<<20 || live.CPU.Limit != 0 {
		t.Errorf("the first revision again: %+v %+v", live.Memory, live.CPU)
	}
}

// live is the live child; there must be one.
func (w *world) live() mcpgen.ChildState {
	w.t.Helper()
	for _, c := range w.sandbox().Children {
		if c.Role == mcpgen.RoleLive {
			return c
		}
	}
	w.t.Fatalf("no child is live: %+v", w.sandbox())
	return mcpgen.ChildState{}
}

// TestKillsAreHistory: a child that is killed for what it did is a history entry of the revision, or of the connection when it was a
// workbench, by the studio; the sandbox page shows it, and no configuration counts as changed (cases 229, 232, 237).
func TestKillsAreHistory(t *testing.T) {
	needChild(t)
	w := newWorld(t).signIn()
	if s := w.sandbox(); s.Probe == nil || len(s.Children) != 0 || s.Events == nil {
		t.Fatalf("with nothing deployed: %+v", s)
	}
	sample := into[studio.Sample](w.do(http.MethodPost, "/api/v1/sample", `{"deploy":false}`), http.StatusCreated)
	into[store.ServerConfig](w.do(http.MethodPatch, "/api/v1/server/config", `{"child_memory_mib":96}`), http.StatusOK)
	into[studio.Started](w.do(http.MethodPost, "/api/v1/deploy", nil), http.StatusAccepted)
	w.settled()
	for _, x := range []struct {
		turn      childtest.Turn
		operation string
	}{{childtest.ForbiddenCall, "kill_child_sigsys"}, {childtest.BrokerAbuse, "kill_child_broker_abuse"}, {childtest.MemoryBomb, "kill_child_memory"}} {
		w.turn(mcpgen.RoleLive, x.turn)
		w.killed(x.operation, store.KindRevision, "1", "revision 1")
		into[mcpgen.TestResult](w.do(http.MethodPost, "/api/v1/connections/"+sample.ConnectionID+"/test", nil), http.StatusOK)
		w.turn(mcpgen.RoleWorkbench, x.turn)
		w.killed(x.operation, store.KindConnection, sample.ConnectionID, w.connection(sample.ConnectionID).Name)
	}
	s := w.sandbox()
	if len(s.Events) != 6 || s.LastExit == nil || s.LastExit.Role != mcpgen.RoleWorkbench {
		t.Errorf("the sandbox page: %+v", s.Events)
	}
	health := into[studio.Healths](w.do(http.MethodGet, "/api/v1/connections/health", nil), http.StatusOK)
	if len(health.Items) != 1 || health.Items[0].Status != "ok" {
		t.Errorf("a kill made what is known of the connection unknown: %+v", health.Items)
	}
	if status := w.settled(); status.UndeployedChanges != 0 {
		t.Errorf("a kill counts as a change: %+v", status)
	}
}

func (w *world) connection(id string) *store.Connection {
	w.t.Helper()
	return into[*store.Connection](w.do(http.MethodGet, "/api/v1/connections/"+id, nil), http.StatusOK)
}

// turn makes the child of a role turn bad.
func (w *world) turn(role mcpgen.ChildRole, what childtest.Turn) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for _, c := range w.sandbox().Children {
			if c.Role == role {
				if err := syscall.Kill(c.PID, what.Signal()); err != nil {
					w.t.Fatal(err)
				}
				return
			}
		}
	}
	w.t.Fatalf("no child is %s", role)
}

// killed waits for the history entry of a kill.
func (w *world) killed(operation string, kind store.Kind, id, name string) {
	w.t.Helper()
	path := "/api/v1/history/" + string(kind) + "/" + id
	var last store.Change
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		page := into[store.Page[store.Change]](w.do(http.MethodGet, path, nil), http.StatusOK)
		if len(page.Items) == 0 || page.Items[0].Operation != operation {
			continue
		}
		last = page.Items[0]
		var e mcpgen.SecurityEvent
		if err := json.Unmarshal(last.After, &e); err != nil || "kill_child_"+string(e.Kind) != operation || e.PID == 0 || e.At.IsZero() {
			w.t.Errorf("the entry says %s: %v", last.After, err)
		}
		if last.Actor.Kind != "system" || last.EntityName != name || last.Before != nil && string(last.Before) != "null" {
			w.t.Errorf("the entry %+v", last)
		}
		return
	}
	w.t.Fatalf("%s has no entry %s: %+v", path, operation, last)
}

// TestLogsOfARevision: the log can be read by revision.
func TestLogsOfARevision(t *testing.T) {
	needChild(t)
	w := newWorld(t).signIn()
	into[studio.Sample](w.do(http.MethodPost, "/api/v1/sample", nil), http.StatusCreated)
	w.settled()
	into[entity](w.do(http.MethodPost, "/api/v1/deploy/stop", nil), http.StatusAccepted)
	into[studio.Started](w.do(http.MethodPost, "/api/v1/deploy/revisions/1/activate", nil), http.StatusAccepted)
	w.settled()
	for _, revision := range []int{1, 2} {
		lines := into[studio.LogLines](w.do(http.MethodGet, fmt.Sprintf("/api/v1/deploy/logs/recent?revision=%d", revision), nil), http.StatusOK)
		if len(lines.Items) < 3 {
			t.Errorf("revision %d: %+v", revision, lines.Items)
		}
		for _, l := range lines.Items {
			if l.Revision != revision {
				t.Errorf("a line of revision %d among those of %d", l.Revision, revision)
			}
		}
	}
	for _, field := range []string{"revision", "after", "limit"} {
		w.do(http.MethodGet, "/api/v1/deploy/logs/recent?"+field+"=-1", nil).failure(http.StatusUnprocessableEntity, store.Invalid, field)
	}
}
