// Package totp is the second factor: one-time passwords by the clock (RFC 6238)
// and recovery codes.
//
// A key is 160 random bits (RFC 4226 section 4, R6). A code is six digits, by
// HMAC-SHA-1 and steps of 30 seconds: what every authenticator app can do. A code
// of the step before or after counts too, for clocks that are a little off and
// people who type slowly. Verify names the step of the code, and takes only steps
// after the last one accepted: kept by the caller, this makes a code good once,
// also when the clock is set back (RFC 6238 section 5.2).
//
// A recovery code is 80 random bits. What is kept of it is an HMAC-SHA-256 under
// a key of its own, so that neither the list nor a guess at its codes is worth
// anything without that key.
//
// Its hole: six digits are a million, so whoever may try often gets in. Limiting
// the tries is the caller's (auth/limit).
package totp

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

const (
	keyBytes = 20
	period   = 30 // seconds a step lasts
	skew     = 1  // steps before and after the clock's that count
)

// What may be wrong with a code.
var (
	ErrForm  = errors.New("a code is six digits")
	ErrWrong = errors.New("the code is wrong")
	ErrUsed  = errors.New("the code was used already")
)

// Key is a new key with all an authenticator app must know.
type Key struct{ key *otp.Key }

// NewKey draws a key. The app shows issuer and account beside its codes. The error is of the random source or an empty name.
func NewKey(issuer, account string) (Key, error) {
	// A colon ends the issuer in the label (Key URI format of Google Authenticator).
	account = strings.ReplaceAll(account, ":", ";")
	k, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: account, Period: period, SecretSize: keyBytes, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return Key{}, fmt.Errorf("draw a key for one-time passwords: %w", err)
	}
	return Key{k}, nil
}

// Secret is the key in base32 without padding, for Verify and for people who type it into the app.
func (k Key) Secret() string { return k.key.Secret() }

// URL is the otpauth:// address an app takes.
func (k Key) URL() string { return k.key.String() }

// SVG is the URL as a QR code (ISO/IEC 18004): a document of its own, black on white with the quiet zone of four modules, without
// script or style, so that a strict content security policy shows it. The error says that the URL is too long for a code.
func (k Key) SVG() (string, error) {
	const quiet = 4
	code, err := qr.Encode(k.URL(), qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			run := 0
			for x+run < size && dark(code.At(x+run, y)) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	side := size + 2*quiet
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" shape-rendering="crispEdges">`+
		`<rect width="%d" height="%d" fill="#fff"/><path d="%s" fill="#000"/></svg>`, side, side, 4*side, 4*side, side, side, path.String()), nil
}

func dark(c interface{ RGBA() (r, g, b, a uint32) }) bool {
	r, _, _, _ := c.RGBA()
	return r < 0x8000
}

// CheckCode returns nil when a text may be a code, and ErrForm otherwise.
func CheckCode(code string) error {
	_, err := digits(code)
	return err
}

// Step is the number of the time step at a moment.
func Step(at time.Time) int64 { return at.Unix() / period }

// Verify returns the step whose code this is: the clock's own, the one before or the one after, and later than the step last. Spaces in
// the code do not count: apps show the digits in groups. The error is ErrForm, ErrWrong, ErrUsed for the right code of a step that is
// not later than last, or says that the key is damaged.
func Verify(secret, code string, at time.Time, last int64) (step int64, err error) {
	code, err = digits(code)
	if err != nil {
		return 0, err
	}
	now, found, used := Step(at), int64(-1), false
	for s := max(0, now-skew); s <= now+skew; s++ {
		same, err := matches(secret, code, s)
		switch {
		case err != nil:
			return 0, err
		case same && s > last:
			found = s
		case same:
			used = true
		}
	}
	switch {
	case found >= 0:
		return found, nil
	case used:
		return 0, ErrUsed
	}
	return 0, ErrWrong
}

// Drift looks for the step of a code far from the clock's and says how far the app's clock is ahead of at, within reach and to the
// step. It is for the person who just scanned the key, never for a sign-in: it would make guessing easier.
func Drift(secret, code string, at time.Time, reach time.Duration) (ahead time.Duration, ok bool) {
	code, err := digits(code)
	if err != nil {
		return 0, false
	}
	for n := int64(1); n <= int64(reach/time.Second)/period; n++ {
		for _, off := range []int64{n, -n} {
			if s := Step(at) + off; s >= 0 {
				if same, err := matches(secret, code, s); err == nil && same {
					return time.Duration(off*period) * time.Second, true
				}
			}
		}
	}
	return 0, false
}

func matches(secret, code string, step int64) (bool, error) {
	want, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return false, fmt.Errorf("compute a one-time password: %w", err)
	}
	return subtle.ConstantTimeCompare([]byte(code), []byte(want)) == 1, nil
}

// digits is the code without its spaces.
func digits(code string) (string, error) {
	if len(code) > 32 {
		return "", ErrForm
	}
	code = strings.ReplaceAll(code, " ", "")
	if len(code) != otp.DigitsSix.Length() || strings.Trim(code, "0123456789") != "" {
		return "", ErrForm
	}
	return code, nil
}
