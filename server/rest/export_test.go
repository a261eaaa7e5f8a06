package rest

import (
	"net/http"
	"regexp"
)

var echoParam = regexp.MustCompile(`:(\w+)`)

// Routes is the router's own list, for the sweep.
func Routes(h http.Handler) []string {
	var out []string
	for _, r := range h.(*Handler).echo.Routes() {
		out = append(out, r.Method+" "+echoParam.ReplaceAllString(r.Path, "{$1}"))
	}
	return out
}

// StatusOf is the map from codes to statuses.
var StatusOf = statusOf
