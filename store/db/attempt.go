package db

import (
	"context"
	"time"

	"mcpstudio/store"
)

func attemptAct() Act { return Act{Actor: store.SystemActor(), Operation: "login_attempt"} }

// attemptLife is how long an attempt is kept; no window may be longer. What piles up until then is bounded by the cost of a hash.
const attemptLife = 24 * time.Hour

// Attempt counts a login attempt of a bucket before its password is looked at. decide gets the times of the bucket's attempts
// after since, oldest first: open ones, and ones that a later success settled. When decide returns nil, one more attempt at now is kept
// and its id returned; else decide's error comes back. All of it is one write transaction, so parallel attempts cannot pass together.
// Attempts in the future (the clock was set back) are brought to now, so that none counts for longer than the window.
func (d *DB) Attempt(ctx context.Context, bucket string, now, since time.Time, decide func(open, settled []time.Time) error) (id string, err error) {
	// A bucket that is over its limit is refused from a read, so that a flood of guesses does not hold the write lock.
	var refused error
	err = d.View(ctx, func(tx *Tx) error {
		open, settled, ahead, err := tx.attempts(bucket, now, since)
		if err == nil && !ahead {
			refused = decide(open, settled)
		}
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return "", err
	}
	err = d.Update(ctx, attemptAct(), func(tx *Tx) error {
		what := "count a login attempt"
		if _, err := tx.exec(what, `UPDATE login_failures SET at = $1 WHERE at > $1`, micros(now)); err != nil {
			return err
		}
		if _, err := tx.exec(what, `DELETE FROM login_failures WHERE at <= $1`, micros(now.Add(-attemptLife))); err != nil {
			return err
		}
		open, settled, _, err := tx.attempts(bucket, now, since)
		if err != nil {
			return err
		}
		if refused = decide(open, settled); refused != nil {
			return nil // what was brought to now must stay so
		}
		if id, err = newID(now); err != nil {
			return err
		}
		_, err = tx.exec(what, `INSERT INTO login_failures (id, bucket, at, settled) VALUES ($1, $2, $3, $4)`, id, bucket, micros(now), false)
		return err
	})
	if err == nil {
		err = refused
	}
	return id, err
}

// attempts reads a bucket; ahead reports whether one of its attempts is in the future.
func (tx *Tx) attempts(bucket string, now, since time.Time) (open, settled []time.Time, ahead bool, err error) {
	err = tx.rows("count login attempts", func(scan func(...any) error) error {
		var at int64
		var done bool
		if err := scan(&at, &done); err != nil {
			return err
		}
		ahead = ahead || at > micros(now)
		if done {
			settled = append(settled, fromMicros(at))
		} else {
			open = append(open, fromMicros(at))
		}
		return nil
	}, `SELECT at, settled FROM login_failures WHERE bucket = $1 AND at > $2 ORDER BY at`, bucket, micros(since))
	return open, settled, ahead, err
}

// SettleAttempt says that the attempt succeeded: it is removed, and the bucket's other attempts no longer count as open.
func (d *DB) SettleAttempt(ctx context.Context, bucket, id string) error {
	return d.Update(ctx, attemptAct(), func(tx *Tx) error {
		if _, err := tx.exec("settle a login attempt", `DELETE FROM login_failures WHERE id = $1`, id); err != nil {
			return err
		}
		_, err := tx.exec("settle login attempts", `UPDATE login_failures SET settled = $1 WHERE bucket = $2`, true, bucket)
		return err
	})
}

// DropAttempt removes an attempt that came to nothing: its password or code was not looked at.
func (d *DB) DropAttempt(ctx context.Context, id string) error {
	return d.Update(ctx, attemptAct(), func(tx *Tx) error {
		_, err := tx.exec("drop a login attempt", `DELETE FROM login_failures WHERE id = $1`, id)
		return err
	})
}

// failures counts the bucket's open attempts of the last day but one: the one that is succeeding.
func (tx *Tx) failures(bucket string) (int, error) {
	n := 0
	_, err := tx.row("count failed attempts", []any{&n}, `SELECT count(*) FROM login_failures WHERE bucket = $1 AND settled = $2 AND at > $3`,
		bucket, false, micros(tx.now.Add(-attemptLife)))
	return max(0, n-1), err
}
