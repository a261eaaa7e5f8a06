package child

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/hop"
)

// maxValues is how many values an answer may hold (MCP, completion).
const maxValues = 100

// enumeration is what a tool allows for one of its parameters.
type enumeration struct {
	tool   string
	values []string
}

// addEnums notes the allowed values of a tool's parameters. They complete the
// arguments of the same name of prompts and resource templates: within one
// server, one name means one thing.
func (s *server) addEnums(t *mcpgen.Tool) {
	for _, p := range t.Parameters {
		var values []string
		for _, v := range p.EnumValues {
			values = append(values, cell{value: v}.text())
		}
		if len(values) > 0 {
			s.enums[p.Name] = append(s.enums[p.Name], enumeration{t.Name, values})
		}
	}
}

// completeParams rebuilds the params of completion/complete.
func completeParams(raw []byte) (json.RawMessage, *rpcError) {
	var p struct {
		Ref struct {
			Type string `json:"type"`
			Name string `json:"name,omitempty"`
			URI  string `json:"uri,omitempty"`
		} `json:"ref"`
		Argument struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"argument"`
	}
	if json.Unmarshal(raw, &p) != nil || p.Argument.Name == "" {
		return nil, invalidParams("completion/complete needs ref and argument with name and value.")
	}
	if p.Ref.Type != "ref/prompt" && p.Ref.Type != "ref/resource" {
		return nil, invalidParams("ref.type is ref/prompt or ref/resource.")
	}
	out, err := json.Marshal(p)
	if err != nil {
		return nil, invalidParams("The parameters of this request are not valid.")
	}
	return out, nil
}

// completer answers completion/complete. An unknown reference has no completions.
type completer struct{ s *server }

var (
	_ mcpserver.PromptCompletionProvider   = completer{}
	_ mcpserver.ResourceCompletionProvider = completer{}
)

// CompletePromptArgument implements mcpserver.PromptCompletionProvider.
func (x completer) CompletePromptArgument(ctx context.Context, name string, a mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	allowed := callOf(ctx).q.Allowed
	for _, p := range x.s.manifest.Prompts {
		if p.Name == name && allowed.Prompt([]byte(name)) {
			for _, declared := range p.Arguments {
				if declared.Name == a.Name {
					return x.s.complete(allowed, a), nil
				}
			}
		}
	}
	return &mcp.Completion{Values: []string{}}, nil
}

// CompleteResourceArgument implements mcpserver.ResourceCompletionProvider.
func (x completer) CompleteResourceArgument(ctx context.Context, uri string, a mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	allowed := callOf(ctx).q.Allowed
	for _, r := range x.s.resources {
		if r.URITemplate == uri && allowed.Resource([]byte(r.Name)) && slices.Contains(r.params, a.Name) {
			return x.s.complete(allowed, a), nil
		}
	}
	return &mcp.Completion{Values: []string{}}, nil
}

// complete lists the allowed values that begin like what was typed, of the tools
// that the caller may see.
func (s *server) complete(allowed *hop.Allowed, a mcp.CompleteArgument) *mcp.Completion {
	values := []string{}
	typed := strings.ToLower(a.Value)
	for _, e := range s.enums[a.Name] {
		if !allowed.Tool([]byte(e.tool)) {
			continue
		}
		for _, v := range e.values {
			if strings.HasPrefix(strings.ToLower(v), typed) && !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	}
	total := len(values)
	return &mcp.Completion{Values: values[:min(total, maxValues)], Total: total, HasMore: total > maxValues}
}
