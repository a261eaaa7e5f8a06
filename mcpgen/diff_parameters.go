package mcpgen

import (
	"bytes"
	"encoding/json"
	"slices"

	"mcpstudio/store"
)

// parameterChanges says what other parameters mean for calls that clients make today.
func parameterChanges(old, now []store.Parameter, c *Change) {
	before := map[string]store.Parameter{}
	for _, p := range old {
		before[p.Name] = p
	}
	for _, p := range now {
		was, ok := before[p.Name]
		delete(before, p.Name)
		switch {
		case !ok && mustBeSent(p):
			c.say(true, "Parameter %s is new and required: calls without it fail.", p.Name)
		case !ok:
			c.say(false, "New optional parameter %s.", p.Name)
		default:
			parameterChange(was, p, c)
		}
	}
	for _, p := range old {
		if _, gone := before[p.Name]; gone {
			c.say(true, "Parameter %s is gone: calls that send it fail.", p.Name)
		}
	}
}

func mustBeSent(p store.Parameter) bool { return p.IsRequired && !hasDefault(p) }

func parameterChange(a, b store.Parameter, c *Change) {
	if a.ParamType != b.ParamType || a.Items() != b.Items() {
		c.say(true, "Parameter %s is %s instead of %s.", b.Name, b.ParamType, a.ParamType)
	}
	switch {
	case mustBeSent(b) && !mustBeSent(a):
		c.say(true, "Parameter %s becomes required: calls without it fail.", b.Name)
	case mustBeSent(a) && !mustBeSent(b):
		c.say(false, "Parameter %s becomes optional.", b.Name)
	}
	if narrower(a, b) {
		c.say(true, "Parameter %s accepts fewer values.", b.Name)
	}
	if !bytes.Equal(a.DefaultValue, b.DefaultValue) && len(a.DefaultValue) > 0 && len(b.DefaultValue) > 0 {
		c.say(false, "The default of %s is %s instead of %s.", b.Name, b.DefaultValue, a.DefaultValue)
	}
	if a.Description != b.Description {
		c.say(false, "Models read another description of %s.", b.Name)
	}
}

// narrower reports whether a value accepted before may be refused now.
func narrower(a, b store.Parameter) bool {
	allowed := func(v json.RawMessage) bool {
		return slices.ContainsFunc(b.EnumValues, func(x json.RawMessage) bool { return bytes.Equal(x, v) })
	}
	if len(b.EnumValues) > 0 && (len(a.EnumValues) == 0 || slices.ContainsFunc(a.EnumValues, func(v json.RawMessage) bool { return !allowed(v) })) {
		return true
	}
	return tighter(a.Minimum, b.Minimum, 1) || tighter(a.Maximum, b.Maximum, -1) || b.Pattern != "" && b.Pattern != a.Pattern
}

// tighter compares two bounds; sign is 1 for a minimum and -1 for a maximum.
func tighter(a, b *json.Number, sign float64) bool {
	if b == nil {
		return false
	}
	if a == nil {
		return true
	}
	x, errA := a.Float64()
	y, errB := b.Float64()
	return errA == nil && errB == nil && (y-x)*sign > 0
}
