package rest

import (
	"encoding/json"
	"net/http"
	"reflect"
)

// accountRoutes is every address of the account. Public ones are those that nobody is signed in for yet.
func (h *Handler) accountRoutes() []route {
	return []route{
		{http.MethodGet, Base + "/auth/status", true, h.status},
		{http.MethodPost, Base + "/auth/setup", true, h.setup},
		{http.MethodPost, Base + "/auth/login", true, h.login},
		{http.MethodPost, Base + "/auth/login/verify-2fa", true, h.verifyLogin},
		{http.MethodPost, Base + "/auth/logout", true, h.logout},
		{http.MethodGet, Base + "/auth/me", false, h.me},
		{http.MethodPatch, Base + "/auth/me", false, h.updateMe},
		{http.MethodGet, Base + "/auth/2fa/status", false, h.twoFactor},
		{http.MethodPost, Base + "/auth/2fa/setup", false, h.setupTwoFactor},
		{http.MethodPost, Base + "/auth/2fa/verify-setup", false, h.enableTwoFactor},
		{http.MethodPost, Base + "/auth/2fa/disable", false, h.disableTwoFactor},
		{http.MethodPost, Base + "/auth/2fa/regenerate-recovery", false, h.regenerateRecovery},
		{http.MethodGet, Base + "/auth/sessions", false, h.listSessions},
		{http.MethodDelete, Base + "/auth/sessions/{id}", false, h.endSession},
		{http.MethodDelete, Base + "/auth/sessions", false, h.endOtherSessions},
	}
}

// accountEndpoints describes the addresses of accountRoutes. 403 wrong_password and wrong_code name the field; 429 has Retry-After.
func accountEndpoints() []endpoint {
	in := func(path, id, doc string, body, out reflect.Type) endpoint {
		e := endpoint{method: http.MethodPost, path: Base + path, id: id, tag: "auth", doc: doc, in: body, out: out}
		if out == nil {
			e.status = http.StatusNoContent
		}
		return e
	}
	id := parameter{Name: "id", In: "path", Required: true, Schema: json.RawMessage(`{"type":"string"}`)}
	setup := in("/auth/setup", "setup", "Make the admin, with the one-time code, and sign in.", reflect.TypeFor[SetupIn](), reflect.TypeFor[Username]())
	setup.public, setup.status = true, http.StatusCreated
	login := in("/auth/login", "login", "Sign in: a session, or with two-factor on a pending_token for login/verify-2fa and no session; 429 with Retry-After after too many failures.", reflect.TypeFor[Credentials](), reflect.TypeFor[SignedIn]())
	login.public = true
	verify := in("/auth/login/verify-2fa", "verify_login", "Finish a sign-in with a code; 403 wrong_code, 401 when the pending token has expired: sign in again, 429 after too many codes.", reflect.TypeFor[VerifyIn](), reflect.TypeFor[Username]())
	verify.public = true
	logout := in("/auth/logout", "logout", "End this session.", nil, nil)
	logout.public = true
	return []endpoint{
		{method: http.MethodGet, path: Base + "/auth/status", id: "get_auth_status", tag: "auth", doc: "What the sign-in pages must know.", public: true, out: reflect.TypeFor[AuthStatus]()},
		setup, login, verify, logout,
		{method: http.MethodGet, path: Base + "/auth/me", id: "get_me", tag: "auth", doc: "The account and this session.", out: reflect.TypeFor[Me]()},
		{method: http.MethodPatch, path: Base + "/auth/me", id: "update_me", tag: "auth", doc: "Change the user name or the password; ends every other session. 403 wrong_password counts like a failed sign-in.", in: reflect.TypeFor[MeIn](), out: reflect.TypeFor[Me]()},
		{method: http.MethodGet, path: Base + "/auth/2fa/status", id: "get_two_factor", tag: "auth", doc: "Whether signing in takes a second step.", out: reflect.TypeFor[TwoFactorStatus]()},
		in("/auth/2fa/setup", "setup_two_factor", "Draw a key for an authenticator app. Two-factor is on only after verify-setup; a key not confirmed in 15 minutes is void.", reflect.TypeFor[PasswordIn](), reflect.TypeFor[TwoFactorSetup]()),
		in("/auth/2fa/verify-setup", "enable_two_factor", "Turn two-factor on with a code of the key of the last setup; ends every other session.", reflect.TypeFor[CodeIn](), reflect.TypeFor[RecoveryCodes]()),
		in("/auth/2fa/disable", "disable_two_factor", "Turn two-factor off; ends every other session.", reflect.TypeFor[DisableIn](), nil),
		in("/auth/2fa/regenerate-recovery", "regenerate_recovery_codes", "Draw ten new recovery codes; the old ones are void and every other session ends.", reflect.TypeFor[RegenerateIn](), reflect.TypeFor[RecoveryCodes]()),
		{method: http.MethodGet, path: Base + "/auth/sessions", id: "list_sessions", tag: "auth", doc: "Every session in force.", out: reflect.TypeFor[SessionList]()},
		{method: http.MethodDelete, path: Base + "/auth/sessions/{id}", id: "end_session", tag: "auth", doc: "End one session, at once and with its open streams.", status: http.StatusNoContent, query: []parameter{id}},
		{method: http.MethodDelete, path: Base + "/auth/sessions", id: "end_other_sessions", tag: "auth", doc: "End every session but this one.", status: http.StatusNoContent},
	}
}
