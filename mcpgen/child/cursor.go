package child

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// sumSize is how much of a cursor's checksum it carries.
const sumSize = 6

// maxCursor is the longest cursor that is looked at: a name is at most 64 bytes.
const maxCursor = 256

// newCursor names the entry after which a list goes on. It says the entry and not
// a position, so it survives a deploy between two pages. The checksum tells
// cursors of this list from other texts; it is no secret, since whoever makes a
// cursor of his own only chooses where to begin.
func newCursor(method []byte, after string) string {
	return base64.RawURLEncoding.EncodeToString(append(checksum(method, after), after...))
}

func openCursor(method []byte, cursor string) (after string, ok bool) {
	if len(cursor) > maxCursor {
		return "", false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) <= sumSize {
		return "", false
	}
	after = string(raw[sumSize:])
	return after, subtle.ConstantTimeCompare(raw[:sumSize], checksum(method, after)) == 1
}

func badCursor() *rpcError {
	return invalidParams("The cursor is not valid. Start again without one.")
}

func checksum(method []byte, after string) []byte {
	sum := sha256.Sum256(append(append([]byte("cursor\x00"), method...), "\x00"+after...))
	return sum[:sumSize]
}
