package supervisor

import (
	"testing"

	"mcpstudio/mcpgen"
	"mcpstudio/store"
)

// TestSystemRoots: a child loads the system's certificates before its files go away when, and only when, one of its connections verifies a
// server against them.
func TestSystemRoots(t *testing.T) {
	v := still(t)
	for _, c := range []struct {
		mode store.SSLMode
		cert string
		want bool
	}{
		{store.SSLVerifyFull, "", true}, {store.SSLVerifyCA, "", true}, {store.SSLVerifyFull, "a certificate", false},
		{store.SSLRequire, "", false}, {store.SSLPrefer, "", false}, {store.SSLDisable, "", false}, {"", "", false},
	} {
		p, err := v.planBench(mcpgen.Bench{Connection: mcpgen.Connection{ID: "c1", DBType: store.PostgreSQL, Host: "db.example", Port: 5432, SSLMode: c.mode, SSLRootCert: c.cert}})
		if err != nil {
			t.Fatal(err)
		}
		if p.policy.SystemRoots != c.want {
			t.Errorf("%q with the certificate %q: %t", c.mode, c.cert, p.policy.SystemRoots)
		}
	}
}
