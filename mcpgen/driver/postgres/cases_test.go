package postgres_test

import (
	"mcpstudio/mcpgen/driver"
	dt "mcpstudio/mcpgen/driver/drivertest"
	"mcpstudio/store"
)

// values is the value rule of package driver, type by type.
var values = []dt.Value{
	{SQL: "SELECT 1::int2 AS a, (-2)::int4 AS b, 3::int8 AS c, 4::oid AS d", Want: `[{"a":1,"b":-2,"c":3,"d":4}]`},
	{SQL: "SELECT 9007199254740991::int8 AS a, 9007199254740992::int8 AS b, (-9007199254740991)::int8 AS c, (-9007199254740992)::int8 AS d, 9223372036854775807 AS e",
		Want: `[{"a":9007199254740991,"b":"9007199254740992","c":-9007199254740991,"d":"-9007199254740992","e":"9223372036854775807"}]`},
	{SQL: "SELECT 1.50 AS a, 0::numeric AS b, 'NaN'::numeric AS c, 'Infinity'::numeric AS d, -123456789012345678901234567890.123456789 AS e, 1e38::numeric AS f",
		Want: `[{"a":"1.50","b":"0","c":null,"d":null,"e":"-123456789012345678901234567890.123456789","f":"100000000000000000000000000000000000000"}]`},
	{SQL: "SELECT 0.1::float8 AS a, 1e300::float8 AS b, 'NaN'::float8 AS c, '-Infinity'::float4 AS d, 1.5::float4 AS e, '-0'::float8 AS f, 1e-7::float8 AS g",
		Want: `[{"a":0.1,"b":1e+300,"c":null,"d":null,"e":1.5,"f":-0,"g":1e-07}]`},
	{SQL: "SELECT true AS a, false AS b, NULL::bool AS c", Want: `[{"a":true,"b":false,"c":null}]`},
	{SQL: `SELECT E'a"b\\c\n\t\r\x01é😀' AS a, ''::text AS b, NULL::text AS c, 'x'::char(3) AS d, 'y'::varchar(3) AS e, 'n'::name AS f`,
		Want: `[{"a":"a\"b\\c\n\t\r\u0001é😀","b":"","c":null,"d":"x  ","e":"y","f":"n"}]`},
	{SQL: "SELECT timestamptz '2026-01-31 12:00:00.123456+02' AS a, timestamp '2026-01-31 12:00:00' AS b, timestamptz 'infinity' AS c, timestamp '-infinity' AS d, timestamptz '2026-01-31 23:59:59.100-12:30' AS e",
		Want: `[{"a":"2026-01-31T10:00:00.123456Z","b":"2026-01-31T12:00:00Z","c":null,"d":null,"e":"2026-02-01T12:29:59.1Z"}]`},
	{SQL: "SELECT timestamp '0001-01-01 00:00:00' AS a, timestamp '9999-12-31 23:59:59.999999' AS b, timestamp '294276-12-31 00:00:00' AS c, timestamp '0044-03-15 12:00:00 BC' AS d, timestamp '1969-12-31 23:59:59.5' AS e",
		Want: `[{"a":"0001-01-01T00:00:00Z","b":"9999-12-31T23:59:59.999999Z","c":"+294276-12-31T00:00:00Z","d":"-000043-03-15T12:00:00Z","e":"1969-12-31T23:59:59.5Z"}]`},
	{SQL: "SELECT date '2026-01-31' AS a, date 'infinity' AS b, date '1600-02-29' AS c, date '10000-01-01' AS d, time '12:30:00.5' AS e, timetz '12:30:00+02' AS f, interval '1 year 2 days 3 seconds' AS g",
		Want: `[{"a":"2026-01-31","b":null,"c":"1600-02-29","d":"+010000-01-01","e":"12:30:00.5","f":"12:30:00+02","g":"1 year 2 days 00:00:03"}]`},
	{SQL: `SELECT '{"b": 1.00, "a": [12345678901234567890, null]}'::json AS a, '{"a":1.10}'::jsonb AS b, 'null'::jsonb AS c, NULL::jsonb AS d`,
		Want: `[{"a":{"b": 1.00, "a": [12345678901234567890, null]},"b":{"a": 1.10},"c":null,"d":null}]`},
	{SQL: `SELECT '\x00ff10'::bytea AS a, ''::bytea AS b, '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid AS c`, Want: `[{"a":"AP8Q","b":"","c":"6ba7b810-9dad-11d1-80b4-00c04fd430c8"}]`},
	{SQL: "SELECT ARRAY[1,NULL,3] AS a, '{}'::int[] AS b, ARRAY[[1,2],[3,4]] AS c, '[0:1]={7,8}'::int[] AS d, NULL::int[] AS e, ARRAY[9007199254740993] AS f",
		Want: `[{"a":[1,null,3],"b":[],"c":[[1,2],[3,4]],"d":[7,8],"e":null,"f":["9007199254740993"]}]`},
	{SQL: `SELECT ARRAY['a','', NULL, 'NULL', 'b"\c{},', E'\n'] AS a, ARRAY[true,false] AS b, ARRAY[1.50, 'NaN'] AS c, ARRAY['\x00ff'::bytea] AS d`,
		Want: `[{"a":["a","",null,"NULL","b\"\\c{},","\n"],"b":[true,false],"c":["1.50",null],"d":["AP8="]}]`},
	{SQL: `SELECT ARRAY[timestamptz '2026-01-31 12:00:00.5+02', 'infinity'] AS a, ARRAY[date '2026-01-31'] AS b, ARRAY['{"a":1.0}'::jsonb] AS c, ARRAY[1.5::float8] AS d, ARRAY['00000000-0000-0000-0000-000000000001'::uuid] AS e`,
		Want: `[{"a":["2026-01-31T10:00:00.5Z",null],"b":["2026-01-31"],"c":[{"a": 1.0}],"d":[1.5],"e":["00000000-0000-0000-0000-000000000001"]}]`},
	{SQL: `SELECT ARRAY[timestamptz '10000-01-01', timestamptz '0044-03-15 12:00:00.5 BC', timestamptz '0005-02-29 BC'] AS a, ARRAY[date '10000-02-29', date '0001-12-31 BC', date '5874897-12-31'] AS b, ARRAY[timestamp '294276-12-31 23:59:59.999999', 'infinity', '-infinity'] AS c`,
		Want: `[{"a":["+010000-01-01T00:00:00Z","-000043-03-15T12:00:00.5Z","-000004-02-29T00:00:00Z"],"b":["+010000-02-29","0000-12-31","+5874897-12-31"],"c":["+294276-12-31T23:59:59.999999Z",null,null]}]`},
	{SQL: "SELECT 'happy'::mood AS a, ARRAY['sad','happy']::mood[] AS b, 5::positive AS c, ARRAY[5]::positive[] AS d, ROW(1,'x')::pair AS e, int4range(1,5) AS f, '10.0.0.1/8'::inet AS g, '(1,2)'::point AS h, ARRAY['(1,2),(0,0)'::box, '(3,4),(0,0)'] AS i, '1 2'::int2vector AS j",
		Want: `[{"a":"happy","b":["sad","happy"],"c":5,"d":[5],"e":"(1,x)","f":"[1,5)","g":"10.0.0.1/8","h":"(1,2)","i":["(1,2),(0,0)","(3,4),(0,0)"],"j":"1 2"}]`},
	{SQL: "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a, 5 AS \" \", 6 AS \"q\"\"\\\"", Want: `[{"a":1,"a_3":2,"a_2":3,"a_4":4," ":5,"q\"\\":6}]`},
	{SQL: "SELECT", Want: `[{}]`},
	{SQL: "SELECT 1 AS a WHERE false", Want: `[]`},
	{SQL: "SELECT id, n, u, m, f, d, ts, j, tags FROM victim ORDER BY id",
		Want: `[{"id":1,"n":"1.50","u":"00000000-0000-0000-0000-000000000001","m":"happy","f":0.1,"d":"2026-01-31","ts":"2026-01-31T10:00:00.5Z","j":{"a": [1.0]},"tags":["a","b"]},{"id":2,"n":"100.00","u":"00000000-0000-0000-0000-000000000002","m":"sad","f":0.5,"d":"2026-02-01","ts":"2026-02-01T00:00:00Z","j":{},"tags":[]}]`},
	{SQL: "VALUES (1)", Want: `[{"column1":1}]`},
	{SQL: "SHOW server_encoding", Want: `[{"server_encoding":"UTF8"}]`},
}

// params binds every type, also as NULL, against every kind of column and function that disagrees with a fixed type.
func params() []dt.Call {
	str, integer, num, boolean := dt.Of(store.TypeString), dt.Of(store.TypeInteger), dt.Of(store.TypeNumber), dt.Of(store.TypeBoolean)
	date, datetime := dt.Of(store.TypeDate), dt.Of(store.TypeDatetime)
	strs, ints, nums, bools := dt.ListOf(store.TypeString), dt.ListOf(store.TypeInteger), dt.ListOf(store.TypeNumber), dt.ListOf(store.TypeBoolean)
	one, none, both := `[{"id":1}]`, `[]`, `[{"id":1},{"id":2}]`
	where := func(name, condition, want string, p driver.Param, a driver.Arg) dt.Call {
		return dt.Call{Name: name, SQL: "SELECT id FROM victim WHERE " + condition + " ORDER BY id", Params: []driver.Param{p}, Args: []driver.Arg{a}, Want: want}
	}
	return []dt.Call{
		where("text column", "t = $1", one, str, dt.Text("one")),
		where("varchar column", "v = $1 OR t = $1", one, str, dt.Text("one")),
		where("uuid column", "u = $1", one, str, dt.Text("00000000-0000-0000-0000-000000000001")),
		where("enum column", "m = $1", one, str, dt.Text("happy")),
		where("enum column NULL", "m = $1", none, str, dt.Null()),
		where("json containment", "j @> $1", one, str, dt.Text(`{"a":[1.0]}`)),
		where("json key", "j ->> $1 IS NOT NULL", one, str, dt.Text("a")),
		where("array element", "$1 = ANY (tags)", one, str, dt.Text("a")),
		where("optional string, absent", "$1 IS NULL OR t ILIKE '%' || $1 || '%'", both, str, dt.Null()),
		where("optional string, given", "$1 IS NULL OR t ILIKE '%' || $1 || '%'", one, str, dt.Text("ON")),
		where("optional string, only tested", "$1 IS NULL", both, str, dt.Null()),
		where("optional uuid, absent", "$1 IS NULL OR u = $1", both, str, dt.Null()),
		where("optional enum, given", "$1 IS NULL OR m = $1", one, str, dt.Text("happy")),
		where("optional integer, absent", "$1 IS NULL OR id = $1", both, integer, dt.Null()),
		where("optional integer, given", "$1 IS NULL OR id = $1", one, integer, dt.Text("1")),
		where("integer beyond the column's type", "id = $1", none, integer, dt.Text("9223372036854775807")),
		where("integer with float column", "f < $1", both, integer, dt.Text("1")),
		where("integer with numeric column", "n = $1", `[{"id":2}]`, integer, dt.Text("100")),
		where("number with numeric column", "n = $1", one, num, dt.Text("1.5")),
		where("number with float column", "f = $1", one, num, dt.Text("0.1")),
		where("number with integer column", "id > $1", `[{"id":2}]`, num, dt.Text("1.5")),
		where("number in exponent form", "n = $1", `[{"id":2}]`, num, dt.Text("1e2")),
		where("optional number, absent", "$1 IS NULL OR n = $1", both, num, dt.Null()),
		where("boolean", "$1 AND id = 1", one, boolean, dt.Text("true")),
		where("optional boolean, absent", "$1 IS NULL OR $1", both, boolean, dt.Null()),
		where("date with date column", "d = $1", one, date, dt.Text("2026-01-31")),
		where("date with timestamptz column", "ts >= $1", both, date, dt.Text("2026-01-31")),
		where("date plus integer", "d = $1 - 1", one, date, dt.Text("2026-02-01")),
		where("optional date, absent", "$1 IS NULL OR d = $1", both, date, dt.Null()),
		where("datetime with timestamptz column", "ts = $1", one, datetime, dt.Text("2026-01-31T10:00:00.5Z")),
		where("datetime with timestamp", "ts AT TIME ZONE 'UTC' = $1", one, datetime, dt.Text("2026-01-31T10:00:00.5Z")),
		where("optional datetime, absent", "$1 IS NULL OR ts < $1", both, datetime, dt.Null()),
		where("array of integers", "id = ANY ($1)", one, ints, dt.List(dt.Text("1"), dt.Text("7"))),
		where("array, empty", "id = ANY ($1)", none, ints, dt.List()),
		where("array, NULL", "$1 IS NULL OR id = ANY ($1)", both, ints, dt.Null()),
		where("array of strings for uuid", "u = ANY ($1)", one, strs, dt.List(dt.Text("00000000-0000-0000-0000-000000000001"))),
		where("array of strings for enum", "m = ANY ($1)", both, strs, dt.List(dt.Text("happy"), dt.Text("sad"))),
		where("array of strings for text", "t = ANY ($1)", one, strs, dt.List(dt.Text("one"), dt.Text(`a"b\c,{}`))),
		where("array overlap", "tags && $1", one, strs, dt.List(dt.Text("a"))),
		where("array of numbers", "n = ANY ($1)", one, nums, dt.List(dt.Text("1.50"))),
		where("limit", "true LIMIT $1 --", `[{"id":1}]`, integer, dt.Text("1")),
		where("one parameter twice", "t = $1 OR v = $1", one, str, dt.Text("one")),
		{Name: "unnest strings", SQL: "SELECT x FROM unnest($1) x", Params: []driver.Param{strs}, Args: []driver.Arg{dt.List(dt.Text("b"), dt.Null(), dt.Text("NULL"))}, Want: `[{"x":"b"},{"x":null},{"x":"NULL"}]`},
		{Name: "unnest booleans", SQL: "SELECT x FROM unnest($1) x", Params: []driver.Param{bools}, Args: []driver.Arg{dt.List(dt.Text("true"), dt.Text("false"))}, Want: `[{"x":true},{"x":false}]`},
		{Name: "variadic any", SQL: "SELECT concat($1, '-', $2) AS c", Params: []driver.Param{str, integer}, Args: []driver.Arg{dt.Text("a"), dt.Text("5")}, Want: `[{"c":"a-5"}]`},
		{Name: "enum and variadic any", SQL: "SELECT id, concat($1) AS c FROM victim WHERE m = $2", Params: []driver.Param{str, str}, Args: []driver.Arg{dt.Text("x"), dt.Text("happy")}, Want: `[{"id":1,"c":"x"}]`},
		{Name: "functions that take integer only", SQL: "SELECT make_date($1, $2, $3) AS d, left('abc', $3) AS l", Params: []driver.Param{integer, integer, integer},
			Args: []driver.Arg{dt.Text("2026"), dt.Text("1"), dt.Text("2")}, Want: `[{"d":"2026-01-02","l":"ab"}]`},
		{Name: "date plus days", SQL: "SELECT $1 + $2 AS d", Params: []driver.Param{date, integer}, Args: []driver.Arg{dt.Text("2026-01-31"), dt.Text("1")}, Want: `[{"d":"2026-02-01"}]`},
		{Name: "interval times number", SQL: "SELECT interval '1 day' * $1 AS i", Params: []driver.Param{integer}, Args: []driver.Arg{dt.Text("3")}, Want: `[{"i":"3 days"}]`},
		{Name: "selected as they are", SQL: "SELECT $1 AS s, $2 AS i, $3 AS n, $4 AS b, $5 AS d, $6 AS t",
			Params: []driver.Param{str, integer, num, boolean, date, datetime},
			Args:   []driver.Arg{dt.Text("x"), dt.Text("9007199254740993"), dt.Text("0.10"), dt.Text("true"), dt.Text("2026-01-31"), dt.Text("2026-01-31T10:00:00.123456Z")},
			Want:   `[{"s":"x","i":"9007199254740993","n":"0.10","b":true,"d":"2026-01-31","t":"2026-01-31T10:00:00.123456Z"}]`},
		{Name: "all NULL", SQL: "SELECT $1 AS s, $2 AS i, $3 AS n, $4 AS b, $5 AS d, $6 AS t, $7 AS a",
			Params: []driver.Param{str, integer, num, boolean, date, datetime, strs},
			Args:   []driver.Arg{dt.Null(), dt.Null(), dt.Null(), dt.Null(), dt.Null(), dt.Null(), dt.Null()},
			Want:   `[{"s":null,"i":null,"n":null,"b":null,"d":null,"t":null,"a":null}]`},
	}
}

var failures = []dt.Failure{
	{SQL: "SELEC 1", Kind: driver.KindSyntax, Position: 0},
	{SQL: "SELECT 'é', nope", Kind: driver.KindMissing, Position: 12},
	{SQL: "SELECT * FROM nowhere", Kind: driver.KindMissing, Position: 14},
	{SQL: "SELECT no_such_function(1)", Kind: driver.KindMissing, Position: 7},
	{SQL: "SELECT 1/0", Kind: driver.KindData, Position: -1},
	{SQL: "SELECT 'x'::int", Kind: driver.KindData, Position: 7},
	{SQL: "SELECT * FROM pg_authid", Kind: driver.KindPermission, Position: -1},
	{SQL: "DELETE FROM victim", Kind: driver.KindReadOnly, Position: -1},
	{SQL: "SELECT 1; SELECT 2", Kind: driver.KindSyntax, Position: -1},
	{SQL: "SELECT $1::int", Kind: driver.KindSyntax, Position: -1},
}
