package password

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The length of a password in characters (NIST SP 800-63B-4 section 3.1.1.2 asks for 15 where there is no second factor). Recommended is what to aim at while there is no second factor.
const (
	MinLength   = 8
	Recommended = 15
	MaxLength   = 256
)

// common holds lower-case passwords that guessing starts with, one a line.
//
//go:embed passwords.txt
var common string

// WeakError says which rule a new password breaks, in a sentence for the person who chose it.
type WeakError struct{ Rule string }

// Error implements error.
func (e *WeakError) Error() string { return e.Rule }

// TooLong reports whether a password is beyond what could ever be set; such a one is refused before any work is done on it.
func TooLong(password string) bool {
	return len(password) > MaxLength*utf8.UTFMax || utf8.RuneCountInString(password) > MaxLength
}

// LongEnough reports whether a password has the recommended length.
func LongEnough(password string) bool {
	return utf8.RuneCountInString(norm.NFC.String(password)) >= Recommended
}

// Same reports whether two passwords are one, however a keyboard composed them.
func Same(a, b string) bool { return norm.NFC.String(a) == norm.NFC.String(b) }

// Check judges a new password for a user: 8 to 256 characters, not only spaces, not the user name, not one that guessing starts with.
// The error is a *WeakError.
func Check(password, username string) error {
	if TooLong(password) {
		return &WeakError{fmt.Sprintf("a password is at most %d characters", MaxLength)}
	}
	if !utf8.ValidString(password) || strings.ContainsRune(password, 0) {
		return &WeakError{"a password is text without a NUL character"}
	}
	password = norm.NFC.String(password)
	if n := utf8.RuneCountInString(password); n < MinLength {
		return &WeakError{fmt.Sprintf("a password is at least %d characters, this one has %d; %d or more are recommended", MinLength, n, Recommended)}
	}
	folded := fold(password)
	if folded == "" {
		return &WeakError{"a password of nothing but spaces is not accepted"}
	}
	if name := fold(username); name != "" && folded == name {
		return &WeakError{"the password is the user name; choose another"}
	}
	if isCommon(folded) {
		return &WeakError{"this password is among the first that guessing tries; choose another, for instance four unrelated words"}
	}
	return nil
}

func fold(s string) string {
	return strings.ToLower(strings.TrimFunc(norm.NFC.String(s), unicode.IsSpace))
}

// maxTail is how many digits and signs behind a common word do not make it a good password.
const maxTail = 6

// isCommon looks the password up in the list, then again without the few digits and signs people put behind a word that was refused,
// and refuses one character or a short run repeated.
func isCommon(folded string) bool {
	if listed(folded) || repeats(folded) {
		return true
	}
	word := strings.TrimRightFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) })
	tail := utf8.RuneCountInString(folded) - utf8.RuneCountInString(word)
	return tail > 0 && tail <= maxTail && listed(word)
}

func listed(s string) bool {
	return !strings.Contains(s, "\n") && strings.Contains("\n"+common, "\n"+s+"\n")
}

// repeats reports whether s is a run of at most four characters over and over, as in abcabcabc.
func repeats(s string) bool {
	r := []rune(s)
	for size := 1; size <= 4 && size*2 <= len(r); size++ {
		same := true
		for i := size; i < len(r) && same; i++ {
			same = r[i] == r[i-size]
		}
		if same {
			return true
		}
	}
	return false
}
