package main

import (
	"embed"
	"io/fs"
)

// built holds ui/dist when the UI was built (make build), and always the page that says how: the pattern matches that page, so the
// program compiles without Node. all: takes files whose names begin with _ too, which the bundler may make.
//
//go:embed all:ui/dist*
var built embed.FS

// pages is the UI as the server takes it.
func pages() (fs.FS, error) { return fs.Sub(built, "ui") }
