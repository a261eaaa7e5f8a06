package supervisor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/hop"
)

// probe makes a real MCP round trip in both eras over the link that clients'
// calls will take, and compares every page of tools/list with the manifest.
func probe(ctx context.Context, link *hop.Link, m *mcpgen.Manifest) (detail string, err error) {
	var discovered struct {
		SupportedVersions []string `json:"supportedVersions"`
	}
	c := check{link: link, most: mostAnswer(m)}
	if err := c.ask(ctx, true, "server/discover", nil, &discovered); err != nil {
		return "", err
	}
	if !slices.Contains(discovered.SupportedVersions, hop.Version20260728) {
		return "", fmt.Errorf("server/discover: %s is not among the versions", hop.Version20260728)
	}
	var greeted struct {
		ProtocolVersion string `json:"protocolVersion"`
		ServerInfo      struct {
			Name string `json:"name"`
		} `json:"serverInfo"`
	}
	hello := `{"protocolVersion":"` + hop.Version20251125 + `","capabilities":{},"clientInfo":{"name":"MCP Studio health check","version":"1"}}`
	if err := c.ask(ctx, false, "initialize", []byte(hello), &greeted); err != nil {
		return "", err
	}
	if greeted.ProtocolVersion != hop.Version20251125 || greeted.ServerInfo.Name != m.Server.Name {
		return "", fmt.Errorf("initialize: got %s from %q, want %s from %q", greeted.ProtocolVersion, greeted.ServerInfo.Name, hop.Version20251125, m.Server.Name)
	}
	if err := c.compareTools(ctx, m.Tools); err != nil {
		return "", err
	}
	return fmt.Sprintf("discover, initialize, tools: %d", len(m.Tools)), nil
}

// check is one health check. What a candidate answers may cost the studio no more than the manifest did.
type check struct {
	link *hop.Link
	most int // bytes of an answer
}

// mostAnswer is more than any answer to the check can have: all definitions and the instructions, each byte escaped, and the rest.
func mostAnswer(m *mcpgen.Manifest) int {
	n := 1<<16 + 6*(len(m.Server.Name)+len(m.Server.Instructions))
	for i := range m.Tools {
		n += 6 * len(m.Tools[i].Definition)
	}
	return n
}

// compareTools reads all pages of tools/list; what the server says must be what the manifest says.
func (c check) compareTools(ctx context.Context, want []mcpgen.Tool) error {
	listed := 0
	var cursor *string
	for {
		var page struct {
			Tools      []json.RawMessage `json:"tools"`
			NextCursor *string           `json:"nextCursor"`
		}
		params, err := json.Marshal(struct {
			Cursor *string `json:"cursor,omitempty"`
		}{cursor})
		if err != nil {
			return err
		}
		if err := c.ask(ctx, false, "tools/list", params, &page); err != nil {
			return err
		}
		for _, got := range page.Tools {
			if listed == len(want) {
				return fmt.Errorf("tools/list: more than %d tools", len(want))
			}
			if !sameJSON(got, want[listed].Definition) {
				return fmt.Errorf("tools/list: the definition of %s is not the manifest's", want[listed].Name)
			}
			listed++
		}
		if cursor = page.NextCursor; cursor == nil || len(page.Tools) == 0 {
			break
		}
	}
	if listed != len(want) || cursor != nil {
		return fmt.Errorf("tools/list: got %d tools, want %d", listed, len(want))
	}
	return nil
}

// sameJSON compares values, not bytes: on its way an encoder may write "<" as an escape. Numbers are compared as they are written.
func sameJSON(a, b json.RawMessage) bool {
	var values [2]any
	for i, raw := range []json.RawMessage{a, b} {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if d.Decode(&values[i]) != nil {
			return false
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

// ask makes one request and decodes its result.
func (c check) ask(ctx context.Context, modern bool, method string, params []byte, result any) error {
	q := hop.Request{Method: []byte(method), ID: []byte(`"studio-health"`), Params: params, Principal: studioPrincipal("health check")}
	if modern {
		q.Modern, q.Version = true, []byte(hop.Version20260728)
	}
	var r hop.Reply
	if err := c.link.Call(ctx, &q, &r); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if len(r.Body) > c.most {
		return fmt.Errorf("%s: the answer has %d bytes, more than there is to say", method, len(r.Body))
	}
	var answer struct {
		ID     string          `json:"id"`
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	err := json.Unmarshal(r.Body, &answer)
	switch {
	case err != nil:
		return fmt.Errorf("%s: the answer is not JSON", method)
	case answer.Error != nil:
		return fmt.Errorf("%s: error %d: %s", method, answer.Error.Code, answer.Error.Message)
	case r.Status != http.StatusOK || answer.ID != "studio-health" || answer.Result == nil:
		return fmt.Errorf("%s: the answer has status %d and is not for this request", method, r.Status)
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return errors.Join(fmt.Errorf("%s: the result has another form", method), err)
	}
	return nil
}
