package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mcpstudio/mcpgen/driver"
)

// Test implements driver.Driver: open, schema.
func (Driver) Test(ctx context.Context, cfg driver.Config, report func(driver.Step)) (driver.TestInfo, error) {
	step := func(name, message string, start time.Time, err error) {
		s := driver.Step{Name: name, OK: err == nil, Took: time.Since(start), Message: message}
		var d *driver.Error
		if errors.As(err, &d) {
			s.Message, s.Hint = d.Message, d.Hint
		} else if err != nil {
			s.Message = err.Error()
		}
		if report != nil {
			report(s)
		}
	}
	start := time.Now()
	p, err := open(cfg)
	if err != nil {
		step("open", "", start, err)
		return driver.TestInfo{}, err
	}
	defer p.Close()
	version := &driver.Statement{SQL: "SELECT sqlite_version() AS version", ReadOnly: true}
	type row struct{ Version string }
	rows, err := driver.List[row](ctx, p, version, 1)
	if err != nil {
		step("open", "", start, err)
		return driver.TestInfo{}, err
	}
	info := driver.TestInfo{Version: "SQLite " + rows[0].Version}
	step("open", cfg.Database+", "+info.Version, start, nil)
	start = time.Now()
	tables, err := p.Tables(ctx, driver.TableQuery{Limit: 1})
	if err != nil {
		step("schema", "", start, err)
		return driver.TestInfo{}, err
	}
	step("schema", fmt.Sprintf("%d tables and views", tables.Total), start, nil)
	if tables.Total == 0 {
		info.Warnings = append(info.Warnings, "The database has no tables.")
	}
	start = time.Now()
	if _, err := driver.List[row](ctx, p, version, 1); err != nil {
		return driver.TestInfo{}, err
	}
	info.Latency = time.Since(start)
	return info, nil
}
