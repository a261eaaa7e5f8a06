package connect

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Placeholder stands for the token in snippets: the studio shows a token once and
// does not have it afterwards.
const Placeholder = "{{TOKEN}}"

// Guide is the answer to "how do I connect": the table of clients.
type Guide struct {
	URL              string   `json:"url"`
	Warnings         []string `json:"warnings"`
	TokenPlaceholder string   `json:"token_placeholder"`
	Clients          []Client `json:"clients"`
}

// Client is one MCP client.
type Client struct {
	ID       string    `json:"id" jsonschema:"claude-code, claude-desktop, cursor, vscode or other"`
	Name     string    `json:"name"`
	Snippets []Snippet `json:"snippets"`
	// DeepLink opens the client with the server filled in; nil: the client has none.
	DeepLink *string `json:"deep_link"`
}

// Snippet is something to copy.
type Snippet struct {
	Title    string `json:"title"`
	Language string `json:"language" jsonschema:"shell, json or text"`
	Code     string `json:"code" jsonschema:"holds the token placeholder where the token belongs"`
	Paths    []Path `json:"paths" jsonschema:"the file it goes into, by operating system"`
	Note     string `json:"note"`
}

// Path is a file on one operating system.
type Path struct {
	OS   string `json:"os"`
	Path string `json:"path"`
}

// Setup is what the snippets are made for.
type Setup struct {
	URL         string // of the MCP endpoint, as clients reach it
	ServerName  string // for people; clients get a plain form of it
	Auth        bool   // the server wants a token
	Placeholder string // "": Placeholder
	Command     string // that starts the studio on the client's computer; "": studio
}

// Snippets returns the table. Formats: Claude Code's `claude mcp add`, Claude
// Desktop's claude_desktop_config.json, which starts stdio servers only, Cursor's
// mcp.json and install links, VS Code's mcp.json and vscode:mcp/install links, as
// their makers document them.
func Snippets(s Setup) (Guide, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return Guide{}, fmt.Errorf("the endpoint %q is not an http or https URL", s.URL)
	}
	if s.Placeholder == "" {
		s.Placeholder = Placeholder
	}
	if s.Command == "" {
		s.Command = "studio"
	}
	t := table{Setup: s, name: plainName(s.ServerName)}
	g := Guide{URL: s.URL, Warnings: warnings(u, s.Auth), TokenPlaceholder: s.Placeholder}
	for _, client := range []func() (Client, error){t.claudeCode, t.claudeDesktop, t.cursor, t.vscode, t.other} {
		c, err := client()
		if err != nil {
			return Guide{}, fmt.Errorf("write snippets: %w", err)
		}
		g.Clients = append(g.Clients, c)
	}
	return g, nil
}

func warnings(u *url.URL, auth bool) []string {
	out := []string{}
	a, err := netip.ParseAddr(u.Hostname())
	local := err == nil && a.IsLoopback() || strings.EqualFold(u.Hostname(), "localhost")
	switch {
	case local:
		out = append(out, "This address is reachable from this computer only. For clients elsewhere set STUDIO_PUBLIC_URL to an address they can reach.")
	case u.Scheme == "http":
		out = append(out, "This address is not encrypted: the token and all data can be read on the way. Use https.")
	}
	if !auth && !local {
		out = append(out, "The server asks for no token: whoever reaches this address can call its tools.")
	}
	return out
}

// plainName is a name that every client takes: lower case, digits and hyphens.
func plainName(name string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	if out := strings.Trim(b.String(), "-"); out != "" {
		return out
	}
	return "mcp-studio"
}

// tokenEnv is the environment variable that studio connect takes a token from, and
// Cursor when it was set up by a link.
const tokenEnv = "STUDIO_MCP_TOKEN"

type table struct {
	Setup
	name string
}

// headers is nil for a server without a token, so that it is left out.
func (t table) headers(token string) map[string]string {
	if !t.Auth {
		return nil
	}
	return map[string]string{"Authorization": "Bearer " + token}
}

// remote is how Cursor and VS Code write a server that is reached by HTTP.
type remote struct {
	Name    string            `json:"name,omitempty"`
	Type    string            `json:"type,omitempty"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	Inputs  []input           `json:"inputs,omitempty"`
}

// input makes VS Code ask for a value and keep it in its secret storage.
type input struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	Description string `json:"description"`
	Password    bool   `json:"password"`
}

func (t table) claudeCode() (Client, error) {
	code := "claude mcp add --transport http " + t.name + " " + shell(t.URL)
	note := ""
	if t.Auth {
		code += " --header " + shell("Authorization: Bearer "+t.Placeholder)
		note = "The token ends up in your shell's history. A space in front of the command keeps it out of most shells'."
	}
	return Client{ID: "claude-code", Name: "Claude Code", Snippets: []Snippet{
		{Title: "Run in a terminal", Language: "shell", Code: code, Paths: []Path{}, Note: note},
	}}, nil
}

func (t table) claudeDesktop() (Client, error) {
	type stdio struct {
		Command string            `json:"command"`
		Args    []string          `json:"args"`
		Env     map[string]string `json:"env,omitempty"`
	}
	entry := stdio{Command: t.Command, Args: []string{"connect", "--url", t.URL}}
	var out []Snippet
	if t.Auth {
		entry.Args = append(entry.Args, "--token-file", "/path/to/"+t.name+".token")
		out = append(out, Snippet{
			Title: "Save the token", Language: "shell", Paths: []Path{},
			Code: "(umask 077; printf '%s\\n' " + shell(t.Placeholder) + " > ~/" + t.name + ".token)",
			Note: "The file must be readable by you only. Write its full path into the configuration below.",
		})
	}
	code, err := pretty(map[string]any{"mcpServers": map[string]stdio{t.name: entry}})
	out = append(out, Snippet{
		Title: "Add to claude_desktop_config.json", Language: "json", Code: code, Paths: []Path{
			{"macOS", "~/Library/Application Support/Claude/claude_desktop_config.json"},
			{"Windows", `%APPDATA%\Claude\claude_desktop_config.json`},
			{"Linux", "~/.config/Claude/claude_desktop_config.json"},
		},
		Note: "Claude Desktop starts local programs: the studio's program on your computer connects it to the server. Write the full path of the program, and restart Claude Desktop.",
	})
	return Client{ID: "claude-desktop", Name: "Claude Desktop", Snippets: out}, err
}

func (t table) cursor() (Client, error) {
	entry := remote{URL: t.URL, Headers: t.headers(t.Placeholder)}
	code, err := pretty(map[string]any{"mcpServers": map[string]remote{t.name: entry}})
	if err != nil {
		return Client{}, err
	}
	// A link ends up in histories, so no token belongs into it. Cursor fills ${env:NAME} in when it reads its configuration.
	linked, note := remote{URL: t.URL, Headers: t.headers("${env:" + tokenEnv + "}")}, "Cursor connects when the file is saved."
	if t.Auth {
		note += " The link takes the token from the environment variable " + tokenEnv + "; without one, put the token into the file afterwards."
	}
	config, err := json.Marshal(linked)
	link := "cursor://anysphere.cursor-deeplink/mcp/install?name=" + url.QueryEscape(t.name) + "&config=" + url.QueryEscape(base64.StdEncoding.EncodeToString(config))
	return Client{ID: "cursor", Name: "Cursor", DeepLink: &link, Snippets: []Snippet{{
		Title: "Add to mcp.json", Language: "json", Code: code, Note: note,
		Paths: []Path{{"all projects", "~/.cursor/mcp.json"}, {"one project", ".cursor/mcp.json"}},
	}}}, err
}

func (t table) vscode() (Client, error) {
	const id = "mcp-token"
	entry := remote{Type: "http", URL: t.URL}
	file := map[string]any{}
	var inputs []input
	note := "VS Code shows the server under MCP: List Servers."
	if t.Auth {
		inputs = []input{{Type: "promptString", ID: id, Description: "Token of " + t.name, Password: true}}
		entry.Headers = t.headers("${input:" + id + "}")
		file["inputs"] = inputs
		note = "VS Code asks for the token when it first connects and keeps it in its secret storage: " + t.Placeholder
	}
	file["servers"] = map[string]remote{t.name: entry}
	code, err := pretty(file)
	if err != nil {
		return Client{}, err
	}
	linked := entry
	linked.Name, linked.Inputs = t.name, inputs
	config, err := json.Marshal(linked)
	link := "vscode:mcp/install?" + strings.ReplaceAll(url.QueryEscape(string(config)), "+", "%20")
	return Client{ID: "vscode", Name: "VS Code", DeepLink: &link, Snippets: []Snippet{{
		Title: "Add to mcp.json", Language: "json", Code: code, Note: note,
		Paths: []Path{{"one workspace", ".vscode/mcp.json"}, {"all workspaces", "command MCP: Open User Configuration"}},
	}}}, err
}

func (t table) other() (Client, error) {
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	code := "curl -sS " + shell(t.URL) + " \\\n  -H 'Content-Type: application/json' \\\n  -H 'Accept: application/json, text/event-stream'"
	if t.Auth {
		code += " \\\n  -H " + shell("Authorization: Bearer "+t.Placeholder)
	}
	code += " \\\n  -d " + shell(list)
	facts := "URL: " + t.URL + "\nTransport: streamable HTTP"
	if t.Auth {
		facts += "\nHeader: Authorization: Bearer " + t.Placeholder
	}
	return Client{ID: "other", Name: "Other clients", Snippets: []Snippet{
		{Title: "What any MCP client needs", Language: "text", Code: facts, Paths: []Path{}},
		{Title: "Try it without a client", Language: "shell", Code: code, Paths: []Path{}, Note: "Lists the tools."},
	}}, nil
}

// shell quotes an argument for a POSIX shell.
func shell(arg string) string {
	if strings.HasPrefix(arg, "Authorization: ") && !strings.ContainsAny(arg, "\"$`\\!") {
		return `"` + arg + `"` // as the clients' own documentation writes it
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

func pretty(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimRight(b.String(), "\n"), nil
}
