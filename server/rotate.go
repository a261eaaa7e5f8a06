package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"mcpstudio/auth"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// ForgetLost is studio rotate-key --forget-lost: the way on when a key is gone. What it sealed is given up and must be entered again;
// everything else stays.
func ForgetLost(ctx context.Context, c Config, out io.Writer) error {
	if err := mustHaveStudio(c.DataDir); err != nil {
		return err
	}
	if err := stopFirst(db.Free(c.DataDir)); err != nil { // before a key file is made under a studio that runs
		return err
	}
	key, _ := c.EncryptionKey.Reveal()
	keys, err := keyring.Open(keyring.Options{Dir: c.DataDir, Env: key}) // makes a new key file when there is none
	if err != nil {
		return err
	}
	done, err := db.Forget(ctx, db.Options{Dir: c.DataDir, Keyring: keys}, db.Act{Actor: auth.Actor(auth.CLI()), Operation: "forget_secrets"})
	if err := stopFirst(err); err != nil {
		return err
	}
	if done.Kept == "" {
		_, err = io.WriteString(out, "Every secret opens with the keys given; nothing was forgotten.\n")
		return err
	}
	text := fmt.Sprintf("Secrets given up, because no key opens them: %d. The store as it was is kept as %s.\n", done.Secrets, done.Kept)
	if len(done.Connections) > 0 {
		text += "Enter the secrets of these connections again: " + strings.Join(done.Connections, ", ") + ". Then deploy.\n"
	}
	if done.TwoFactor {
		text += "Two-factor sign-in is off, because its key was among them; turn it on again.\n"
	}
	_, err = io.WriteString(out, text)
	return err
}

// orForget adds to an error about a key that is not there the last way out. It is for what works on the store as it stands; a backup
// needs the key of its own time.
func orForget(err error) error {
	if lostKey(err) {
		return fmt.Errorf("%w; if the key is lost for good, studio rotate-key --forget-lost gives up the secrets that it sealed, and only they must be entered again", err)
	}
	return err
}

func lostKey(err error) bool {
	var missing *keyring.MissingError
	var wrong *keyring.WrongKeyError
	return errors.As(err, &missing) || errors.As(err, &wrong)
}

// stopFirst says of a directory that is in use what to do about it.
func stopFirst(err error) error {
	var used *db.InUseError
	if errors.As(err, &used) {
		return fmt.Errorf("a studio runs on %s (process %s): rotate on its Encryption page, or stop it first", used.Dir, used.PID)
	}
	return err
}

// RotateKey is studio rotate-key: it seals every secret anew with the first key, or with a new one that it puts first in the key file.
// It may be interrupted at any moment and repeated. A studio that runs is refused, because it would go on sealing with the old key;
// its own Encryption page rotates.
func RotateKey(ctx context.Context, c Config, out io.Writer, generate bool) error {
	if err := mustHaveStudio(c.DataDir); err != nil {
		return err
	}
	keys, err := openKeys(c)
	if err != nil {
		return orForget(err)
	}
	d, err := db.Open(ctx, db.Options{Dir: c.DataDir, Keyring: keys})
	if err := orForget(stopFirst(err)); err != nil {
		return err
	}
	done, err := d.Rotate(ctx, db.Act{Actor: auth.Actor(auth.CLI()), Operation: "rotate_encryption"}, generate)
	path := d.Keys().Path()
	if err := errors.Join(err, d.Close()); err != nil {
		return err
	}
	text := fmt.Sprintf("Secrets sealed anew: %d. The key %s now opens all of them.\n", done.Sealed, done.Key)
	switch {
	case path != "":
		text += "It is in " + path + ": keep a copy in another place.\n"
	case len(done.Left) > 0:
		text += "Take the others out of STUDIO_ENCRYPTION_KEY (" + strings.Join(done.Left, ", ") + ").\n"
	}
	text += "Backups made before open only with the key they were made under.\n"
	_, err = io.WriteString(out, text)
	return err
}
