package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"mcpstudio/auth"
	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// mustHaveStudio refuses a directory without a store, so that a mistyped one is not taken for an empty studio.
func mustHaveStudio(dir string) error {
	exists, err := db.Exists(dir)
	if err == nil && !exists {
		err = fmt.Errorf("there is no studio in %s; give the directory with --data-dir or STUDIO_DATA_DIR", dir)
	}
	return err
}

// Backup is studio backup: a consistent copy of the store, also while the studio runs. It needs no key.
func Backup(ctx context.Context, c Config, out io.Writer, file string) error {
	if err := mustHaveStudio(c.DataDir); err != nil {
		return err
	}
	made, err := db.Backup(ctx, c.DataDir, file, time.Now())
	if err != nil {
		return err
	}
	key := "the value of STUDIO_ENCRYPTION_KEY"
	if !c.EncryptionKey.IsSet() {
		key = filepath.Join(c.DataDir, keyring.FileName)
	}
	_, err = fmt.Fprintf(out, `The store was copied to %s (%d bytes, sha256 %s).
Not in it: the encryption key. Keep %s in another place: without it every database password must be entered again.
Not in it either: the SQLite files in %s.
`, made.Path, made.Bytes, made.SHA256, key, c.SQLiteDir)
	return err
}

// Restore is studio restore: it puts a backup in the place of the store, after everything about it was checked.
func Restore(ctx context.Context, c Config, out io.Writer, file string) error {
	keys, err := openKeys(c)
	var missing *keyring.MissingError
	if errors.As(err, &missing) {
		return fmt.Errorf("a backup opens only with the key of its time, and there is no key file %s: put it there (mode 0600), or set STUDIO_ENCRYPTION_KEY", missing.Path)
	}
	if err != nil {
		return fmt.Errorf("a backup opens only with the key of its time: %w", err)
	}
	done, err := db.Restore(ctx, db.Options{Dir: c.DataDir, Keyring: keys, Log: slog.New(slog.DiscardHandler)}, file, db.Act{Actor: auth.Actor(auth.CLI()), Operation: "restore_backup"})
	var used *db.InUseError
	if errors.As(err, &used) {
		return fmt.Errorf("a studio runs on %s (process %s), and its store cannot be replaced under it: stop it, then restore", used.Dir, used.PID)
	}
	if err != nil {
		return err
	}
	text := "The store of " + c.DataDir + " is now " + file
	if done.MadeAt != "" {
		text += ", made " + done.MadeAt
	}
	text += ".\n"
	if done.Kept != "" {
		text += "The one that was there is kept as " + done.Kept + "; remove it when you no longer need it.\n"
	}
	if c.EncryptionKey.IsSet() { // a key file beside the store may be of another time
		text += "It opens with the key of STUDIO_ENCRYPTION_KEY: start the studio with it too.\n"
	}
	_, err = io.WriteString(out, text+access(done))
	return err
}

// access says who gets in after a restore. Names come from the backup, hence the quotes: they must not steer a terminal.
func access(done db.Restored) string {
	text := "Every session ended. Everything else is as it was when the backup was made, also what was changed for safety since:\n"
	if a := done.Admin; a != nil {
		text += fmt.Sprintf("- %q signs in with the password of that time", a.Username)
		if a.TwoFactorAt != nil {
			text += fmt.Sprintf(", and with two-factor sign-in; %d recovery codes are good, also those used since.\n", a.RecoveryCodesLeft)
		} else {
			text += ", without two-factor sign-in.\n"
		}
	} else {
		text += "- There is no admin: the next start prints a setup link.\n"
	}
	if done.Auth == store.AuthNone {
		text += "- MCP clients need no token at all.\n"
	}
	for _, t := range done.Tokens {
		text += fmt.Sprintf("- The MCP token %q (%q…) is valid", t.Name, t.Prefix)
		if t.ExpiresAt != nil {
			text += " until " + t.ExpiresAt.UTC().Format(time.DateOnly)
		}
		if done.Returned[t.ID] {
			text += " AGAIN: the store that was there did not have it any more"
		}
		text += ".\n"
	}
	if len(done.Tokens) > 0 && !done.Compared {
		text += "Which of the tokens had been revoked since is not known, because there was no store to compare with that could be read.\n"
	}
	return text + "Start the studio, and revoke or change first what is not to be trusted.\n"
}

// openKeys opens the keys of a store that is there.
func openKeys(c Config) (*keyring.Keyring, error) {
	key, _ := c.EncryptionKey.Reveal()
	return keyring.Open(keyring.Options{Dir: c.DataDir, Env: key, MustExist: true})
}
