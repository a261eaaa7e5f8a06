package rest

import (
	"net/http"
	"time"

	"mcpstudio/auth"
)

// SessionView is one sign-in, as the account page lists it.
type SessionView struct {
	ID         string    `json:"id"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at" jsonschema:"to the minute"`
	ExpiresAt  time.Time `json:"expires_at"`
	Address    string    `json:"address" jsonschema:"of the client at the sign-in; local for a unix socket"`
	UserAgent  string    `json:"user_agent" jsonschema:"what the client said of itself, cut to 300 characters"`
	Current    bool      `json:"current" jsonschema:"the session of this request"`
}

// SessionList is every session in force.
type SessionList struct {
	Items []SessionView `json:"items" jsonschema:"the latest seen first"`
	Total int           `json:"total"`
}

func (h *Handler) listSessions(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	list, err := h.Sessions.List(r.Context())
	if err != nil {
		return err
	}
	out := SessionList{Items: make([]SessionView, 0, len(list)), Total: len(list)}
	own := sessionOf(r).session.ID
	for _, s := range list {
		out.Items = append(out.Items, SessionView{s.ID, s.CreatedAt, s.LastSeenAt, s.ExpiresAt, s.Address, s.UserAgent, s.ID == own})
	}
	h.answer(w, r, http.StatusOK, out)
	return nil
}

func (h *Handler) endSession(w http.ResponseWriter, r *http.Request, params map[string]string) error {
	if _, err := decodeBody[struct{}](w, r); err != nil {
		return err
	}
	p, _ := auth.FromContext(r.Context())
	if err := h.Sessions.End(r.Context(), p, params["id"]); err != nil {
		return err
	}
	if params["id"] == sessionOf(r).session.ID {
		h.setCookie(w, r, "", -1)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *Handler) endOtherSessions(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	if _, err := decodeBody[struct{}](w, r); err != nil {
		return err
	}
	p, _ := auth.FromContext(r.Context())
	if _, err := h.Sessions.EndAll(r.Context(), p, sessionOf(r).session.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
