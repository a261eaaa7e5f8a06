package rest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"mcpstudio/store"
)

// Failure is the body of every error.
type Failure struct {
	Detail    string            `json:"detail" jsonschema:"what happened and what to do, for a person"`
	Code      store.Code        `json:"code"`
	Fields    map[string]string `json:"fields" jsonschema:"what is wrong with each field; empty when no field is to blame"`
	RequestID string            `json:"request_id" jsonschema:"also in the log"`
	Current   any               `json:"current,omitempty" jsonschema:"with stale: the current state; with a refused deploy or statement: its problems; with a connection in use: what uses it"`
}

// statusOf maps every code once.
func statusOf(c store.Code) int {
	switch c {
	case store.Malformed:
		return http.StatusBadRequest
	case store.Unauthorized:
		return http.StatusUnauthorized
	case store.Forbidden, store.WrongPassword, store.WrongCode:
		return http.StatusForbidden
	case store.NotFound:
		return http.StatusNotFound
	case store.Conflict, store.Stale:
		return http.StatusConflict
	case store.TooLarge:
		return http.StatusRequestEntityTooLarge
	case store.Unsupported:
		return http.StatusUnsupportedMediaType
	case store.Invalid, store.NotAvailable:
		return http.StatusUnprocessableEntity
	case store.TooMany:
		return http.StatusTooManyRequests
	case store.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// statusError is an error whose status is about HTTP and so has no code of its own.
type statusError struct {
	cause  *store.Error
	status int
	allow  string
}

// Error implements error.
func (e *statusError) Error() string { return e.cause.Error() }

// Unwrap returns the error with its code.
func (e *statusError) Unwrap() error { return e.cause }

func methodError(allow string) error {
	return &statusError{&store.Error{Code: store.Malformed, Message: "this address does not take that method"}, http.StatusMethodNotAllowed, allow}
}

func noRoute() error {
	return &store.Error{Code: store.NotFound, Message: "there is nothing at this address"}
}

// fail answers with an error, and logs it when it is ours.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	if c, ok := w.(*echo.Response); ok && c.Committed {
		return // a stream that ended: its answer has begun
	}
	var framework *echo.HTTPError
	if errors.As(err, &framework) {
		err = noRoute()
		if framework.Code == http.StatusMethodNotAllowed {
			err = methodError(w.Header().Get("Allow"))
		}
	}
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		h.Log.Debug("the caller went away", "request_id", requestID(r))
		err = &store.Error{Code: store.Unavailable, Message: "the request was cancelled"}
	}
	body := Failure{Code: store.CodeOf(err), Fields: map[string]string{}, RequestID: requestID(r)}
	status := statusOf(body.Code)
	var known *store.Error
	if !errors.As(err, &known) || body.Code == store.Internal {
		h.Log.Error("a request failed", "request_id", body.RequestID, "method", r.Method, "path", r.URL.Path, "error", err)
		known = &store.Error{Code: store.Internal, Message: "something went wrong in the studio; its log has the details under this request id"}
	} else if known.Err != nil {
		h.Log.Debug("a request was refused", "request_id", body.RequestID, "code", known.Code, "error", known.Err)
	}
	body.Detail, body.Current = known.Message, known.Current
	for field, message := range known.Fields {
		body.Fields[field] = message
	}
	if known.Field != "" && body.Fields[known.Field] == "" {
		body.Fields[known.Field] = known.Message
	}
	var own *statusError
	if errors.As(err, &own) {
		status = own.status
		if own.allow != "" {
			w.Header().Set("Allow", own.allow)
		}
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, known.Retry)))
	}
	if status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close") // the rest of the body is not worth reading
	}
	h.answer(w, r, status, body)
}

func (h *Handler) panicked(w *watched, r *http.Request, p any) {
	if p == http.ErrAbortHandler {
		panic(p) // net/http's own way to cut a connection
	}
	h.Log.Error("a request panicked", "request_id", requestID(r), "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
	if w.status == 0 {
		h.fail(w, r, errors.New("panic"))
	}
}

// answer writes JSON.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		h.Log.Error("an answer could not be encoded", "request_id", requestID(r), "error", err)
		status, b = http.StatusInternalServerError, []byte(`{"detail":"something went wrong in the studio","code":"internal","fields":{},"request_id":"`+requestID(r)+`"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)+1))
	w.WriteHeader(status)
	if _, err := w.Write(append(b, '\n')); err != nil {
		h.Log.Debug("the caller left before the answer was written", "request_id", requestID(r), "error", err)
	}
}

type requestKey struct{}

// identified gives the request an id. One that a caller brings is not taken: log lines must not be forged.
func identified(w http.ResponseWriter, r *http.Request) *http.Request {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand, Go 1.24)
	id := hex.EncodeToString(b[:])
	w.Header().Set("X-Request-Id", id)
	return r.WithContext(context.WithValue(r.Context(), requestKey{}, id))
}

func requestID(r *http.Request) string {
	id, _ := r.Context().Value(requestKey{}).(string)
	return id
}

// isJSON reports whether a content type is application/json, with or without parameters.
func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}
