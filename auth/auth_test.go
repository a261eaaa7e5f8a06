package auth_test

import (
	"context"
	"testing"

	"mcpstudio/auth"
	"mcpstudio/store"
)

func TestRequire(t *testing.T) {
	agent := auth.Principal{Kind: auth.KindAgent, ID: "a1", Name: "bot", Scopes: []auth.Scope{auth.ScopeRead, auth.ScopeWrite}}
	for _, tc := range []struct {
		name  string
		ctx   context.Context
		scope auth.Scope
		want  store.Code // empty: allowed
	}{
		{"nobody", context.Background(), auth.ScopeRead, store.Unauthorized},
		{"the zero principal", auth.NewContext(context.Background(), auth.Principal{}), auth.ScopeRead, store.Unauthorized},
		{"anybody", auth.NewContext(context.Background(), auth.Principal{Kind: auth.KindNone, Scopes: auth.Scopes()}), auth.ScopeRead, store.Unauthorized},
		{"an MCP token manages nothing", auth.NewContext(context.Background(), auth.Principal{Kind: auth.KindMCPToken, Name: "claude"}), auth.ScopeRead, store.Forbidden},
		{"held", auth.NewContext(context.Background(), agent), auth.ScopeWrite, ""},
		{"write does not imply query", auth.NewContext(context.Background(), agent), auth.ScopeQuery, store.Forbidden},
		{"not admin", auth.NewContext(context.Background(), agent), auth.ScopeAdmin, store.Forbidden},
		{"the inner principal counts", auth.NewContext(auth.NewContext(context.Background(), auth.System()), agent), auth.ScopeAdmin, store.Forbidden},
		{"system", auth.NewContext(context.Background(), auth.System()), auth.ScopeAdmin, ""},
		{"command", auth.NewContext(context.Background(), auth.CLI()), auth.ScopeDeploy, ""},
	} {
		err := auth.Require(tc.ctx, tc.scope)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || store.CodeOf(err) != tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
	if got, want := auth.Actor(agent), (store.Actor{Kind: "agent", ID: "a1", Name: "bot"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAllowed(t *testing.T) {
	some, none := []string{"list_orders"}, []string{}
	for _, tc := range []struct {
		list *[]string
		name string
		want bool
	}{{nil, "x", true}, {&some, "list_orders", true}, {&some, "List_Orders", false}, {&some, "", false}, {&none, "list_orders", false}} {
		a := auth.Allowed{Tools: tc.list, Resources: tc.list, Prompts: tc.list}
		if a.Tool(tc.name) != tc.want || a.Resource(tc.name) != tc.want || a.Prompt(tc.name) != tc.want {
			t.Errorf("%v allows %q: %v, want %v", tc.list, tc.name, a.Tool(tc.name), tc.want)
		}
	}
	a := auth.Allowed{Tools: &some}
	if !a.Prompt("x") || !a.Resource("x") || a.Tool("x") {
		t.Error("a list of tools limits more than tools, or nothing")
	}
}
