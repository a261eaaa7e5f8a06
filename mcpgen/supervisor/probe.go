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

// maxPages bounds how long a candidate may go on with next cursors.
const maxPages = 1000

// probe makes a real MCP round trip in both eras over the link that clients'
// calls will take, and compares every page of tools/list with the manifest.
func probe(ctx context.Context, link *hop.Link, m *mcpgen.Manifest) (detail string, err error) {
	var discovered struct {
		SupportedVersions []string `json:"supportedVersions"`
	}
	if err := ask(ctx, link, true, "server/discover", nil, &discovered); err != nil {
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
	if err := ask(ctx, link, false, "initialize", []byte(hello), &greeted); err != nil {
		return "", err
	}
	if greeted.ProtocolVersion != hop.Version20251125 || greeted.ServerInfo.Name != m.Server.Name {
		return "", fmt.Errorf("initialize: got %s from %q, want %s from %q", greeted.ProtocolVersion, greeted.ServerInfo.Name, hop.Version20251125, m.Server.Name)
	}
	if err := compareTools(ctx, link, m.Tools); err != nil {
		return "", err
	}
	return fmt.Sprintf("discover, initialize, %d tools", len(m.Tools)), nil
}

// compareTools reads all pages of tools/list; what the server says must be what the manifest says.
func compareTools(ctx context.Context, link *hop.Link, want []mcpgen.Tool) error {
	var got []json.RawMessage
	var cursor *string
	for range maxPages {
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
		if err := ask(ctx, link, false, "tools/list", params, &page); err != nil {
			return err
		}
		got = append(got, page.Tools...)
		if cursor = page.NextCursor; cursor == nil {
			break
		}
	}
	if len(got) != len(want) || cursor != nil {
		return fmt.Errorf("tools/list: got %d tools, want %d", len(got), len(want))
	}
	for i := range want {
		if !sameJSON(got[i], want[i].Definition) {
			return fmt.Errorf("tools/list: the definition of %s is not the manifest's", want[i].Name)
		}
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
func ask(ctx context.Context, link *hop.Link, modern bool, method string, params []byte, result any) error {
	q := hop.Request{Method: []byte(method), ID: []byte(`"studio-health"`), Params: params, Principal: studioPrincipal("health check")}
	if modern {
		q.Modern, q.Version = true, []byte(hop.Version20260728)
	}
	var r hop.Reply
	if err := link.Call(ctx, &q, &r); err != nil {
		return fmt.Errorf("%s: %w", method, err)
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
