package rest

import (
	"net/http"
	"regexp"
	"time"
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

// Recheck sets how often a stream looks for itself whether its session still stands.
func (o *Options) Recheck(every time.Duration) { o.recheck = every }

// StatusOf is the map from codes to statuses.
var StatusOf = statusOf
