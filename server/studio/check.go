package studio

import (
	"fmt"

	"mcpstudio/mcpgen"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

// Problems goes with an error as its current state: each problem with its place, for an editor to mark.
type Problems struct {
	Problems []mcpgen.Problem `json:"problems"`
}

// refuse turns the problems that stop a save into one error that names every field; nil when none does.
func refuse(problems []mcpgen.Problem) error {
	stops := mcpgen.Stops(problems)
	if len(stops) == 0 {
		return nil
	}
	var f store.Fields
	for _, p := range stops {
		if p.Line > 0 {
			f.Add(p.Field, "%s (line %d, column %d)", p.Message, p.Line, p.Column)
		} else {
			f.Add(p.Field, "%s", p.Message)
		}
	}
	return &store.Error{Code: store.Invalid, Field: stops[0].Field, Message: f.All()[stops[0].Field], Fields: f.All(), Current: Problems{problems}}
}

// usable finds the connection an entity names.
func usable(tx *db.Tx, id string) (*store.Connection, error) {
	c, err := db.Get[*store.Connection](tx, id)
	if store.CodeOf(err) == store.NotFound {
		return nil, store.Invalidf("connection_id", "there is no such connection; choose another one")
	}
	return c, err
}

// writes reports whether a tool may change data.
func writes(a store.Annotations) bool { return a.Destructive || !a.ReadOnly }

func (s *Service) checkTool(tx *db.Tx, t *store.Tool) error {
	c, err := usable(tx, t.ConnectionID)
	if err != nil {
		return err
	}
	if writes(t.Annotations) && c.ReadOnly {
		return store.Invalidf("annotations", "the tool may write, but the connection %q is read-only; mark the tool as one that only reads, or allow writing on the connection", c.Name)
	}
	return refuse(s.judge(t, c.DBType))
}

// judge says what is wrong with a tool's statement, parameters and transform.
func (s *Service) judge(t *store.Tool, kind store.DBType) []mcpgen.Problem {
	_, problems := mcpgen.Check(mcpgen.Statement{
		DBType: kind, SQL: t.SQLQuery, Parameters: t.Parameters, ReadOnly: !writes(t.Annotations), Transform: t.Transform,
	})
	return problems
}

func (s *Service) checkResource(tx *db.Tx, r *store.Resource) error {
	if r.Dynamic() {
		c, err := usable(tx, r.ConnectionID)
		if err != nil {
			return err
		}
		_, problems := mcpgen.Check(mcpgen.Statement{DBType: c.DBType, SQL: r.SQLQuery, Parameters: mcpgen.URIParameters(r.URITemplate), ReadOnly: true})
		if err := refuse(problems); err != nil {
			return err
		}
	}
	all, err := db.All[*store.Resource](tx)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.ID != r.ID && mcpgen.Overlap(r.URITemplate, other.URITemplate) {
			return &store.Error{Code: store.Conflict, Field: "uri_template",
				Message: fmt.Sprintf("one URI could match both this template and the one of %s (%s); change one of them", other.Name, other.URITemplate)}
		}
	}
	return nil
}

// unchecked is for kinds whose own rules are all there are.
func unchecked[T store.Entity](*db.Tx, T) error { return nil }
