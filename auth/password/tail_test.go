package password

import (
	"errors"
	"testing"
)

// TestTail: six digits and signs behind a common word do not make it a good password; what is longer is more than a word.
func TestTail(t *testing.T) {
	for tail, ok := range map[string]bool{"!": false, "!?!?!?": false, "!?!?!?!": true} {
		err := Check("password"+tail, "ada")
		if weak := (*WeakError)(nil); (err == nil) != ok || err != nil && !errors.As(err, &weak) {
			t.Errorf("password%s: %v", tail, err)
		}
	}
}
