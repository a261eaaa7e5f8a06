package child

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/jsonscan"
	"mcpstudio/store"
)

// prompt answers prompts/get.
func (s *server) prompt(ctx context.Context, q *hop.Request, r *hop.Reply) *rpcError {
	known := slices.ContainsFunc(s.manifest.Prompts, func(p mcpgen.Prompt) bool { return p.Name == string(q.Name) })
	if !known || !q.Allowed.Prompt(q.Name) {
		return &rpcError{code: hop.CodeInvalidParams, outcome: codeUnknownName, message: "There is no prompt of this name. prompts/list names those there are."}
	}
	params := append(jsonscan.AppendString([]byte(`{"name":`), q.Name), '}')
	return s.ask(ctx, s.view(q.Allowed).lists, q, r, "prompts/get", params)
}

// promptHandler fills the messages of one prompt.
func (s *server) promptHandler(p *mcpgen.Prompt) mcpserver.PromptHandlerFunc {
	return func(ctx context.Context, _ mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		c := callOf(ctx)
		values, no := promptArguments(p, c.q.Args)
		if no != nil {
			return nil, c.refuse(no)
		}
		result := &mcp.GetPromptResult{Description: p.Description}
		for _, b := range p.Messages {
			content, err := s.promptContent(ctx, c, b, values)
			if err != nil {
				var refused *rpcError
				if errors.As(err, &refused) {
					return nil, c.refuse(refused)
				}
				return nil, err
			}
			result.Messages = append(result.Messages, mcp.PromptMessage{Role: mcp.Role(b.Role), Content: content})
		}
		return result, nil
	}
}

// promptArguments checks the arguments of a prompt, which are strings (MCP, prompts).
func promptArguments(p *mcpgen.Prompt, raw []byte) (map[string]string, *rpcError) {
	given := map[string]json.RawMessage{}
	if len(raw) > 0 && json.Unmarshal(raw, &given) != nil {
		return nil, invalidParams("The arguments must be an object of strings.")
	}
	values := map[string]string{}
	for _, a := range p.Arguments {
		v, ok := given[a.Name]
		delete(given, a.Name)
		var text string
		switch {
		case !ok && a.Required:
			return nil, invalidParams("The argument %s is required.", a.Name)
		case ok && (len(v) == 0 || v[0] != '"' || json.Unmarshal(v, &text) != nil):
			return nil, invalidParams("The argument %s must be a string.", a.Name)
		case ok:
			values[a.Name] = text
		}
	}
	for name := range given {
		return nil, invalidParams("The prompt has no argument %s.", name)
	}
	return values, nil
}

// promptContent fills one block. A resource block without text of its own embeds
// the resource of that URI, as far as the caller may read it.
func (s *server) promptContent(ctx context.Context, c *call, b store.Block, values map[string]string) (mcp.Content, error) {
	text, err := store.Expand(b.Text, values)
	if err != nil {
		return nil, err
	}
	switch b.Type {
	case "image":
		return mcp.NewImageContent(b.Data, b.MIMEType), nil
	case "resource":
		uri, err := store.Expand(b.URI, values)
		if err != nil {
			return nil, err
		}
		mime := b.MIMEType
		if b.Text == "" {
			got, no := s.fetch(ctx, c.q, []byte(uri), c.r)
			if no != nil {
				if no.code == legacyNotFound { // it is the argument that is wrong, in either era
					no.code = hop.CodeInvalidParams
				}
				return nil, no
			}
			text, mime = got.text, got.mime
		}
		if mime == "" {
			mime = "text/plain"
		}
		return mcp.NewEmbeddedResource(mcp.TextResourceContents{URI: uri, MIMEType: mime, Text: text}), nil
	}
	return mcp.NewTextContent(text), nil
}
