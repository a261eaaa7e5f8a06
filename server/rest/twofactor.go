package rest

import (
	"net/http"
	"time"

	"mcpstudio/auth"
	"mcpstudio/auth/session"
)

// VerifyIn is the second step of a sign-in.
type VerifyIn struct {
	PendingToken string `json:"pending_token" jsonschema:"from login; good for five minutes and one sign-in"`
	Code         string `json:"code" jsonschema:"six digits of the authenticator app, or a recovery code"`
	IsRecovery   bool   `json:"is_recovery,omitempty" jsonschema:"true when code is a recovery code"`
}

// PasswordIn confirms who is at the keyboard.
type PasswordIn struct {
	Password string `json:"password" jsonschema:"the current password"`
}

// CodeIn proves that the authenticator app has the key.
type CodeIn struct {
	Code string `json:"code" jsonschema:"six digits of the authenticator app"`
}

// DisableIn turns two-factor off.
type DisableIn struct {
	Password   string `json:"password" jsonschema:"the current password"`
	Code       string `json:"code" jsonschema:"six digits of the authenticator app, or a recovery code"`
	IsRecovery bool   `json:"is_recovery,omitempty" jsonschema:"true when code is a recovery code"`
}

// RegenerateIn asks for new recovery codes.
type RegenerateIn struct {
	Password string `json:"password" jsonschema:"the current password"`
	Code     string `json:"code" jsonschema:"six digits of the authenticator app"`
}

// TwoFactorStatus is whether signing in takes a second step.
type TwoFactorStatus struct {
	Enabled           bool       `json:"enabled"`
	RecoveryCodesLeft int        `json:"recovery_codes_left" jsonschema:"0 to 10"`
	EnabledAt         *time.Time `json:"enabled_at"`
}

// TwoFactorSetup is the key for the authenticator app. It is shown in this answer and never again.
type TwoFactorSetup struct {
	Secret     string `json:"secret" jsonschema:"base32, to type into the app"`
	OTPAuthURL string `json:"otpauth_url"`
	QRSVG      string `json:"qr_svg" jsonschema:"otpauth_url as a QR code: an SVG document without script or style"`
}

// RecoveryCodes sign in without the app, each once. They are shown in this answer and never again.
type RecoveryCodes struct {
	RecoveryCodes []string `json:"recovery_codes" jsonschema:"ten"`
}

// verifyLogin is the second step of a sign-in.
func (h *Handler) verifyLogin(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	in, err := decodeBody[VerifyIn](w, r)
	if err != nil {
		return err
	}
	cookie, _, err := h.Sessions.VerifyLogin(r.Context(), in.PendingToken, in.Code, in.IsRecovery, h.client(r))
	if err != nil {
		return err
	}
	return h.welcome(w, r, cookie, http.StatusOK)
}

func (h *Handler) twoFactor(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	a, err := h.Admin(r.Context())
	if err != nil {
		return err
	}
	h.answer(w, r, http.StatusOK, TwoFactorStatus{Enabled: a.TwoFactorAt != nil, RecoveryCodesLeft: a.RecoveryCodesLeft, EnabledAt: a.TwoFactorAt})
	return nil
}

func (h *Handler) setupTwoFactor(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	in, err := decodeBody[PasswordIn](w, r)
	if err != nil {
		return err
	}
	key, err := h.Sessions.BeginTwoFactor(r.Context(), in.Password, h.client(r))
	if err != nil {
		return err
	}
	svg, err := key.SVG()
	if err != nil {
		return err
	}
	h.answer(w, r, http.StatusOK, TwoFactorSetup{Secret: key.Secret(), OTPAuthURL: key.URL(), QRSVG: svg})
	return nil
}

// by says who asks for a change of the second factor.
func (h *Handler) by(r *http.Request) session.By {
	p, _ := auth.FromContext(r.Context())
	return session.By{Principal: p, Session: sessionOf(r).session.ID, Client: h.client(r)}
}

func (h *Handler) enableTwoFactor(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	in, err := decodeBody[CodeIn](w, r)
	if err != nil {
		return err
	}
	codes, err := h.Sessions.EnableTwoFactor(r.Context(), in.Code, h.by(r))
	if err != nil {
		return err
	}
	h.answer(w, r, http.StatusOK, RecoveryCodes{codes})
	return nil
}

func (h *Handler) disableTwoFactor(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	in, err := decodeBody[DisableIn](w, r)
	if err != nil {
		return err
	}
	if err := h.Sessions.DisableTwoFactor(r.Context(), in.Password, in.Code, in.IsRecovery, h.by(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *Handler) regenerateRecovery(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	in, err := decodeBody[RegenerateIn](w, r)
	if err != nil {
		return err
	}
	codes, err := h.Sessions.RegenerateRecoveryCodes(r.Context(), in.Password, in.Code, h.by(r))
	if err != nil {
		return err
	}
	h.answer(w, r, http.StatusOK, RecoveryCodes{codes})
	return nil
}
