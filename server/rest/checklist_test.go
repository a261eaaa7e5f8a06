package rest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"mcpstudio/mcpgen/sandbox"
	"mcpstudio/server/doctor"
	"mcpstudio/server/rest"
	"mcpstudio/server/studio"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

// item is one line of the checklist as it stands now.
func (w *world) item(id string) doctor.ChecklistItem {
	w.t.Helper()
	for _, i := range into[doctor.Checklist](w.do(http.MethodGet, "/api/v1/server/checklist", nil), 200).Items {
		if i.ID == id {
			return i
		}
	}
	w.t.Fatalf("there is no item %s", id)
	return doctor.ChecklistItem{}
}

// stands fails when an item has another status, or does not say what it should.
func (w *world) stands(id string, status doctor.ChecklistStatus, says string) {
	w.t.Helper()
	if i := w.item(id); i.Status != status || !strings.Contains(i.Found, says) {
		w.t.Errorf("got %+v, want %s and %q", i, status, says)
	}
}

// TestChecklistFollows: the checklist is evaluated on every call, from what the store and the children say at that moment.
func TestChecklistFollows(t *testing.T) {
	needChild(t)
	w := newWorld(t).signIn()
	w.stands("admin_password", doctor.OK, "15 characters")
	w.stands("two_factor", doctor.Warn, "off")
	factor := into[rest.TwoFactorSetup](w.do(http.MethodPost, "/api/v1/auth/2fa/setup", entity{"password": adminPassword}), 200)
	w.do(http.MethodPost, "/api/v1/auth/2fa/verify-setup", entity{"code": appCode(t, factor.Secret, 0)}).want(200)
	w.stands("two_factor", doctor.OK, "10 recovery codes")
	w.stands("mcp_auth", doctor.OK, "bearer")
	w.stands("database_roles", doctor.OK, "no active connections")
	w.stands("sandbox", doctor.Warn, "Level ") // of the probe; the world's studio is degraded
	w.stands("studio_confinement", doctor.Warn, "did not confine itself")
	w.sup.Confined(sandbox.ParentStatus{Layers: []sandbox.Layer{{Name: sandbox.LayerLandlock, State: sandbox.StateUnavailable, Detail: "not in this kernel"}, {Name: sandbox.LayerUser, State: sandbox.StatePartial, Detail: "uid 0"}}})
	w.stands("studio_confinement", doctor.Warn, "landlock is unavailable (not in this kernel).")
	w.sup.Confined(sandbox.ParentStatus{Layers: []sandbox.Layer{{Name: sandbox.LayerLandlock, State: sandbox.StateEnforced}}})
	w.stands("studio_confinement", doctor.OK, "Every layer")

	w.do(http.MethodPatch, "/api/v1/server/config", entity{"auth_type": "none", "cors_origins": []string{"http://app.example"}}).want(200)
	w.stands("mcp_auth", doctor.Warn, "only this machine")
	w.stands("cors_origins", doctor.Warn, "http://app.example")

	sample := into[studio.Sample](w.do(http.MethodPost, "/api/v1/sample", nil), 201)
	w.settled()
	w.stands("sandbox", doctor.Warn, "Level ") // of the live child
	down := w.postgres(entity{"name": "untested"})
	w.stands("database_roles", doctor.Unknown, "untested")
	for _, id := range []string{sample.ConnectionID, down.id()} {
		w.do(http.MethodPost, "/api/v1/connections/"+id+"/test", nil).want(200)
	}
	w.stands("database_roles", doctor.OK, "nothing against them")

	w.stands("backups", doctor.Warn, "never run")
	w.stands("mcp_tokens", doctor.OK, "no valid tokens")
	past := time.Now().AddDate(0, 0, -40)
	err := w.db.Update(t.Context(), db.Act{Actor: store.SystemActor(), Operation: "test"}, func(tx *db.Tx) error {
		if err := db.Insert(tx, &store.MCPToken{Name: "forgotten", Prefix: "mcps_x", TokenHash: []byte("x")}); err != nil {
			return err
		}
		return tx.SetMeta(db.MetaBackup, past.UTC().Format(time.RFC3339))
	})
	if err != nil {
		t.Fatal(err)
	}
	w.stands("backups", doctor.Fail, past.UTC().Format(time.DateOnly))
	w.stands("mcp_tokens", doctor.OK, "(1)")
}
