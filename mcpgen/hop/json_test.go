package hop

import "testing"

func TestErrorBody(t *testing.T) {
	for _, c := range []struct {
		id, data, msg, want string
	}{
		{"", "", "no", `{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"no"}}`},
		{`"a"`, `{"x":1}`, "a \"b\"\n\x01", `{"jsonrpc":"2.0","id":"a","error":{"code":-32602,"message":"a \"b\"\n\u0001","data":{"x":1}}}`},
	} {
		var id, data []byte
		if c.id != "" {
			id, data = []byte(c.id), []byte(c.data)
		}
		if got := string(ErrorBody([]byte("before "), id, CodeInvalidParams, c.msg, data)); got != "before "+c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
