package hop

import (
	"strconv"

	"mcpstudio/mcpgen/jsonscan"
)

// ErrorBody appends a JSON-RPC error response to b. A nil id becomes null: the answer to a message whose id is not
// known (JSON-RPC 2.0, section 5). data is the raw JSON value of the error's data, or nil for none.
func ErrorBody(b, id []byte, code int, msg string, data []byte) []byte {
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	if id == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, id...)
	}
	b = append(b, `,"error":{"code":`...)
	b = strconv.AppendInt(b, int64(code), 10)
	b = jsonscan.AppendString(append(b, `,"message":`...), msg)
	if data != nil {
		b = append(append(b, `,"data":`...), data...)
	}
	return append(b, "}}"...)
}
