package jsonscan

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// AppendEscaped appends src as the inside of a JSON string, without the quotes. A byte that is not UTF-8 becomes
// U+FFFD. Nothing is escaped for the sake of HTML. src may be a part of b.
func AppendEscaped[T string | []byte](b []byte, src T) []byte {
	from := 0
	for i := 0; i < len(src); {
		c := src[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = decodeRune(src[i:]); r != utf8.RuneError || size != 1 {
				i += size
				continue
			}
		}
		b = append(b, src[from:i]...)
		b = appendEscape(b, c)
		i += size
		from = i
	}
	return append(b, src[from:]...)
}

// decodeRune decodes the first rune of src without converting all of it.
func decodeRune[T string | []byte](src T) (rune, int) {
	var a [utf8.UTFMax]byte
	n := copy(a[:], src[:min(len(src), utf8.UTFMax)])
	return utf8.DecodeRune(a[:n])
}

func appendEscape(b []byte, c byte) []byte {
	switch {
	case c == '"' || c == '\\':
		return append(b, '\\', c)
	case c == '\n':
		return append(b, '\\', 'n')
	case c == '\r':
		return append(b, '\\', 'r')
	case c == '\t':
		return append(b, '\\', 't')
	case c >= utf8.RuneSelf:
		return utf8.AppendRune(b, utf8.RuneError)
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// AppendString appends src as a JSON string; see [AppendEscaped].
func AppendString[T string | []byte](b []byte, src T) []byte {
	return append(AppendEscaped(append(b, '"'), src), '"')
}
