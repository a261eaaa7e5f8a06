package studio

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"mcpstudio/auth"
	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/sqllex"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

func (s *Service) authoringOps() []op.Op {
	const tag = "authoring"
	return []op.Op{
		declare(op.Op{Name: "analyze_sql", Route: "POST /tools/analyze", Tag: tag, Agent: true, Scope: auth.ScopeQuery, Effect: op.Read,
			Doc: "Read a statement: its parameters with suggested types, its class, and problems with their places; with check, the database parses it too."}, s.analyze),
		declare(op.Op{Name: "define_tool", Route: "POST /tools/definition", Tag: tag, Scope: auth.ScopeRead, Effect: op.Read,
			Doc: "Show the exact tools/list entry that a draft would give, its size in tokens, and what is wrong with it."}, s.define),
		declare(op.Op{Name: "preview_sql", Route: "POST /preview/execute", Tag: tag, Agent: true, Scope: auth.ScopeQuery, Effect: op.Read,
			Doc: "Run a statement read-only with arguments, for at most 10 seconds and 100 rows."}, s.preview),
	}
}

type analyze struct {
	ConnectionID string             `json:"connection_id,omitempty"`
	DBType       store.DBType       `json:"db_type,omitempty" jsonschema:"without a connection: whose SQL it is"`
	SQLQuery     string             `json:"sql_query"`
	Parameters   *[]store.Parameter `json:"parameters,omitempty" jsonschema:"left out: what is used counts as declared"`
	Transform    string             `json:"transform,omitempty"`
	Annotations  *store.Annotations `json:"annotations,omitempty" jsonschema:"left out: the tool only reads"`
	Name         string             `json:"name,omitempty" jsonschema:"with a name, the definition is shown too"`
	Description  string             `json:"description,omitempty"`
	Check        bool               `json:"check,omitempty" jsonschema:"ask the connection's database to parse the statement"`
}

// Span is one use of a parameter, in UTF-16 units as editors count.
type Span struct {
	Start  int `json:"start"`
	End    int `json:"end"`
	Line   int `json:"line"`
	Column int `json:"column"`
}

// UsedParameter is one placeholder of a statement.
type UsedParameter struct {
	Name          string          `json:"name"`
	SuggestedType store.ParamType `json:"suggested_type"`
	Compared      string          `json:"compared" jsonschema:"the column it is compared with, if that is obvious"`
	Optional      bool            `json:"optional" jsonschema:"the statement says what happens without a value: it asks for NULL, or puts another in its place"`
	Declared      bool            `json:"declared"`
	Positions     []Span          `json:"positions"`
}

// Analysis is what a statement says.
type Analysis struct {
	Parameters     []UsedParameter  `json:"parameters"`
	StatementClass sqllex.Class     `json:"statement_class" jsonschema:"read, write, ddl, control or other"`
	Problems       []mcpgen.Problem `json:"problems"`
	Check          *mcpgen.CheckOut `json:"check"`
	Definition     json.RawMessage  `json:"definition" jsonschema:"null without a name"`
}

func (s *Service) analyze(ctx context.Context, in analyze) (Analysis, error) {
	if err := sizeOf(in.SQLQuery, in.Transform); err != nil {
		return Analysis{}, err
	}
	var bench mcpgen.Bench
	kind := cmp.Or(in.DBType, store.PostgreSQL)
	if in.ConnectionID != "" {
		c, err := view(ctx, s, func(tx *db.Tx) (c *store.Connection, err error) {
			if c, err = usable(tx, in.ConnectionID); err != nil || !in.Check {
				return c, err
			}
			bench, err = openBench(tx, c)
			return c, err
		})
		if err != nil {
			return Analysis{}, err
		}
		kind = c.DBType
	}
	t := (&store.ToolDraft{Name: in.Name, Description: in.Description, SQLQuery: in.SQLQuery, Annotations: in.Annotations, Transform: in.Transform}).New()
	t.Parameters = declaredOr(in.Parameters, kind, in.SQLQuery)
	out := Analysis{Parameters: []UsedParameter{}, Problems: s.judge(t, kind)}
	if out.Problems == nil {
		out.Problems = []mcpgen.Problem{}
	}
	parsed, _ := mcpgen.Check(mcpgen.Statement{DBType: kind, SQL: in.SQLQuery})
	out.StatementClass = parsed.Class
	if in.Check && in.ConnectionID != "" && hasDriver(kind) && len(mcpgen.Stops(out.Problems)) == 0 {
		out.Check = &mcpgen.CheckOut{}
		if err := s.Workbench.Bench(ctx, bench, mcpgen.BenchCheck, mcpgen.CheckIn{SQL: in.SQLQuery, Parameters: t.Parameters}, out.Check); err != nil {
			return Analysis{}, err
		}
		settleCheck(out.Check)
	}
	for _, p := range parsed.Params {
		out.Parameters = append(out.Parameters, used(in, p, out.Check))
	}
	if in.Name != "" {
		var err error
		if out.Definition, err = mcpgen.Define(t); err != nil {
			return Analysis{}, err
		}
	}
	return out, nil
}

// settleCheck leaves no null where a list or map is promised.
func settleCheck(c *mcpgen.CheckOut) {
	if c.Columns == nil {
		c.Columns = []mcpgen.Column{}
	}
	if c.ParamTypes == nil {
		c.ParamTypes = map[string]store.ParamType{}
	}
}

func sizeOf(sql, transform string) error {
	if len(sql) > 4*store.MaxSQL {
		return store.Invalidf("sql_query", "the statement is at most %d characters", store.MaxSQL)
	}
	if len(transform) > store.MaxTransform {
		return store.Invalidf("transform", "the transform is at most %d characters", store.MaxTransform)
	}
	return nil
}

func used(in analyze, p sqllex.Param, check *mcpgen.CheckOut) UsedParameter {
	u := UsedParameter{Name: p.Name, SuggestedType: suggested(p), Compared: p.Compared, Optional: p.Optional, Declared: in.Parameters == nil, Positions: []Span{}}
	if in.Parameters != nil {
		u.Declared = slices.ContainsFunc(*in.Parameters, func(d store.Parameter) bool { return d.Name == p.Name })
	}
	if check != nil && check.ParamTypes[p.Name] != "" && p.Hint == sqllex.HintNone {
		u.SuggestedType = check.ParamTypes[p.Name]
	}
	for _, at := range p.Positions {
		u.Positions = append(u.Positions, Span{mcpgen.Units(in.SQLQuery, at.Offset), mcpgen.Units(in.SQLQuery, at.Offset+1+len(p.Name)), at.Line, at.Column})
	}
	return u
}

func suggested(p sqllex.Param) store.ParamType {
	return store.ParamType(cmp.Or(p.Hint, sqllex.HintString))
}

// declaredOr returns the declared parameters, or one optional parameter for each placeholder when none were given.
func declaredOr(declared *[]store.Parameter, kind store.DBType, sql string) []store.Parameter {
	if declared != nil {
		return *declared
	}
	out := []store.Parameter{}
	parsed, _ := mcpgen.Check(mcpgen.Statement{DBType: kind, SQL: sql})
	for i, p := range parsed.Params {
		out = append(out, store.Parameter{Name: p.Name, ParamType: suggested(p), SortOrder: i})
	}
	return out
}

// fit gives parameters whose use says nothing the type of the argument that is sent for them.
func fit(parameters []store.Parameter, arguments map[string]json.RawMessage) {
	for i := range parameters {
		p := &parameters[i]
		v := arguments[p.Name]
		if p.ParamType != store.TypeString || v == nil || p.Accepts(v) {
			continue
		}
		for _, kind := range []store.ParamType{store.TypeInteger, store.TypeNumber, store.TypeBoolean} {
			if (store.Parameter{ParamType: kind}).Accepts(v) {
				p.ParamType = kind
				break
			}
		}
	}
}

// Definition is how clients see a draft.
type Definition struct {
	Definition json.RawMessage  `json:"definition" jsonschema:"the exact tools/list entry"`
	Tokens     int              `json:"tokens" jsonschema:"estimate of what a model spends on it"`
	Problems   []mcpgen.Problem `json:"problems"`
}

func (s *Service) define(ctx context.Context, in store.ToolDraft) (Definition, error) {
	t := in.New()
	out := Definition{Problems: []mcpgen.Problem{}}
	if err := sizeOf(t.SQLQuery, t.Transform); err != nil {
		return out, err
	}
	out.Problems = append(out.Problems, fieldProblems(t.Check())...)
	err := s.DB.View(ctx, func(tx *db.Tx) error {
		c, err := usable(tx, t.ConnectionID)
		if store.CodeOf(err) == store.Invalid {
			out.Problems = append(out.Problems, fieldProblems(err)...)
			return nil
		}
		if err == nil {
			out.Problems = append(out.Problems, s.judge(t, c.DBType)...)
		}
		return err
	})
	if err != nil {
		return out, err
	}
	if out.Definition, err = mcpgen.Define(t); err != nil {
		return out, store.Invalidf("parameters", "the definition cannot be written: %v", err)
	}
	out.Tokens = mcpgen.Tokens(out.Definition)
	return out, nil
}

// fieldProblems lists what an entity's own rules say.
func fieldProblems(err error) []mcpgen.Problem {
	if err == nil {
		return nil
	}
	var f store.Fields
	f.Merge("", err)
	var out []mcpgen.Problem
	for field, message := range f.All() {
		out = append(out, mcpgen.Problem{Severity: mcpgen.Error, Code: string(store.Invalid), Field: field, Message: message})
	}
	slices.SortFunc(out, func(a, b mcpgen.Problem) int { return cmp.Compare(a.Field, b.Field) })
	return out
}

type preview struct {
	ConnectionID string                     `json:"connection_id"`
	SQLQuery     string                     `json:"sql_query"`
	Parameters   *[]store.Parameter         `json:"parameters,omitempty" jsonschema:"left out: every placeholder is an optional parameter of the type its use suggests"`
	Arguments    map[string]json.RawMessage `json:"arguments,omitempty"`
	Transform    string                     `json:"transform,omitempty"`
	Content      map[string]store.Content   `json:"content,omitempty"`
	Name         string                     `json:"name,omitempty"`
}

func (s *Service) preview(ctx context.Context, in preview) (mcpgen.PreviewOut, error) {
	out := mcpgen.PreviewOut{}
	if err := sizeOf(in.SQLQuery, in.Transform); err != nil {
		return out, err
	}
	c, bench, err := s.benchOf(ctx, in.ConnectionID)
	if store.CodeOf(err) == store.NotFound {
		return out, store.Invalidf("connection_id", "there is no such connection; choose another one")
	}
	if err != nil {
		return out, err
	}
	if !c.IsActive {
		return out, store.Invalidf("connection_id", "the connection %q is disabled; enable it, or choose another one", c.Name)
	}
	t := store.ToolDraft{
		ConnectionID: c.ID, Name: cmp.Or(in.Name, "preview"), Description: "preview", SQLQuery: in.SQLQuery, Content: in.Content, Transform: in.Transform,
	}.New()
	t.Parameters = declaredOr(in.Parameters, c.DBType, in.SQLQuery)
	if in.Parameters == nil {
		fit(t.Parameters, in.Arguments)
	}
	if err := t.Check(); err != nil {
		return out, err
	}
	if err := refuse(s.judge(t, c.DBType)); err != nil { // a preview always reads
		return out, err
	}
	tool, err := mcpgen.Draft(t)
	if err != nil {
		return out, store.Invalidf("parameters", "the definition cannot be written: %v", err)
	}
	arguments, err := json.Marshal(in.Arguments)
	if err != nil {
		return out, store.Invalidf("arguments", "the arguments are not valid JSON")
	}
	if in.Arguments == nil {
		arguments = []byte("{}")
	}
	if err := s.Workbench.Bench(ctx, bench, mcpgen.BenchPreview, mcpgen.PreviewIn{Tool: tool, Arguments: arguments}, &out); err != nil {
		return out, err
	}
	if out.Columns == nil {
		out.Columns = []mcpgen.Column{}
	}
	return out, nil
}
