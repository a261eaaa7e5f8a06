package doctor

import (
	"fmt"
	"strings"
)

const (
	configurationDoc = "docs/configuration.md"
	securityDoc      = "docs/security.md"
	operationsDoc    = "docs/operations.md"
)

func encryptionKey(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "encryption_key", Title: "Encryption key", Doc: configurationDoc, Link: "/settings/encryption",
		Why:  "It seals database passwords and two-factor secrets in the store. Whoever has both the store and the key can read them; whoever loses the key must enter them all again.",
		Mend: "Put a new key in front of it, separated by a comma (openssl rand -base64 32), and run studio rotate-key.",
	}
	k := f.Key
	if i = i.ownSecret(k, "key"); i.Status != OK {
		return i
	}
	switch {
	case k.Keys > 1:
		i.Status, i.Found = Warn, fmt.Sprintf("%d keys are given: a rotation was begun and not finished.", k.Keys)
		i.Mend = "Run studio rotate-key, then remove the old keys."
	case k.Source == FromFile:
		i.Found += " Keep a copy in another place than the backups of the store."
	}
	return i
}

func sessionSecret(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "session_secret", Title: "Session secret", Doc: configurationDoc,
		Why:  "It signs the admin's session cookie. Who can guess it still needs a session that exists, but the first of two fences is gone.",
		Mend: "Set STUDIO_JWT_SECRET to the output of: openssl rand -base64 32. Everybody signs in again.",
	}
	return i.ownSecret(f.SessionSecret, "session secret")
}

// ownSecret judges a secret of the studio itself; the item's Mend is for a weak one.
func (i ChecklistItem) ownSecret(s Secret, noun string) ChecklistItem {
	switch {
	case s.Source == NotMade:
		i.Status, i.Found = Unknown, "There is no "+noun+" yet; the first start makes one."
		i.Mend = "Start the studio once, or set " + s.Variable + " to the output of: openssl rand -base64 32"
	case s.Weak != "":
		i.Status, i.Found = Warn, "The "+noun+" in "+s.Variable+" "+s.Weak+"."
	case s.Source == FromFile:
		i.Status, i.Found = OK, "Made by the studio, in "+s.Path+"."
	default:
		i.Status, i.Found = OK, "Set in "+s.Variable+", and strong."
	}
	return i
}

func envFile(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "env_file", Title: ".env file", Doc: configurationDoc,
		Why: "It may hold the encryption key, the session secret and the first password.",
	}
	switch {
	case f.EnvFile == nil:
		i.Status, i.Found = OK, "There is none."
	case f.EnvFile.Mode.Perm() != 0o600:
		i.Status, i.Found = Warn, fmt.Sprintf("%s has mode %04o.", f.EnvFile.Path, f.EnvFile.Mode.Perm())
		i.Mend = "chmod 600 " + f.EnvFile.Path
	default:
		i.Status, i.Found = OK, f.EnvFile.Path+" is readable by its owner alone."
	}
	return i
}

func dataDir(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "data_dir", Title: "Data directory and key files", Doc: operationsDoc,
		Why: "The store, its keys and its copies are for the studio's own user. A file that others can read gives away what the key protects.",
	}
	if f.DataDir == nil {
		i.Status, i.Found = Unknown, "There is no data directory yet; the first start makes it."
		i.Mend = "Start the studio once."
		return i
	}
	var open, mend []string
	for _, file := range append([]File{*f.DataDir}, f.Private...) {
		if file.foreign(f.User) {
			open = append(open, fmt.Sprintf("%s (of uid %d)", file.Path, *file.Owner))
			mend = append(mend, fmt.Sprintf("chown %d %s", *f.User, file.Path))
		}
		if file.open() {
			open = append(open, fmt.Sprintf("%s (mode %04o)", file.Path, file.Mode.Perm()))
			mend = append(mend, "chmod go= "+file.Path)
		}
	}
	if len(open) > 0 {
		i.Status, i.Found, i.Mend = Fail, "Others on this machine have rights on "+strings.Join(open, ", ")+".", strings.Join(mend, "; ")
		return i
	}
	i.Status, i.Found = OK, f.DataDir.Path+" and what is in it are for the studio's user alone."
	return i
}
