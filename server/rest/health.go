package rest

import (
	"net/http"

	"mcpstudio/store"
)

// HealthStatus says that the process answers, and which version it is.
type HealthStatus struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

// ReadyStatus says that the studio can do its work.
type ReadyStatus struct {
	Status string `json:"status"`
}

func (h *Handler) health(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	h.answer(w, r, http.StatusOK, HealthStatus{"ok", h.Version})
	return nil
}

func (h *Handler) ready(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	if err := h.Ready(r.Context()); err != nil {
		return &store.Error{Code: store.Unavailable, Message: "the studio is not ready", Retry: 5, Err: err}
	}
	h.answer(w, r, http.StatusOK, ReadyStatus{"ready"})
	return nil
}

func (h *Handler) openAPI(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(h.document); err != nil {
		h.Log.Debug("the caller left before the answer was written", "request_id", requestID(r), "error", err)
	}
	return nil
}
