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
	text += "Every session ended. Tokens that were revoked and recovery codes that were used since the backup are valid again: look at them first.\n"
	_, err = io.WriteString(out, text)
	return err
}

// openKeys opens the keys of a store that is there.
func openKeys(c Config) (*keyring.Keyring, error) {
	key, _ := c.EncryptionKey.Reveal()
	return keyring.Open(keyring.Options{Dir: c.DataDir, Env: key, MustExist: true})
}
