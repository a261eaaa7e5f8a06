package store

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ParamType is the type of a tool's parameter.
type ParamType string

// The types. An array's items are strings, integers, numbers or booleans.
const (
	TypeString   ParamType = "string"
	TypeInteger  ParamType = "integer"
	TypeNumber   ParamType = "number"
	TypeBoolean  ParamType = "boolean"
	TypeDate     ParamType = "date"
	TypeDatetime ParamType = "datetime"
	TypeArray    ParamType = "array"
)

// ParamTypes lists the types.
func ParamTypes() []ParamType {
	return []ParamType{TypeString, TypeInteger, TypeNumber, TypeBoolean, TypeDate, TypeDatetime, TypeArray}
}

// Parameter is one typed placeholder of a tool's statement. An absent optional parameter without a default binds NULL.
type Parameter struct {
	Name         string            `json:"name" jsonschema:"the placeholder's name without the colon"`
	ParamType    ParamType         `json:"param_type" jsonschema:"string, integer, number, boolean, date, datetime or array"`
	ItemType     ParamType         `json:"item_type,omitempty" jsonschema:"type of an array's items; string when left out"`
	Description  string            `json:"description"`
	IsRequired   bool              `json:"is_required"`
	DefaultValue json.RawMessage   `json:"default_value,omitempty"`
	EnumValues   []json.RawMessage `json:"enum_values,omitempty"`
	Minimum      *json.Number      `json:"minimum,omitempty"`
	Maximum      *json.Number      `json:"maximum,omitempty"`
	Pattern      string            `json:"pattern,omitempty" jsonschema:"RE2 regular expression a string must match"`
	SortOrder    int               `json:"sort_order"`
}

// Annotations are hints for the client (MCP, ToolAnnotations).
type Annotations struct {
	ReadOnly    bool `json:"read_only"`
	Destructive bool `json:"destructive"`
	Idempotent  bool `json:"idempotent"`
	OpenWorld   bool `json:"open_world"`
}

// UnmarshalJSON reads hints; one that does not say whether the tool only reads means that it does, unless it is destructive.
func (a *Annotations) UnmarshalJSON(b []byte) error {
	var in struct {
		ReadOnly    *bool `json:"read_only"`
		Destructive bool  `json:"destructive"`
		Idempotent  bool  `json:"idempotent"`
		OpenWorld   bool  `json:"open_world"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*a = Annotations{ReadOnly: !in.Destructive, Destructive: in.Destructive, Idempotent: in.Idempotent, OpenWorld: in.OpenWorld}
	set(&a.ReadOnly, in.ReadOnly)
	return nil
}

// Content maps one column to a content block of the result instead of JSON.
type Content struct {
	Type     string `json:"type" jsonschema:"text, image, audio, resource or resource_link"`
	MIMEType string `json:"mime_type,omitempty"`
}

// Tool is an MCP tool: one SQL statement with typed parameters.
type Tool struct {
	Meta
	ConnectionID string             `json:"connection_id"`
	Name         string             `json:"name"`
	Title        string             `json:"title"`
	Description  string             `json:"description"`
	SQLQuery     string             `json:"sql_query" jsonschema:"one statement with :name placeholders"`
	Parameters   []Parameter        `json:"parameters"`
	Tags         []string           `json:"tags"`
	Annotations  Annotations        `json:"annotations"`
	Content      map[string]Content `json:"content" jsonschema:"column to content block; empty: JSON rows"`
	InputSchema  json.RawMessage    `json:"input_schema,omitempty" jsonschema:"used verbatim instead of the generated schema"`
	OutputSchema json.RawMessage    `json:"output_schema,omitempty" jsonschema:"known from the last preview"`
	CacheTTL     int                `json:"cache_ttl" jsonschema:"seconds, 0 to 86400"`
	Transform    string             `json:"transform" jsonschema:"a jq program over the array of rows"`
	IsEnabled    bool               `json:"is_enabled"`
}

// Head implements Entity.
func (t *Tool) Head() *Meta { return &t.Meta }

// Kind implements Entity.
func (t *Tool) Kind() Kind { return KindTool }

// Label implements Entity.
func (t *Tool) Label() string { return t.Name }

// Enabled implements Entity.
func (t *Tool) Enabled() bool { return t.IsEnabled }

// Secrets implements Entity; a tool has none.
func (t *Tool) Secrets() map[string]*Secret { return nil }

// ToolDraft makes a tool.
type ToolDraft struct {
	ConnectionID string             `json:"connection_id"`
	Name         string             `json:"name"`
	Title        string             `json:"title,omitempty"`
	Description  string             `json:"description"`
	SQLQuery     string             `json:"sql_query"`
	Parameters   []Parameter        `json:"parameters,omitempty"`
	Tags         []string           `json:"tags,omitempty"`
	Annotations  *Annotations       `json:"annotations,omitempty"`
	Content      map[string]Content `json:"content,omitempty"`
	InputSchema  json.RawMessage    `json:"input_schema,omitempty"`
	OutputSchema json.RawMessage    `json:"output_schema,omitempty"`
	CacheTTL     int                `json:"cache_ttl,omitempty"`
	Transform    string             `json:"transform,omitempty"`
	IsEnabled    *bool              `json:"is_enabled,omitempty"`
}

// New fills the defaults; Check judges the result.
func (d ToolDraft) New() *Tool {
	t := &Tool{
		ConnectionID: d.ConnectionID, Name: d.Name, Title: d.Title, Description: d.Description, SQLQuery: d.SQLQuery,
		Parameters: d.Parameters, Tags: d.Tags, Annotations: Annotations{ReadOnly: true}, Content: d.Content,
		InputSchema: d.InputSchema, OutputSchema: d.OutputSchema, CacheTTL: d.CacheTTL, Transform: d.Transform, IsEnabled: true,
	}
	set(&t.Annotations, d.Annotations)
	set(&t.IsEnabled, d.IsEnabled)
	t.tidy()
	return t
}

// ToolPatch changes a tool; an absent field is left alone.
type ToolPatch struct {
	ID           string               `json:"id"`
	Version      int                  `json:"version" jsonschema:"the version you last read"`
	ConnectionID *string              `json:"connection_id,omitempty"`
	Name         *string              `json:"name,omitempty"`
	Title        *string              `json:"title,omitempty"`
	Description  *string              `json:"description,omitempty"`
	SQLQuery     *string              `json:"sql_query,omitempty"`
	Parameters   *[]Parameter         `json:"parameters,omitempty"`
	Tags         *[]string            `json:"tags,omitempty"`
	Annotations  *Annotations         `json:"annotations,omitempty"`
	Content      *map[string]Content  `json:"content,omitempty"`
	InputSchema  Opt[json.RawMessage] `json:"input_schema,omitzero"`
	OutputSchema Opt[json.RawMessage] `json:"output_schema,omitzero"`
	CacheTTL     *int                 `json:"cache_ttl,omitempty"`
	Transform    *string              `json:"transform,omitempty"`
	IsEnabled    *bool                `json:"is_enabled,omitempty"`
}

// Target says what the patch is for.
func (p ToolPatch) Target() (id string, version int) { return p.ID, p.Version }

// Apply changes t.
func (p ToolPatch) Apply(t *Tool) error {
	set(&t.ConnectionID, p.ConnectionID)
	set(&t.Name, p.Name)
	set(&t.Title, p.Title)
	set(&t.Description, p.Description)
	set(&t.SQLQuery, p.SQLQuery)
	set(&t.Parameters, p.Parameters)
	set(&t.Tags, p.Tags)
	set(&t.Annotations, p.Annotations)
	set(&t.Content, p.Content)
	set(&t.CacheTTL, p.CacheTTL)
	set(&t.Transform, p.Transform)
	set(&t.IsEnabled, p.IsEnabled)
	if p.InputSchema.Set {
		t.InputSchema = p.InputSchema.Value
	}
	if p.OutputSchema.Set {
		t.OutputSchema = p.OutputSchema.Value
	}
	t.tidy()
	return nil
}

func (t *Tool) tidy() {
	t.Name = strings.TrimSpace(t.Name)
	if t.Parameters == nil {
		t.Parameters = []Parameter{}
	}
	if t.Tags == nil {
		t.Tags = []string{}
	}
	if t.Content == nil {
		t.Content = map[string]Content{}
	}
	if string(t.InputSchema) == "null" {
		t.InputSchema = nil
	}
	if string(t.OutputSchema) == "null" {
		t.OutputSchema = nil
	}
}

// Check reports every field that breaks a rule of the entity itself. What the SQL says is judged by mcpgen.
func (t *Tool) Check() error {
	var f Fields
	checkName(&f, t.Name)
	checkTexts(&f, t.Title, t.Description)
	checkTags(&f, t.Tags)
	if t.ConnectionID == "" {
		f.Add("connection_id", "choose the connection this tool uses")
	}
	switch n := utf8.RuneCountInString(t.SQLQuery); {
	case strings.TrimSpace(t.SQLQuery) == "":
		f.Add("sql_query", "write one SQL statement")
	case n > MaxSQL || !utf8.ValidString(t.SQLQuery) || strings.ContainsRune(t.SQLQuery, 0):
		f.Add("sql_query", "the statement is at most %d characters of valid text", MaxSQL)
	}
	if len(t.Transform) > MaxTransform {
		f.Add("transform", "the transform is at most %d characters", MaxTransform)
	}
	between(&f, "cache_ttl", t.CacheTTL, 0, 86_400)
	if len(t.Parameters) > MaxParameters {
		f.Add("parameters", "at most %d parameters, got %d", MaxParameters, len(t.Parameters))
	}
	seen := map[string]bool{}
	for i, p := range t.Parameters {
		at := fmt.Sprintf("parameters.%d.", i)
		if seen[p.Name] {
			f.Add(at+"name", "the parameter %q is declared twice", p.Name)
		}
		seen[p.Name] = true
		f.Merge(at, p.Check())
	}
	for column, c := range t.Content {
		if !slices.Contains([]string{"text", "image", "audio", "resource", "resource_link"}, c.Type) {
			f.Add("content."+column, "a content block is text, image, audio, resource or resource_link%s", Got(c.Type))
		}
	}
	checkSchema(&f, "input_schema", t.InputSchema)
	checkSchema(&f, "output_schema", t.OutputSchema)
	if t.Annotations.ReadOnly && t.Annotations.Destructive {
		f.Add("annotations", "a tool that only reads cannot be destructive")
	}
	return f.Err()
}

func checkSchema(f *Fields, field string, schema json.RawMessage) {
	if schema != nil {
		f.Merge(field, CheckSchema(schema))
	}
}

// Check reports every field of the parameter that breaks a rule.
func (p Parameter) Check() error {
	var f Fields
	if !parameterName.MatchString(p.Name) {
		f.Add("name", "a parameter name is 1 to 64 characters of A-Z a-z 0-9 _ and does not start with a digit%s", Got(p.Name))
	}
	if p.Name == "caller" {
		f.Add("name", "caller is a reserved name: it stands for who makes the call")
	}
	if !slices.Contains(ParamTypes(), p.ParamType) {
		f.Add("param_type", "param_type is string, integer, number, boolean, date, datetime or array%s", Got(string(p.ParamType)))
		return f.Err()
	}
	if p.ItemType != "" && (p.ParamType != TypeArray || !slices.Contains([]ParamType{TypeString, TypeInteger, TypeNumber, TypeBoolean}, p.ItemType)) {
		f.Add("item_type", "item_type belongs to arrays and is string, integer, number or boolean")
	}
	if utf8.RuneCountInString(p.Description) > MaxDescription {
		f.Add("description", "a description is at most %d characters", MaxDescription)
	}
	numeric := p.ParamType == TypeInteger || p.ParamType == TypeNumber
	if (p.Minimum != nil || p.Maximum != nil) && !numeric {
		f.Add("minimum", "minimum and maximum belong to integer and number parameters")
	}
	p.checkBounds(&f)
	if p.Pattern != "" {
		if _, err := regexp.Compile(p.Pattern); err != nil || p.ParamType != TypeString || len(p.Pattern) > 1000 {
			f.Add("pattern", "a pattern is a regular expression (RE2) of at most 1,000 characters, for string parameters")
		}
	}
	if len(p.EnumValues) > 500 {
		f.Add("enum_values", "at most 500 allowed values")
	}
	for i, v := range p.EnumValues {
		if !p.Accepts(v) {
			f.Add(fmt.Sprintf("enum_values.%d", i), "the allowed value %s is not of type %s", Clip(string(v)), p.ParamType)
		}
	}
	if len(p.DefaultValue) > 0 && string(p.DefaultValue) != "null" && !p.Accepts(p.DefaultValue) {
		f.Add("default_value", "the default %s is not of type %s", Clip(string(p.DefaultValue)), p.ParamType)
	}
	return f.Err()
}

// checkBounds judges minimum and maximum as the exact numbers they are.
func (p Parameter) checkBounds(f *Fields) {
	low, lowOK := exactly(p.Minimum)
	high, highOK := exactly(p.Maximum)
	for field, ok := range map[string]bool{"minimum": lowOK, "maximum": highOK} {
		if !ok {
			f.Add(field, "a %s is a number of at most %d digits, with an exponent of at most %d", field, maxBoundDigits, maxBoundExponent)
		}
	}
	if low != nil && high != nil && low.Cmp(high) > 0 {
		f.Add("minimum", "the minimum %s is above the maximum %s", *p.Minimum, *p.Maximum)
	}
}

// The size of a bound that is worth comparing: written out, 1e999999 has a million digits, and a tool may have two hundred of them.
const (
	maxBoundDigits   = 100
	maxBoundExponent = 1000
)

// exactly returns the number; nil when there is none, and ok is false for what is none or too large.
func exactly(n *json.Number) (exact *big.Rat, ok bool) {
	if n == nil {
		return nil, true
	}
	_, exponent, _ := strings.Cut(strings.ToLower(string(*n)), "e")
	if e, err := strconv.Atoi(exponent); exponent != "" && (err != nil || e > maxBoundExponent || e < -maxBoundExponent) || len(*n) > maxBoundDigits {
		return nil, false
	}
	return new(big.Rat).SetString(string(*n))
}

var wholeNumber = regexp.MustCompile(`^-?\d{1,19}$`)

// Accepts reports whether v, one JSON value, is of the parameter's type.
func (p Parameter) Accepts(v json.RawMessage) bool {
	if p.ParamType == TypeArray {
		var items []json.RawMessage
		if json.Unmarshal(v, &items) != nil || items == nil {
			return false
		}
		item := Parameter{ParamType: p.Items()}
		return !slices.ContainsFunc(items, func(i json.RawMessage) bool { return !item.Accepts(i) })
	}
	var s string
	text := json.Unmarshal(v, &s) == nil && len(v) > 0 && v[0] == '"'
	switch p.ParamType {
	case TypeString:
		return text
	case TypeInteger:
		_, err := strconv.ParseInt(string(v), 10, 64) // the databases' bigint
		return err == nil && wholeNumber.Match(v)
	case TypeNumber:
		var n json.Number
		return json.Unmarshal(v, &n) == nil && n != "" && v[0] != '"' // null decodes to an empty number
	case TypeBoolean:
		return string(v) == "true" || string(v) == "false"
	case TypeDate:
		_, err := time.Parse(time.DateOnly, s)
		return text && err == nil
	case TypeDatetime:
		_, err := time.Parse(time.RFC3339Nano, s)
		return text && err == nil
	}
	return false
}

// Items is the type of an array's items.
func (p Parameter) Items() ParamType {
	if p.ItemType == "" {
		return TypeString
	}
	return p.ItemType
}
