package db

// Meta returns a value the studio keeps about itself, for instance the state of the sample; found is false when it was never set.
// Never a secret: values are in clear.
func (tx *Tx) Meta(name string) (value string, found bool, err error) {
	found, err = tx.row("read meta "+name, []any{&value}, `SELECT value FROM meta WHERE name = $1`, name)
	return value, found, err
}

// SetMeta keeps a value, without a history entry.
func (tx *Tx) SetMeta(name, value string) error {
	_, err := tx.exec("set meta "+name, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}
