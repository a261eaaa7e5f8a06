package totp_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"

	"mcpstudio/auth/totp"
)

// rfc is the key of RFC 6238 appendix B.
var rfc = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte("12345678901234567890"))

// TestVectors holds Verify against RFC 6238 appendix B (SHA-1; six digits are the last six of the eight there).
func TestVectors(t *testing.T) {
	for at, code := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		step, err := totp.Verify(rfc, code, time.Unix(at, 0), 0)
		if err != nil || step != at/30 {
			t.Errorf("%d: step %d, %v", at, step, err)
		}
	}
}

// codeAt is the code of a step, by RFC 4226 section 5.3, apart from the library.
func codeAt(t *testing.T, secret string, step int64) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha1.New, key)
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := m.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&0xf:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// TestWindow is case 56: the step before and the one after count, and an accepted step makes itself and earlier ones unusable.
func TestWindow(t *testing.T) {
	const step = 1_000_000
	code := codeAt(t, rfc, step)
	for off := int64(-3); off <= 3; off++ {
		for _, second := range []int64{0, 29} { // of the clock's step
			_, err := totp.Verify(rfc, code, time.Unix((step+off)*30+second, 0), 0)
			if want := off >= -1 && off <= 1; (err == nil) != want {
				t.Errorf("code of step %+d from the clock: %v", -off, err)
			}
		}
	}
	now := time.Unix(step*30, 0)
	for last, want := range map[int64]error{step - 1: nil, step: totp.ErrUsed, step + 1: totp.ErrUsed, step + 1000: totp.ErrUsed} {
		if _, err := totp.Verify(rfc, code, now, last); !errors.Is(err, want) {
			t.Errorf("after step %d: %v, want %v", last, err, want)
		}
	}
	if _, err := totp.Verify(rfc, "000000", now, step+1000); !errors.Is(err, totp.ErrWrong) {
		t.Errorf("a wrong one: %v", err)
	}
	if _, err := totp.Verify("not base32!", code, now, 0); err == nil || errors.Is(err, totp.ErrWrong) || errors.Is(err, totp.ErrForm) {
		t.Errorf("a damaged key: %v", err)
	}
	if _, err := totp.Verify(rfc, code, time.Unix(0, 0), 0); errors.Is(err, totp.ErrForm) {
		t.Error("the first step is not counted")
	}
}

// TestForm is case 57.
func TestForm(t *testing.T) {
	at := time.Unix(59, 0)
	for _, good := range []string{"287082", "287 082", " 287082 ", "2 8 7 0 8 2"} {
		if _, err := totp.Verify(rfc, good, at, 0); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", " ", "28708", "2870820", "28708a", "２８７０８２", "287\u00a0082", "287\t082", "+28708", "-28708", "0x1234", "287082\n", "1e5000", strings.Repeat(" ", 100) + "287082"} {
		if _, err := totp.Verify(rfc, bad, at, 0); !errors.Is(err, totp.ErrForm) || !errors.Is(totp.CheckCode(bad), totp.ErrForm) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// case 67: whoever sets up a new key is told by how much the clocks differ.
func TestDrift(t *testing.T) {
	const step = 1_000_000
	code := codeAt(t, rfc, step)
	for _, min := range []int64{-30, -10, -2, 2, 10, 30} {
		at := time.Unix(step*30-min*60, 0) // the server's clock is behind by min
		ahead, ok := totp.Drift(rfc, code, at, 30*time.Minute)
		if !ok || ahead != time.Duration(min)*time.Minute {
			t.Errorf("%d minutes: %s %v", min, ahead, ok)
		}
	}
	if ahead, ok := totp.Drift(rfc, code, time.Unix(step*30+31*60, 0), 30*time.Minute); ok {
		t.Errorf("beyond reach: %s", ahead)
	}
	if _, ok := totp.Drift(rfc, "x", time.Unix(step*30, 0), time.Hour); ok {
		t.Error("what is no code has a drift")
	}
}

func TestKey(t *testing.T) {
	k, err := totp.NewKey("MCP Studio", "ada: <b>&é")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(k.Secret())
	if err != nil || len(raw) != 20 {
		t.Errorf("%q: %d bytes, %v", k.Secret(), len(raw), err)
	}
	u, err := url.Parse(k.URL())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/MCP Studio:ada; <b>&é" || q.Get("secret") != k.Secret() || q.Get("issuer") != "MCP Studio" || q.Get("digits") != "6" || q.Get("period") != "30" || q.Get("algorithm") != "SHA1" {
		t.Errorf("%s", k.URL())
	}
	other, err := totp.NewKey("MCP Studio", "ada")
	if err != nil || other.Secret() == k.Secret() {
		t.Errorf("two keys are one: %v", err)
	}
	if _, err := totp.NewKey("MCP Studio", ""); err == nil {
		t.Error("a key for nobody")
	}
}

// TestSVG reads the picture back, module by module, and looks for anything a page would run (case 62: the picture is made here).
func TestSVG(t *testing.T) {
	for _, account := range []string{"ada", strings.Repeat("ü", 64), `"><script>alert(1)</script>`} {
		k, err := totp.NewKey("MCP Studio", account)
		if err != nil {
			t.Fatal(err)
		}
		svg, err := k.SVG()
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"script", "style", "href", "url(", k.Secret()} {
			if strings.Contains(svg, bad) {
				t.Errorf("the picture has %s", bad)
			}
		}
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("not well formed: %v", err)
			}
		}
		want, err := qr.Encode(k.URL(), qr.M, qr.Auto)
		if err != nil {
			t.Fatal(err)
		}
		size := want.Bounds().Dx()
		drawn := map[[2]int]bool{}
		runs := regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(svg, -1)
		for _, r := range runs {
			var x, y, n, back int
			if _, err := fmt.Sscan(strings.Join(r[1:], " "), &x, &y, &n, &back); err != nil || n != back {
				t.Fatalf("%v: %v", r, err)
			}
			for i := range n {
				drawn[[2]int{x + i, y}] = true
			}
		}
		for y := range size {
			for x := range size {
				r, _, _, _ := want.At(x, y).RGBA()
				if dark := r < 0x8000; drawn[[2]int{x + 4, y + 4}] != dark {
					t.Fatalf("module %d %d", x, y)
				}
				delete(drawn, [2]int{x + 4, y + 4})
			}
		}
		if len(drawn) != 0 || !strings.Contains(svg, fmt.Sprintf(`viewBox="0 0 %d %d"`, size+8, size+8)) {
			t.Errorf("something is drawn outside: %v", drawn)
		}
	}
}

// TestRecovery is cases 63 and 64 of the codes themselves.
func TestRecovery(t *testing.T) {
	s, err := totp.NewSet()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Codes) != 10 || len(s.Hashes) != 10 || len(s.Key) != 32 {
		t.Fatalf("%d codes, %d hashes, %d bytes of key", len(s.Codes), len(s.Hashes), len(s.Key))
	}
	form := regexp.MustCompile(`^([a-z2-7]{4}-){3}[a-z2-7]{4}$`) // 80 bits
	seen := map[string]bool{}
	for i, c := range s.Codes {
		if !form.MatchString(c) || seen[c] {
			t.Errorf("code %q", c)
		}
		seen[c] = true
		for _, typed := range []string{c, strings.ToUpper(c), strings.ReplaceAll(c, "-", ""), " " + strings.ReplaceAll(c, "-", " ")} {
			if got, err := totp.FindRecovery(s.Key, s.Hashes, typed); err != nil || got != i {
				t.Errorf("%q: %d %v", typed, got, err)
			}
		}
		if strings.Contains(string(s.Hashes[i]), strings.ReplaceAll(c, "-", "")) {
			t.Error("a hash shows its code")
		}
	}
	if _, err := totp.FindRecovery(s.Key, s.Hashes[1:], s.Codes[0]); !errors.Is(err, totp.ErrWrong) {
		t.Errorf("a used one: %v", err)
	}
	other, err := totp.NewSet()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := totp.FindRecovery(other.Key, s.Hashes, s.Codes[0]); !errors.Is(err, totp.ErrWrong) {
		t.Errorf("the key does not count: %v", err)
	}
	for _, bad := range []string{"", "287082", s.Codes[0][1:], s.Codes[0] + "a", "0" + s.Codes[0][1:], strings.Repeat("a", 1<<20), s.Codes[0] + "\n"} {
		if _, err := totp.FindRecovery(s.Key, s.Hashes, bad); !errors.Is(err, totp.ErrRecoveryForm) || !errors.Is(totp.CheckRecovery(bad), totp.ErrRecoveryForm) {
			t.Errorf("%.30q: %v", bad, err)
		}
	}
}

// FuzzCodes: whatever is typed, the check of the form and the check of the code agree, and nothing but a code is let through.
func FuzzCodes(f *testing.F) {
	for _, s := range []string{"287082", "287 082", "", "２８７０８２", "abcd-efgh-2345-6723", "ABCDEFGH23456723", "a\nb", strings.Repeat("7", 64)} {
		f.Add(s)
	}
	set, err := totp.NewSet()
	if err != nil {
		f.Fatal(err)
	}
	at := time.Unix(59, 0)
	f.Fuzz(func(t *testing.T, code string) {
		_, err := totp.Verify(rfc, code, at, 0)
		if errors.Is(err, totp.ErrForm) != (totp.CheckCode(code) != nil) {
			t.Errorf("%q: %v", code, err)
		}
		if plain := strings.ReplaceAll(code, " ", ""); err == nil && plain != "287082" && plain != "755224" && plain != "359152" { // steps 1, 0 and 2: RFC 4226 appendix D
			t.Errorf("%q got in", code)
		}
		_, err = totp.FindRecovery(set.Key, set.Hashes, code)
		if err == nil || errors.Is(err, totp.ErrRecoveryForm) != (totp.CheckRecovery(code) != nil) {
			t.Errorf("%q: %v", code, err)
		}
	})
}
