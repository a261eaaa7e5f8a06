package sandbox

import (
	"fmt"
	"testing"
)

// TestWeakest: whichever thread has a layer off, and whichever layer, the process has it off (case 230).
func TestWeakest(t *testing.T) {
	good := Verified{UID: 64123, GID: 64123, Groups: []int{}, Seccomp: 2, SeccompFilters: 3, NoNewPrivs: true}
	for name, weaken := range map[string]func(*Verified){
		"uid":               func(v *Verified) { v.UID = 0 },
		"gid":               func(v *Verified) { v.GID = 0 },
		"a group":           func(v *Verified) { v.Groups = []int{27} },
		"no filter":         func(v *Verified) { v.Seccomp = 0 },
		"fewer filters":     func(v *Verified) { v.SeccompFilters = 1 },
		"no no_new_privs":   func(v *Verified) { v.NoNewPrivs = false },
		"effective":         func(v *Verified) { v.CapEffective = 1 },
		"permitted":         func(v *Verified) { v.CapPermitted = 1 },
		"inheritable":       func(v *Verified) { v.CapInheritable = 1 },
		"ambient":           func(v *Verified) { v.CapAmbient = 1 },
		"bounding":          func(v *Verified) { v.CapBounding = 1 },
		"another bit of it": func(v *Verified) { v.CapPermitted = 1 << 40 },
	} {
		bad := good
		weaken(&bad)
		for order, got := range map[string]Verified{"last": weakest(good, bad), "first": weakest(bad, good)} {
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", bad) {
				t.Errorf("%s, %s: %+v, want %+v", name, order, got, bad)
			}
		}
	}
}
