package server

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"path"
	"strings"

	"mcpstudio/auth"
	"mcpstudio/server/front"
	"mcpstudio/server/rest"
	"mcpstudio/server/studio"
	"mcpstudio/store"
)

// The listeners.
const (
	frontListener = "front"
	apiListener   = "api"
	mcpListener   = "mcp"
)

// listener is one open address and what it serves.
type listener struct {
	net.Listener
	name   string
	at     Address
	server *http.Server
}

// surface is a listener as it is configured.
type surface struct {
	name string
	at   Address
}

func surfaces(c Config) []surface {
	return []surface{{frontListener, c.Front}, {apiListener, c.API}, {mcpListener, c.MCP}}
}

func (s *Server) openListeners(ctx context.Context) error {
	for _, l := range surfaces(s.config) {
		if l.at.Off {
			continue
		}
		opened, err := l.at.listen(ctx, s.log)
		if err != nil {
			return err
		}
		s.listeners = append(s.listeners, &listener{Listener: opened, name: l.name, at: l.at})
	}
	return nil
}

// mux chooses by path what a listener serves. Each inner listener serves its own part only.
func (l *listener) mux(api *rest.Handler, mcp *front.Front, ui http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isAPI := r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/")
		switch {
		case l.name == mcpListener && r.URL.Path == "/mcp", l.name == frontListener && r.URL.Path == "/mcp":
			mcp.ServeHTTP(w, r)
		case l.name == mcpListener:
			http.Error(w, "The MCP endpoint is at /mcp.", http.StatusNotFound)
		case isAPI || l.name == apiListener || r.URL.Path != plainPath(r.URL.Path): // the API says no to every other way to write its paths
			api.ServeHTTP(w, r)
		default:
			ui.ServeHTTP(w, r)
		}
	})
}

// plainPath is the one plain way to write a path; a final slash stays.
func plainPath(p string) string {
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// hosts are the names the studio answers to, besides IP literals and localhost.
func (s *Server) hosts() []string {
	names := append([]string{}, s.config.AllowedHosts...)
	if s.config.PublicURL != nil {
		names = append(names, s.config.PublicURL.Hostname())
	}
	return names
}

// publicOrigin is the origin people use, when it is configured; otherwise it is empty.
func (s *Server) publicOrigin() string {
	if s.config.PublicURL == nil {
		return ""
	}
	return s.config.PublicURL.String()
}

// base is where people reach the studio.
func (s *Server) base() string {
	if s.config.PublicURL != nil {
		return s.config.PublicURL.String()
	}
	for _, l := range s.listeners {
		if l.name == frontListener && l.at.Unix == "" {
			return "http://" + reachable(l)
		}
	}
	return "http://localhost" // on a Unix socket any allowed name does
}

// site tells the operations where they are.
func (s *Server) site() studio.Site {
	out := studio.Site{Endpoint: s.base() + "/mcp", Exposed: s.config.PublicURL != nil || len(s.config.Proxies) > 0 || s.config.TrustUnix}
	if s.config.PublicURL != nil {
		out.PublicURL = s.config.PublicURL.String()
	}
	for _, l := range s.listeners {
		out.Listeners = append(out.Listeners, studio.Listener{Name: l.name, Address: l.display()})
		out.Exposed = out.Exposed || l.name != apiListener && !loopback(l)
	}
	return out
}

// player makes the playground's calls through the front's own path.
type player struct{ front *front.Front }

// Play implements studio.Player.
func (p player) Play(ctx context.Context, who auth.Principal, tool string, arguments json.RawMessage) (studio.Played, error) {
	params, err := json.Marshal(struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}{tool, arguments})
	if err != nil {
		return studio.Played{}, store.Invalidf("arguments", "the arguments are not valid JSON")
	}
	a, err := p.front.CallAs(ctx, who, "tools/call", params)
	if err != nil {
		return studio.Played{}, err
	}
	return studio.Played{HTTPStatus: a.Status, Response: a.Body, MS: float64(a.Call.Total.Microseconds()) / 1000, Rows: a.Call.Rows}, nil
}

// recorder notes the last use of tokens and tells open pages of it.
type recorder struct{ s *Server }

// Record implements front.Recorder.
func (r recorder) Record(_ context.Context, batch []front.Call, dropped int) {
	if dropped > 0 {
		r.s.log.Warn("call records were dropped", "count", dropped)
	}
	last := map[string]store.TokenUse{}
	for _, c := range batch {
		r.s.log.Debug("mcp call", "principal", c.PrincipalID, "method", c.Method, "status", c.Status, "code", c.Code, "rows", c.Rows, "ms", c.Total.Milliseconds())
		if c.PrincipalKind != string(auth.KindMCPToken) || c.PrincipalID == "" || c.OnBehalf {
			continue
		}
		use := store.TokenUse{ID: c.PrincipalID, At: c.At, IP: c.IP.String(), Client: strings.TrimSpace(c.ClientName + " " + c.ClientVersion), Method: c.Method}
		if c.Method == "tools/list" {
			use.Listed = c.Rows
		}
		if was := last[use.ID]; use.Listed == 0 {
			use.Listed = was.Listed
		}
		last[use.ID] = use
	}
	var uses []store.TokenUse
	for _, u := range last {
		r.s.tokens.Used(u)
		uses = append(uses, u)
	}
	if len(uses) > 0 {
		r.s.studio.TokensUsed(uses)
	}
}
