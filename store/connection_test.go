package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"mcpstudio/store"
)

func postgres() *store.Connection {
	c := store.ConnectionDraft{Name: "shop", DBType: store.PostgreSQL, Host: "db.example", Database: "shop", Username: "app"}.New()
	c.Password = store.StoredSecret()
	return c
}

func bigquery() *store.Connection {
	c := store.ConnectionDraft{Name: "bq", DBType: store.BigQuery, ExtraParams: raw(`{"project_id":"p","dataset":"d","credentials_json":{"private_key":"k"}}`)}.New()
	*c.Secrets()["extra_params.credentials_json"] = store.StoredSecret()
	return c
}

func raw(s string) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		panic(err)
	}
	return m
}

func patch(t *testing.T, c *store.Connection, body string) error {
	t.Helper()
	var p store.ConnectionPatch
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		return err
	}
	if err := p.Apply(c); err != nil {
		return err
	}
	return c.Check()
}

// fieldOf returns the field an Invalid error names first; every other error fails the test.
func fieldOf(t *testing.T, err error) string {
	t.Helper()
	var e *store.Error
	if !errors.As(err, &e) || e.Code != store.Invalid {
		t.Fatalf("got %v, want an Invalid error", err)
	}
	return e.Field
}

// TestSecretDoesNotTravel is case 83: whatever says where a connection points, a stored secret does not follow it.
func TestSecretDoesNotTravel(t *testing.T) {
	for name, body := range map[string]string{
		"host":          `{"host":"evil.example"}`,
		"port":          `{"port":5433}`,
		"username":      `{"username":"root"}`,
		"type":          `{"db_type":"mysql"}`,
		"TLS off":       `{"ssl_mode":"disable"}`,
		"TLS root":      `{"ssl_root_cert":"-----BEGIN CERTIFICATE-----"}`,
		"an option":     `{"extra_params":{"options":"-c x"}}`,
		"with the mask": `{"host":"evil.example","password":"` + store.Mask + `"}`,
		"type and back": `{"db_type":"greenplum","port":5432}`,
	} {
		if got := fieldOf(t, patch(t, postgres(), body)); got != "password" {
			t.Errorf("%s: field %q", name, got)
		}
	}
	for name, body := range map[string]string{
		"nothing that points": `{"name":"other","database":"d2","max_rows":5,"read_only":false,"tags":["a"]}`,
		"the same host":       `{"host":"DB.example","port":5432}`,
		"with the password":   `{"host":"new.example","password":"again"}`,
		"cleared":             `{"host":"new.example","password":null}`,
		"sent back as it was": `{"host":"db.example","password":"` + store.Mask + `","ssl_mode":"prefer","extra_params":{}}`,
	} {
		if err := patch(t, postgres(), body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	free := postgres()
	free.Password = store.Secret{}
	if err := patch(t, free, `{"host":"new.example"}`); err != nil {
		t.Errorf("without a stored secret: %v", err)
	}
	if err := patch(t, bigquery(), `{"extra_params":{"project_id":"other"}}`); err == nil {
		t.Error("credentials follow to another project")
	}
}

// TestExtraSecrets is case 85.
func TestExtraSecrets(t *testing.T) {
	mask := `"` + store.Mask + `"`
	credentials := func(c *store.Connection) store.Secret { return *c.Secrets()["extra_params.credentials_json"] }

	c := bigquery()
	if string(c.ExtraParams["credentials_json"]) != mask || strings.Contains(string(mustJSON(t, c)), "private_key") {
		t.Fatalf("draft: %s", mustJSON(t, c))
	}
	for name, body := range map[string]string{
		"sent back":  `{"extra_params":{"project_id":"p","dataset":"d","credentials_json":` + mask + `}}`,
		"left out":   `{"extra_params":{"project_id":"p","dataset":"d"}}`,
		"other part": `{"max_rows":7}`,
	} {
		c := bigquery()
		if err := patch(t, c, body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s := credentials(c); !s.IsSet() || s.IsGiven() || string(c.ExtraParams["credentials_json"]) != mask {
			t.Errorf("%s: %s", name, mustJSON(t, c))
		}
	}
	c = bigquery()
	c.NeedsSecret = true
	if err := patch(t, c, `{"extra_params":{"project_id":"p2","credentials_json":"{\"private_key\":\"new\"}"}}`); err != nil {
		t.Fatal(err)
	}
	if v, ok := credentials(c).Reveal(); !ok || v != `{"private_key":"new"}` || c.NeedsSecret {
		t.Errorf("%q %v", v, c.NeedsSecret)
	}
	c = bigquery()
	if err := patch(t, c, `{"extra_params":{"project_id":"p","dataset":"d","credentials_json":null}}`); err != nil {
		t.Fatal(err)
	}
	if _, there := c.ExtraParams["credentials_json"]; there || !credentials(c).IsCleared() {
		t.Errorf("cleared: %s", mustJSON(t, c))
	}
	for _, bad := range []string{`""`, `"•••••"`, `7`, `["x"]`, `true`} {
		if got := fieldOf(t, patch(t, bigquery(), `{"extra_params":{"project_id":"p","dataset":"d","credentials_json":`+bad+`}}`)); got != "extra_params.credentials_json" {
			t.Errorf("%s: field %q", bad, got)
		}
	}
	// Under another name the mask stands for nothing, and the secret is neither moved nor shown.
	c = bigquery()
	if err := patch(t, c, `{"extra_params":{"project_id":"p","dataset":"d","note":`+mask+`}}`); err != nil {
		t.Fatal(err)
	}
	if _, there := c.ExtraParams["note"]; there || !credentials(c).IsSet() {
		t.Errorf("renamed: %s", mustJSON(t, c))
	}
	// A type that has no such secret drops the mask; one that has it takes the text out of the clear.
	if err := patch(t, bigquery(), `{"db_type":"sqlite","database":"a.db"}`); err != nil {
		t.Errorf("a type without the key: %v", err)
	}
	plain := postgres()
	plain.Password = store.Secret{}
	plain.ExtraParams = raw(`{"credentials_json":{"private_key":"in clear"}}`)
	if err := patch(t, plain, `{"db_type":"bigquery"}`); err != nil {
		t.Fatal(err)
	}
	if !credentials(plain).IsGiven() || strings.Contains(string(mustJSON(t, plain)), "in clear") {
		t.Errorf("to a type with the secret: %s", mustJSON(t, plain))
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRoundTrip is case 81: what a GET shows may be sent back and changes nothing.
// A secret under another spelling of its key would be no secret: stored, shown and deployed in clear.
func TestExtraSecretSpelling(t *testing.T) {
	for _, key := range []string{"Credentials_json", "CREDENTIALS_JSON", " credentials_json"} {
		c := store.ConnectionDraft{Name: "bq", DBType: store.BigQuery, ExtraParams: raw(`{"project_id":"p","` + key + `":"k"}`)}.New()
		if got := fieldOf(t, c.Check()); got != "extra_params."+key {
			t.Errorf("%q: got field %q", key, got)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, c := range []*store.Connection{postgres(), bigquery()} {
		shown := mustJSON(t, c)
		if err := patch(t, c, string(shown)); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if again := mustJSON(t, c); string(again) != string(shown) {
			t.Errorf("sent back, it is\n%s\nand was\n%s", again, shown)
		}
		if !c.HasSecret() {
			t.Errorf("%s lost its secret", c.Name)
		}
	}
}

func TestConnectionDefaults(t *testing.T) {
	c := store.ConnectionDraft{Name: " shop ", DBType: store.MySQL, Host: " h "}.New()
	if c.Name != "shop" || c.Host != "h" || c.Port != 3306 || c.SSLMode != store.SSLPrefer || !c.ReadOnly || !c.IsActive || !c.QueueEnabled || c.MaxRows != 1000 ||
		c.MaxResultBytes != 1<<20 || c.StatementTimeoutSeconds != 30 || c.MaxConcurrentQueries != 5 || c.QueueTimeoutSeconds != 30 || c.Tags == nil || c.ExtraParams == nil {
		t.Errorf("%+v", c)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	for _, kind := range store.DBTypes() {
		d := store.ConnectionDraft{Name: "x", DBType: kind, Host: "h", Database: "a.db"}
		if err := d.New().Check(); err != nil {
			t.Errorf("%s cannot be stored: %v", kind, err)
		}
	}
	c = postgres()
	if err := patch(t, c, `{"db_type":"mysql","password":"p"}`); err != nil || c.Port != 3306 {
		t.Errorf("another type keeps the port %d: %v", c.Port, err)
	}
}

func TestConnectionCheck(t *testing.T) {
	for _, tc := range []struct {
		field  string
		change func(*store.Connection)
	}{
		{"name", func(c *store.Connection) { c.Name = "" }},
		{"name", func(c *store.Connection) { c.Name = strings.Repeat("é", 101) }},
		{"name", func(c *store.Connection) { c.Name = "a\u202eb" }},
		{"db_type", func(c *store.Connection) { c.DBType = "oracle" }},
		{"host", func(c *store.Connection) { c.Host = "" }},
		{"host", func(c *store.Connection) { c.Host = "postgres://h" }},
		{"host", func(c *store.Connection) { c.Host = "h/path" }},
		{"host", func(c *store.Connection) { c.Host = "h:5432" }},
		{"host", func(c *store.Connection) { c.Host = "a b" }},
		{"host", func(c *store.Connection) { c.Host = "a@b" }},
		{"host", func(c *store.Connection) { c.Host = "h\x00" }},
		{"host", func(c *store.Connection) { c.Host = "-oProxy" }},
		{"port", func(c *store.Connection) { c.Port = 0 }},
		{"port", func(c *store.Connection) { c.Port = 65536 }},
		{"username", func(c *store.Connection) { c.Username = "a\nb" }},
		{"database", func(c *store.Connection) { c.Database = strings.Repeat("d", 257) }},
		{"ssl_mode", func(c *store.Connection) { c.SSLMode = "on" }},
		{"extra_params", func(c *store.Connection) { c.ExtraParams = raw(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`) }},
		{"pool_min_size", func(c *store.Connection) { c.PoolMinSize = 6 }},
		{"pool_max_size", func(c *store.Connection) { c.PoolMaxSize = 0 }},
		{"max_concurrent_queries", func(c *store.Connection) { c.MaxConcurrentQueries = 201 }},
		{"queue_timeout_seconds", func(c *store.Connection) { c.QueueTimeoutSeconds = 301 }},
		{"statement_timeout_seconds", func(c *store.Connection) { c.StatementTimeoutSeconds = 0 }},
		{"max_rows", func(c *store.Connection) { c.MaxRows = 100_001 }},
		{"max_result_bytes", func(c *store.Connection) { c.MaxResultBytes = 11 << 20 }},
		{"tags", func(c *store.Connection) { c.Tags = []string{"<b>"} }},
		{"tags", func(c *store.Connection) { c.Tags = make([]string, 21) }},
	} {
		c := postgres()
		tc.change(c)
		if got := fieldOf(t, c.Check()); got != tc.field {
			t.Errorf("got field %q, want %q", got, tc.field)
		}
	}
	for _, host := range []string{"localhost", "db-1.example.com", "127.0.0.1", "::1", "2001:db8::1", "fe80::1%eth0", "_srv.example", "db_1"} {
		c := postgres()
		c.Host = host
		if err := c.Check(); err != nil {
			t.Errorf("host %q: %v", host, err)
		}
	}
}

// TestSQLitePath keeps the file below its directory (case 157 in words; the child enforces it).
func TestSQLitePath(t *testing.T) {
	for path, ok := range map[string]bool{
		"shop.db": true, "a/b/shop.db": true, "..hidden.db": true, "a..b/c.db": true,
		"": false, "/etc/passwd": false, "../x.db": false, "a/../../x.db": false, "a/..": false, `a\b`: false, "x.db?mode=rwc": false, "x#y": false, "%2e%2e/x": false, "file:x.db": false, "x\x00": false,
	} {
		c := store.ConnectionDraft{Name: "s", DBType: store.SQLite, Database: path}.New()
		if err := c.Check(); (err == nil) != ok {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// Options are stored and shown in clear, so none may hold a secret. case 85
func TestOptionsThatLookLikeSecrets(t *testing.T) {
	for key, refused := range map[string]bool{"password": true, "sslkey": true, "sslpassword": true, "api_key": true, "Private-Key": true, "auth_token": true, "pooler": false, "application_name": false, "warehouse": false, "keyspace": false} {
		c := store.ConnectionDraft{Name: "x", DBType: store.PostgreSQL, Host: "h", ExtraParams: map[string]json.RawMessage{key: []byte(`"v"`)}}.New()
		if err := c.Check(); (err != nil) != refused {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestEndpointDigest: each part counts, no two share a reading, and what is stored today must open tomorrow.
func TestEndpointDigest(t *testing.T) {
	base := store.Endpoint{DBType: store.PostgreSQL, Host: "h", Port: 5432, Username: "u", SSLMode: store.SSLPrefer, ExtraParams: "{}"}
	if got := base.Digest(); got != "3a66bc7c9edb2cbecc868e3b3b3a93ba1be7576aab028576574d351340a4803b" {
		t.Errorf("the digest is %s: every stored secret would have to be entered again", got)
	}
	seen := map[string]store.Endpoint{base.Digest(): base}
	for _, change := range []func(*store.Endpoint){
		func(e *store.Endpoint) { e.DBType = store.MySQL },
		func(e *store.Endpoint) { e.Host = "h1:u" },
		func(e *store.Endpoint) { e.Host, e.Username = "hu", "" },
		func(e *store.Endpoint) { e.Host, e.Username = "", "hu" },
		func(e *store.Endpoint) { e.Port = 543 },
		func(e *store.Endpoint) { e.Username = "v" },
		func(e *store.Endpoint) { e.SSLMode = store.SSLDisable },
		func(e *store.Endpoint) { e.SSLRootCert = "x" },
		func(e *store.Endpoint) { e.ExtraParams = `{"a":1}` },
		func(e *store.Endpoint) { e.SSLRootCert, e.ExtraParams = "{}", "" },
	} {
		e := base
		change(&e)
		if other, taken := seen[e.Digest()]; taken {
			t.Errorf("%+v and %+v share a digest", e, other)
		}
		seen[e.Digest()] = e
	}
	if (&store.Connection{}).Endpoint() != (&store.Connection{ExtraParams: map[string]json.RawMessage{}}).Endpoint() {
		t.Error("no options and an empty set of them differ")
	}
}

// TestPastedSecrets: what people paste into the wrong field is refused and not said back. It would be shown, and stand in the history for ever.
func TestPastedSecrets(t *testing.T) {
	const secret = "s3cret-canary"
	const address = "postgres://app:" + secret + "@db.example/shop"
	file := func() *store.Connection {
		return store.ConnectionDraft{Name: "s", DBType: store.SQLite, Database: "a.db"}.New()
	}
	for _, tc := range []struct {
		field string
		of    func() *store.Connection
		paste func(*store.Connection)
	}{
		{"host", postgres, func(c *store.Connection) { c.Host = address }},
		{"host", postgres, func(c *store.Connection) { c.Host = "app:" + secret + "@db.example" }},
		{"database", postgres, func(c *store.Connection) { c.Database = address }},
		{"username", postgres, func(c *store.Connection) { c.Username = address }},
		{"host", file, func(c *store.Connection) { c.Host = address }},
		{"database", file, func(c *store.Connection) { c.Database = address }},
		{"ssl_root_cert", postgres, func(c *store.Connection) {
			c.SSLRootCert = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\n" + secret + "\n-----END RSA PRIVATE KEY-----"
		}},
		{"extra_params.password", postgres, func(c *store.Connection) { c.ExtraParams = raw(`{"password":"` + secret + `"}`) }},
		{"extra_params.auth", postgres, func(c *store.Connection) { c.ExtraParams = raw(`{"auth":{"user":"u","password":"` + secret + `"}}`) }},
		{"extra_params.dsn", postgres, func(c *store.Connection) { c.ExtraParams = raw(`{"dsn":"` + address + `"}`) }},
		{"extra_params.pem", postgres, func(c *store.Connection) {
			c.ExtraParams = raw(`{"pem":["-----BEGIN PRIVATE KEY-----` + secret + `"]}`)
		}},
	} {
		c := tc.of()
		tc.paste(c)
		err := c.Check()
		if err == nil {
			t.Errorf("%s: accepted", tc.field)
			continue
		}
		var e *store.Error
		if got := fieldOf(t, err); got != tc.field || !errors.As(err, &e) || strings.Contains(fmt.Sprintf("%+v", *e), secret) {
			t.Errorf("%s: %+v", tc.field, e)
		}
	}
	c := postgres()
	c.ExtraParams = raw(`{"pooler":"transaction","options":"-c search_path=a:b","url":"https://example.org/a:b@c"}`)
	if err := c.Check(); err != nil {
		t.Errorf("options without a secret: %v", err)
	}
}

// TestUnusedEndpoint: a host and a port that the kind of database does not use are bounded all the same.
func TestUnusedEndpoint(t *testing.T) {
	for field, change := range map[string]func(*store.Connection){
		"host": func(c *store.Connection) { c.Host = strings.Repeat("h", 300) },
		"port": func(c *store.Connection) { c.Port = -1 },
	} {
		c := store.ConnectionDraft{Name: "s", DBType: store.SQLite, Database: "a.db"}.New()
		change(c)
		if got := fieldOf(t, c.Check()); got != field {
			t.Errorf("got field %q, want %q", got, field)
		}
	}
}
