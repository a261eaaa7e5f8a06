package rest

import (
	"net/http"
	"time"

	"mcpstudio/auth"
	"mcpstudio/auth/session"
	"mcpstudio/server/op"
	"mcpstudio/store"
)

// AuthStatus is what the sign-in pages must know.
type AuthStatus struct {
	SetupRequired bool    `json:"setup_required"`
	Authenticated bool    `json:"authenticated"`
	Username      *string `json:"username"`
	Key           *Key    `json:"key" jsonschema:"only while setup is required or with a session"`
	Version       *string `json:"version" jsonschema:"only with a session"`
}

// Credentials sign in.
type Credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// SetupIn makes the admin.
type SetupIn struct {
	Username  string `json:"username"`
	Password  string `json:"password"`
	SetupCode string `json:"setup_code" jsonschema:"the one-time code the studio prints when it starts"`
}

// Username is the answer of setup and verify-2fa; the session is in the cookie.
type Username struct {
	Username string `json:"username"`
}

// SignedIn is the answer of login. One of the two is there.
type SignedIn struct {
	Username     string `json:"username,omitempty" jsonschema:"signed in; the session is in the cookie"`
	PendingToken string `json:"pending_token,omitempty" jsonschema:"two-factor is on: send it with a code to login/verify-2fa within five minutes"`
}

// Me is the account and the session that asks.
type Me struct {
	Username          string     `json:"username"`
	TwoFactorEnabled  bool       `json:"two_factor_enabled"`
	RecoveryCodesLeft int        `json:"recovery_codes_left" jsonschema:"0 to 10"`
	PasswordChangedAt time.Time  `json:"password_changed_at"`
	CreatedAt         time.Time  `json:"created_at"`
	LastLoginAt       *time.Time `json:"last_login_at"`
	SessionExpiresAt  time.Time  `json:"session_expires_at"`
}

// MeIn changes the account; what is left out stays.
type MeIn struct {
	CurrentPassword string  `json:"current_password"`
	Username        *string `json:"username,omitempty"`
	NewPassword     *string `json:"new_password,omitempty"`
}

func (h *Handler) status(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	_, open, err := h.Sessions.SetupCode(r.Context())
	if err != nil {
		return err
	}
	out := AuthStatus{SetupRequired: open}
	if open {
		out.Key = &h.Key
	}
	if r, err = h.signedIn(r); err == nil {
		p, _ := auth.FromContext(r.Context())
		out.Authenticated, out.Username, out.Key, out.Version = true, &p.Name, &h.Key, &h.Version
	} else if store.CodeOf(err) != store.Unauthorized {
		return err
	}
	h.answer(w, r, http.StatusOK, out)
	return nil
}

func (h *Handler) client(r *http.Request) session.Client {
	return session.Client{Address: h.ClientIP.Addr(r), UserAgent: r.UserAgent()}
}

func (h *Handler) setup(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	in, err := decodeBody[SetupIn](w, r)
	if err != nil {
		return err
	}
	cookie, _, err := h.Sessions.Setup(r.Context(), in.SetupCode, in.Username, in.Password, h.client(r))
	if err != nil {
		return err
	}
	return h.welcome(w, r, cookie, http.StatusCreated)
}

func (h *Handler) login(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	in, err := decodeBody[Credentials](w, r)
	if err != nil {
		return err
	}
	out, err := h.Sessions.Login(r.Context(), in.Username, in.Password, h.client(r))
	if err != nil {
		return err
	}
	if out.Pending != "" {
		h.answer(w, r, http.StatusOK, SignedIn{PendingToken: out.Pending})
		return nil
	}
	return h.welcome(w, r, out.Cookie, http.StatusOK)
}

// welcome hands the new session out. A cookie the browser brought is replaced, and its session ended: one that somebody planted
// must not live on beside the new one.
func (h *Handler) welcome(w http.ResponseWriter, r *http.Request, cookie string, status int) error {
	admin, err := h.Admin(r.Context())
	if err != nil {
		return err
	}
	h.endOld(r)
	h.setCookie(w, r, cookie, int(session.Lifetime.Seconds()))
	h.answer(w, r, status, Username{admin.Username})
	return nil
}

// endOld ends the sessions whose cookies the browser brought.
func (h *Handler) endOld(r *http.Request) {
	name, _ := h.cookieFor(r)
	for i, old := range r.CookiesNamed(name) {
		if i >= maxCookies {
			break
		}
		if err := h.Sessions.Logout(r.Context(), old.Value); err != nil {
			h.Log.Debug("an old session was not ended at sign-in", "error", err)
		}
	}
}

func (h *Handler) logout(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	if _, err := decodeBody[struct{}](w, r); err != nil {
		return err
	}
	name, _ := h.cookieFor(r)
	for i, c := range r.CookiesNamed(name) {
		if i >= maxCookies {
			break
		}
		if err := h.Sessions.Logout(r.Context(), c.Value); err != nil {
			return err
		}
	}
	h.setCookie(w, r, "", -1)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *Handler) me(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	return h.answerMe(w, r, sessionOf(r).session)
}

func (h *Handler) answerMe(w http.ResponseWriter, r *http.Request, s *store.Session) error {
	a, err := h.Admin(r.Context())
	if err != nil {
		return err
	}
	h.answer(w, r, http.StatusOK, Me{
		Username: a.Username, TwoFactorEnabled: a.TwoFactorAt != nil, RecoveryCodesLeft: a.RecoveryCodesLeft, PasswordChangedAt: a.PasswordChangedAt,
		CreatedAt: a.CreatedAt, LastLoginAt: a.LastLoginAt, SessionExpiresAt: s.ExpiresAt,
	})
	return nil
}

// updateMe changes the account. Every session ends, so the answer brings a new one.
func (h *Handler) updateMe(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	in, err := decodeBody[MeIn](w, r)
	if err != nil {
		return err
	}
	cookie, s, err := h.Sessions.Change(r.Context(), in.CurrentPassword, session.Change{Username: in.Username, NewPassword: in.NewPassword}, h.client(r))
	if err != nil {
		return err
	}
	h.setCookie(w, r, cookie, int(session.Lifetime.Seconds()))
	return h.answerMe(w, r, s)
}

// decodeBody reads a body by the rules of an operation's input; no body is an empty object.
func decodeBody[T any](w http.ResponseWriter, r *http.Request) (T, error) {
	var none T
	body, err := readBody(w, r)
	if err != nil {
		return none, err
	}
	if len(body) == 0 {
		body = []byte("{}")
	}
	return op.Decode[T](body)
}
