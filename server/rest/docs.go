package rest

import (
	"embed"
	"mime"
	"net/http"
	"path"
)

// reference is the browsable reference: one page, one style sheet and one script, which reads the OpenAPI document. Nothing is
// inline and nothing comes from elsewhere, so it works under the policy of every other page and without a network.
//
//go:embed reference
var reference embed.FS

func (h *Handler) docs(w http.ResponseWriter, r *http.Request, params map[string]string) error {
	name := params["file"]
	if name == "" {
		name = "index.html"
	}
	b, err := reference.ReadFile(path.Join("reference", name))
	if err != nil || name != path.Base(name) {
		return noRoute()
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	if _, err := w.Write(b); err != nil {
		h.Log.Debug("the caller left before the answer was written", "request_id", requestID(r), "error", err)
	}
	return nil
}
