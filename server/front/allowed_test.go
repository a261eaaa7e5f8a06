package front

import (
	"testing"

	"mcpstudio/auth"
)

// TestNoneIsNotAll: a token whose list is there and has no names in it, however it came to be, reaches nothing of that kind; only a list
// that is not there means all.
func TestNoneIsNotAll(t *testing.T) {
	var none []string
	for name, tools := range map[string]*[]string{"no names": {}, "a nil list": &none} {
		var c allowedCache
		got := c.of(auth.Allowed{Tools: tools})
		if got == nil || got.Tool([]byte("top")) || !got.Prompt([]byte("any")) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	var c allowedCache
	if got := c.of(auth.Allowed{}); got != nil {
		t.Errorf("no list: %+v, want all", got)
	}
}
