package server

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"mcpstudio/auth/session"
	"mcpstudio/server/doctor"
	"mcpstudio/store"
	"mcpstudio/store/keyring"
)

// facts is what the running studio knows for its checklist, but what is in the store.
func (s *Server) facts() doctor.Facts {
	f := hostFacts(s.config)
	f.Listeners = nil
	for _, l := range s.listeners {
		f.Listeners = append(f.Listeners, doctor.Listener{
			Name: l.name, Variable: l.at.Variable, Address: l.display(), Reachable: !loopback(l), Taken: l.taken(),
		})
	}
	return f
}

// hostFacts looks at the configuration, the process and the files. It changes nothing.
func hostFacts(c Config) doctor.Facts {
	f := doctor.Facts{
		Key: secretFact("STUDIO_ENCRYPTION_KEY", c.EncryptionKey, filepath.Join(c.DataDir, keyring.FileName)), SessionSecret: secretFact("STUDIO_JWT_SECRET", c.SessionSecret, filepath.Join(c.DataDir, session.SecretFile)),
		Proxies: c.Proxies, TrustUnix: c.TrustUnix, AllowPrivate: c.AllowPrivate, Root: os.Geteuid() == 0,
		Sandbox: &doctor.Sandbox{Enforce: c.Enforce}, Listeners: plannedListeners(c),
	}
	if c.PublicURL != nil {
		f.PublicURL = c.PublicURL.String()
	}
	if c.DotEnv != nil {
		f.EnvFile = &doctor.File{Path: c.DotEnv.Path, Mode: c.DotEnv.Mode}
		if info, err := os.Stat(c.DotEnv.Path); err == nil { // it may have been mended since the start
			f.EnvFile.Mode = info.Mode().Perm()
		}
	}
	if info, err := os.Stat(c.DataDir); err == nil {
		f.DataDir = &doctor.File{Path: c.DataDir, Mode: info.Mode().Perm(), Owner: owner(info)}
		f.User, f.Private = dataUser(f.DataDir.Owner), privateFiles(c)
	}
	return f
}

// plannedListeners is where a studio with this configuration listens.
func plannedListeners(c Config) []doctor.Listener {
	var out []doctor.Listener
	for _, l := range surfaces(c) {
		if l.at.Off {
			continue
		}
		out = append(out, doctor.Listener{Name: l.name, Variable: l.at.Variable, Address: l.at.String(), Reachable: !l.at.loopback()})
	}
	return out
}

// maxListedFiles bounds how much of a data directory is looked at: what the studio itself puts there is far less.
const maxListedFiles = 1000

// privateFiles are the files of the data directory that are for the studio alone. The SQLite databases in it are read by children.
func privateFiles(c Config) []doctor.File {
	var out []doctor.File
	_ = filepath.WalkDir(c.DataDir, func(path string, d fs.DirEntry, err error) error { // what cannot be read is not open to others
		switch {
		case err != nil || path == c.DataDir:
			return nil
		case d.IsDir() && path == c.SQLiteDir:
			return fs.SkipDir
		case len(out) >= maxListedFiles:
			return fs.SkipAll
		}
		if info, err := d.Info(); err == nil && d.Type()&fs.ModeSymlink == 0 { // of a link, what it leads to counts, and that is elsewhere
			out = append(out, doctor.File{Path: path, Mode: info.Mode().Perm(), Owner: owner(info)})
		}
		return nil
	})
	return out
}

// owner is the uid that a file is of; nil where there are no such things.
func owner(info fs.FileInfo) *int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return new(int(st.Uid))
	}
	return nil
}

// dataUser is the uid that everything in the data directory should be of: the studio's own, and for root, which may look after the
// studio of another user, that of the directory.
func dataUser(ofDir *int) *int {
	if uid := os.Geteuid(); uid != 0 {
		return &uid
	}
	return ofDir
}

// secretFact says where one of the studio's own secrets comes from, and what speaks against it.
func secretFact(variable string, given store.Secret, path string) doctor.Secret {
	out := doctor.Secret{Variable: variable}
	value, ok := given.Reveal()
	if ok {
		keys := strings.Split(value, ",")
		out.Source, out.Keys = doctor.FromEnvironment, len(keys)
		if variable == "STUDIO_JWT_SECRET" { // one secret, whatever is in it
			keys, out.Keys = []string{value}, 1
		}
		out.Weak = weakness(strings.TrimSpace(keys[0]))
		return out
	}
	if _, err := os.Stat(path); err == nil {
		out.Source, out.Path, out.Keys = doctor.FromFile, path, 1
	}
	return out
}

// What a secret that a person typed should have at least. 32 random bytes are 43 characters of base64 or 64 hexadecimal digits, of
// which some 28 and 15 are different ones.
const (
	strongLength   = 32
	strongAlphabet = 10
)

// weakness is what can be said against a secret, as a clause; empty: nothing.
func weakness(secret string) string {
	different := map[rune]bool{}
	for _, c := range secret {
		different[c] = true
	}
	switch n := utf8.RuneCountInString(secret); {
	case len(different) < strongAlphabet:
		return "repeats few different characters"
	case n < strongLength:
		return "is a short passphrase; 32 characters or more, or a random key, are much harder to guess"
	}
	return ""
}

// display is a listener's address as people write it.
func (l *listener) display() string {
	if l.at.Unix != "" {
		return l.at.String()
	}
	return l.Addr().String()
}

// taken is the default address that another program had, so that this listener moved; empty: it did not.
func (l *listener) taken() string {
	if l.at.Set || l.at.Unix != "" || l.Addr().String() == l.at.TCP {
		return ""
	}
	return l.at.TCP
}

// String is the address as STUDIO_ADDR takes it.
func (a Address) String() string {
	if a.Unix != "" {
		return "unix:" + a.Unix
	}
	return cmp.Or(a.TCP, "off")
}
