package db

import "io/fs"

// WithSchema gives a store other migrations than the program's own.
func (o Options) WithSchema(schema fs.FS) Options {
	o.schema = schema
	return o
}

// Migrations are the program's own.
func Migrations() fs.FS { return migrations }
