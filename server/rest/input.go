package rest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"mcpstudio/auth"
	"mcpstudio/server/op"
	"mcpstudio/store"
)

// How much a caller may send, and in what time: a stranger has only a name, a password and a code to say.
const (
	bodyTime     = time.Minute
	strangerBody = 64 << 10
	strangerTime = 10 * time.Second
)

// operation serves one operation: address and body become one JSON object.
func (h *Handler) operation(o op.Op) func(http.ResponseWriter, *http.Request, map[string]string) error {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) error {
		in, err := input(w, r, o, params)
		if err != nil {
			return err
		}
		out, err := o.Call(r.Context(), in)
		if err != nil {
			return err
		}
		if o.Status == http.StatusNoContent {
			w.WriteHeader(o.Status)
			return nil
		}
		h.answer(w, r, o.Status, out)
		return nil
	}
}

// input makes the one object of an operation. The body is not decoded here, so that the operation still sees a key that came twice.
func input(w http.ResponseWriter, r *http.Request, o op.Op, params map[string]string) (json.RawMessage, error) {
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	parts := []string{}
	add := func(key, value string) {
		name, _ := json.Marshal(key) // strings always encode
		parts = append(parts, string(name)+":"+string(literal(o, key, value)))
	}
	for key, value := range params {
		add(key, value)
	}
	query, err := queryOf(r)
	if err != nil {
		return nil, err
	}
	if o.FromQuery() {
		if len(body) > 0 {
			return nil, &store.Error{Code: store.Malformed, Message: "this call takes no body"}
		}
		for key, value := range query {
			add(key, value)
		}
	} else if len(query) > 0 {
		return nil, &store.Error{Code: store.Malformed, Message: "this call takes its input from the body, not from the query"}
	}
	if inner, ok, err := members(body); err != nil {
		return nil, err
	} else if ok {
		parts = append(parts, inner)
	}
	return json.RawMessage("{" + strings.Join(parts, ",") + "}"), nil
}

// members returns what is between the braces of the body's object.
func members(body []byte) (inner string, ok bool, err error) {
	text := strings.TrimFunc(string(body), func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) })
	if text == "" {
		return "", false, nil
	}
	if !json.Valid(body) || text[0] != '{' {
		return "", false, &store.Error{Code: store.Malformed, Message: "the body is one JSON object"}
	}
	inner = strings.Trim(text[1:len(text)-1], " \t\r\n")
	return inner, inner != "", nil
}

// queryOf reads the query; a key that comes twice is refused: which of the two counts would be a guess.
func queryOf(r *http.Request) (map[string]string, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &store.Error{Code: store.Malformed, Message: "the query is not well formed"}
	}
	out := map[string]string{}
	for key, all := range values {
		if len(all) > 1 {
			return nil, &store.Error{Code: store.Malformed, Field: key, Message: "the field is there twice"}
		}
		if !utf8.ValidString(key) || !utf8.ValidString(all[0]) {
			return nil, &store.Error{Code: store.Malformed, Message: "the query is not UTF-8"}
		}
		out[key] = all[0]
	}
	return out, nil
}

// literal encodes a value of the address by the type its field has.
func literal(o op.Op, key, value string) json.RawMessage {
	if s := o.In.Properties[key]; s != nil {
		kinds := append([]string{s.Type}, s.Types...)
		number := slices.Contains(kinds, "integer") || slices.Contains(kinds, "number")
		plain := value != "" && (value[0] == '-' || value[0] >= '0' && value[0] <= '9')
		if number && plain && json.Valid([]byte(value)) || slices.Contains(kinds, "boolean") && (value == "true" || value == "false") {
			return json.RawMessage(value)
		}
	}
	b, _ := json.Marshal(value) // strings always encode, and this one is UTF-8
	return b
}

// readBody reads at most MaxBody of JSON, less of a stranger. No body needs no content type.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	limit, patience := int64(MaxBody), bodyTime
	if _, known := auth.FromContext(r.Context()); !known {
		limit, patience = strangerBody, strangerTime
	}
	if r.ContentLength > limit {
		return nil, tooLarge()
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, &store.Error{Code: store.Unsupported, Message: "send the body without compression"}
	}
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, untyped(r)
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(patience)) // not every writer has a connection; a recorder in a test has none
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if over := (*http.MaxBytesError)(nil); errors.As(err, &over) {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, &store.Error{Code: store.Malformed, Message: "the body did not arrive whole", Err: err}
	}
	return body, nil
}

// untyped refuses a body that is not declared as JSON; a body that turns out empty needs no type.
func untyped(r *http.Request) error {
	if n, err := r.Body.Read(make([]byte, 1)); n == 0 && errors.Is(err, io.EOF) {
		return nil
	}
	return &store.Error{Code: store.Unsupported, Message: "send the body as application/json"}
}

func tooLarge() error {
	return &store.Error{Code: store.TooLarge, Message: "the body is too large: at most 4 MiB are taken, and 64 KiB without a session"}
}

// pathParams reads the {parameters} of the address.
func pathParams(c echo.Context) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range c.ParamNames() {
		v, err := unescape(c.Request(), c.Param(name))
		if err != nil {
			return nil, err
		}
		if v == "" || !utf8.ValidString(v) {
			return nil, noRoute()
		}
		out[name] = v
	}
	return out, nil
}
