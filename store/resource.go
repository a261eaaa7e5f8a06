package store

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// MIMETypes lists what a resource can be rendered as.
func MIMETypes() []string {
	return []string{"application/json", "text/plain", "text/csv", "text/html", "application/xml", "text/markdown"}
}

// Resource is an MCP resource: a URI template backed by SQL (dynamic) or by text (static).
type Resource struct {
	Meta
	Name          string   `json:"name"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	URITemplate   string   `json:"uri_template" jsonschema:"RFC 6570 level 1: {param} stands for a value"`
	ConnectionID  string   `json:"connection_id" jsonschema:"with sql_query: a dynamic resource"`
	SQLQuery      string   `json:"sql_query"`
	StaticContent string   `json:"static_content"`
	MIMEType      string   `json:"mime_type"`
	Tags          []string `json:"tags"`
	IsEnabled     bool     `json:"is_enabled"`
}

// Head implements Entity.
func (r *Resource) Head() *Meta { return &r.Meta }

// Kind implements Entity.
func (r *Resource) Kind() Kind { return KindResource }

// Label implements Entity.
func (r *Resource) Label() string { return r.Name }

// Enabled implements Entity.
func (r *Resource) Enabled() bool { return r.IsEnabled }

// Secrets implements Entity; a resource has none.
func (r *Resource) Secrets() map[string]*Secret { return nil }

// Dynamic reports whether the content comes from SQL.
func (r *Resource) Dynamic() bool { return r.ConnectionID != "" || r.SQLQuery != "" }

// ResourceDraft makes a resource.
type ResourceDraft struct {
	Name          string   `json:"name"`
	Title         string   `json:"title,omitempty"`
	Description   string   `json:"description"`
	URITemplate   string   `json:"uri_template"`
	ConnectionID  string   `json:"connection_id,omitempty"`
	SQLQuery      string   `json:"sql_query,omitempty"`
	StaticContent string   `json:"static_content,omitempty"`
	MIMEType      string   `json:"mime_type,omitempty"`
	Tags          []string `json:"tags,omitempty"`
	IsEnabled     *bool    `json:"is_enabled,omitempty"`
}

// New fills the defaults; Check judges the result.
func (d ResourceDraft) New() *Resource {
	r := &Resource{
		Name: d.Name, Title: d.Title, Description: d.Description, URITemplate: d.URITemplate, ConnectionID: d.ConnectionID,
		SQLQuery: d.SQLQuery, StaticContent: d.StaticContent, MIMEType: d.MIMEType, Tags: d.Tags, IsEnabled: true,
	}
	set(&r.IsEnabled, d.IsEnabled)
	if r.MIMEType == "" {
		r.MIMEType = "application/json"
	}
	r.tidy()
	return r
}

// ResourcePatch changes a resource; an absent field is left alone.
type ResourcePatch struct {
	ID            string    `json:"id"`
	Version       int       `json:"version" jsonschema:"the version you last read"`
	Name          *string   `json:"name,omitempty"`
	Title         *string   `json:"title,omitempty"`
	Description   *string   `json:"description,omitempty"`
	URITemplate   *string   `json:"uri_template,omitempty"`
	ConnectionID  *string   `json:"connection_id,omitempty"`
	SQLQuery      *string   `json:"sql_query,omitempty"`
	StaticContent *string   `json:"static_content,omitempty"`
	MIMEType      *string   `json:"mime_type,omitempty"`
	Tags          *[]string `json:"tags,omitempty"`
	IsEnabled     *bool     `json:"is_enabled,omitempty"`
}

// Target says what the patch is for.
func (p ResourcePatch) Target() (id string, version int) { return p.ID, p.Version }

// Apply changes r.
func (p ResourcePatch) Apply(r *Resource) error {
	set(&r.Name, p.Name)
	set(&r.Title, p.Title)
	set(&r.Description, p.Description)
	set(&r.URITemplate, p.URITemplate)
	set(&r.ConnectionID, p.ConnectionID)
	set(&r.SQLQuery, p.SQLQuery)
	set(&r.StaticContent, p.StaticContent)
	set(&r.MIMEType, p.MIMEType)
	set(&r.Tags, p.Tags)
	set(&r.IsEnabled, p.IsEnabled)
	r.tidy()
	return nil
}

func (r *Resource) tidy() {
	r.Name = strings.TrimSpace(r.Name)
	if r.Tags == nil {
		r.Tags = []string{}
	}
}

var (
	uriScheme = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)
	uriParam  = regexp.MustCompile(`\{([^{}]*)\}`)
)

// URIParams returns the names in a URI template, in order. RFC 6570 level 1: simple string expansion only.
func URIParams(template string) []string {
	var names []string
	for _, m := range uriParam.FindAllStringSubmatch(template, -1) {
		names = append(names, m[1])
	}
	return names
}

// Check reports every field that breaks a rule of the entity itself.
func (r *Resource) Check() error {
	var f Fields
	checkName(&f, r.Name)
	checkTexts(&f, r.Title, r.Description)
	checkTags(&f, r.Tags)
	f.Merge("uri_template", checkTemplate(r.URITemplate))
	if !slices.Contains(MIMETypes(), r.MIMEType) {
		f.Add("mime_type", "mime_type is one of %s%s", strings.Join(MIMETypes(), ", "), Got(r.MIMEType))
	}
	switch {
	case r.Dynamic() && r.StaticContent != "":
		f.Add("static_content", "a resource has either a statement or fixed content, not both")
	case r.Dynamic() && r.ConnectionID == "":
		f.Add("connection_id", "choose the connection the statement runs on")
	case r.Dynamic() && strings.TrimSpace(r.SQLQuery) == "":
		f.Add("sql_query", "write one SQL statement")
	case !r.Dynamic() && r.StaticContent == "":
		f.Add("static_content", "give either a statement with its connection or fixed content")
	case !r.Dynamic() && len(URIParams(r.URITemplate)) > 0:
		f.Add("uri_template", "fixed content has a plain URI without {parameters}")
	}
	if utf8.RuneCountInString(r.SQLQuery) > MaxSQL || strings.ContainsRune(r.SQLQuery, 0) {
		f.Add("sql_query", "the statement is at most %d characters of valid text", MaxSQL)
	}
	if len(r.StaticContent) > MaxStatic || !utf8.ValidString(r.StaticContent) {
		f.Add("static_content", "fixed content is at most 1 MiB of valid text")
	}
	return f.Err()
}

func checkTemplate(t string) error {
	if len(t) > 1000 || !printable(t) || strings.ContainsAny(t, " <>\"\\^`|") {
		return fmt.Errorf("a URI template is at most 1,000 characters without spaces or <>\"\\^`|")
	}
	if !uriScheme.MatchString(t) {
		return fmt.Errorf("a URI starts with a scheme, for example shop://customers/{id}")
	}
	seen := map[string]bool{}
	for _, n := range URIParams(t) {
		if !parameterName.MatchString(n) {
			return fmt.Errorf("only simple {name} parameters are supported (RFC 6570 level 1); got {%s}", Clip(n))
		}
		if seen[n] {
			return fmt.Errorf("the parameter {%s} appears twice", n)
		}
		seen[n] = true
	}
	if strings.ContainsAny(uriParam.ReplaceAllString(t, ""), "{}") {
		return fmt.Errorf("a brace is not closed")
	}
	if strings.Contains(t, "}{") {
		return fmt.Errorf("two parameters need text between them, otherwise where one ends is a guess")
	}
	return nil
}
