package postgres

import (
	"mcpstudio/mcpgen/driver"
	"mcpstudio/store"
)

// OIDs of built-in types (PostgreSQL source, pg_type.dat). They never change.
const (
	oidBool        = 16
	oidBytea       = 17
	oidInt8        = 20
	oidInt2        = 21
	oidInt4        = 23
	oidText        = 25
	oidOID         = 26
	oidJSON        = 114
	oidFloat4      = 700
	oidFloat8      = 701
	oidBPChar      = 1042
	oidVarchar     = 1043
	oidDate        = 1082
	oidTime        = 1083
	oidTimestamp   = 1114
	oidTimestamptz = 1184
	oidInterval    = 1186
	oidNumeric     = 1700
	oidUUID        = 2950
	oidJSONB       = 3802

	oidBoolArray        = 1000
	oidOIDArray         = 1028
	oidTextArray        = 1009
	oidInt4Array        = 1007
	oidInt8Array        = 1016
	oidTimestamptzArray = 1185
	oidDateArray        = 1182
	oidNumericArray     = 1231
)

// typeInfo is what the driver knows of one type.
type typeInfo struct {
	name  string // as format_type writes it
	elem  uint32 // of an array; 0 otherwise
	delim byte   // between an array's elements
}

// builtin returns the types that need no look at the catalog.
func builtin(oid uint32) (typeInfo, bool) {
	name := map[uint32]string{
		oidBool: "boolean", oidBytea: "bytea", oidInt8: "bigint", oidInt2: "smallint", oidInt4: "integer", oidText: "text",
		oidOID: "oid", oidJSON: "json", oidFloat4: "real", oidFloat8: "double precision", oidBPChar: "character",
		oidVarchar: "character varying", oidDate: "date", oidTime: "time without time zone", oidTimestamp: "timestamp without time zone",
		oidTimestamptz: "timestamp with time zone", oidInterval: "interval", oidNumeric: "numeric", oidUUID: "uuid", oidJSONB: "jsonb",
	}[oid]
	return typeInfo{name: name}, name != ""
}

// paramType is the parameter type that fits a database type.
func paramType(oid uint32, t typeInfo) store.ParamType {
	switch {
	case t.elem != 0:
		return store.TypeArray
	case oid == oidInt2, oid == oidInt4, oid == oidInt8, oid == oidOID:
		return store.TypeInteger
	case oid == oidNumeric, oid == oidFloat4, oid == oidFloat8:
		return store.TypeNumber
	case oid == oidBool:
		return store.TypeBoolean
	case oid == oidDate:
		return store.TypeDate
	case oid == oidTimestamp, oid == oidTimestamptz:
		return store.TypeDatetime
	}
	return store.TypeString
}

// declaredOID is the database type that a parameter of this type is sent with. Integers are int8 and numbers are numeric:
// both compare exactly with every smaller type by an implicit cast, while float8 would turn a numeric column's comparison
// into one of rounded values.
func declaredOID(typ, item store.ParamType) uint32 {
	switch typ {
	case store.TypeInteger:
		return oidInt8
	case store.TypeNumber:
		return oidNumeric
	case store.TypeBoolean:
		return oidBool
	case store.TypeDate:
		return oidDate
	case store.TypeDatetime:
		return oidTimestamptz
	case store.TypeArray:
		switch item {
		case store.TypeInteger:
			return oidInt8Array
		case store.TypeNumber:
			return oidNumericArray
		case store.TypeBoolean:
			return oidBoolArray
		case store.TypeDate:
			return oidDateArray
		case store.TypeDatetime:
			return oidTimestamptzArray
		}
		return oidTextArray
	}
	return oidText
}

// textual reports whether a parameter's type is left for the server to infer at first: a string may be meant for a
// uuid, an enum, an inet or a json column, and text does not compare with those.
func textual(p driver.Param) bool {
	return p.Type == store.TypeString || p.Type == store.TypeArray && (p.Item == store.TypeString || p.Item == "")
}

// numeric reports whether a parameter is a number or an array of numbers.
func numeric(p driver.Param) bool {
	typ := p.Type
	if typ == store.TypeArray {
		typ = p.Item
	}
	return typ == store.TypeInteger || typ == store.TypeNumber
}

// small returns the types with int8 replaced by int4.
func small(oids []uint32) []uint32 {
	for i, oid := range oids {
		switch oid {
		case oidInt8:
			oids[i] = oidInt4
		case oidInt8Array:
			oids[i] = oidInt4Array
		}
	}
	return oids
}
