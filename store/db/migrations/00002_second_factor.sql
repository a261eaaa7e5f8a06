-- +goose Up
-- When the password was set, and whether it was as long as recommended then (null: set before this was noted).
ALTER TABLE admin ADD COLUMN password_changed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE admin ADD COLUMN password_long BOOLEAN;
UPDATE admin SET password_changed_at = updated_at;

-- One row, of the admin. Its keys are in secrets: key, draft (shown and not confirmed yet) and code_key.
CREATE TABLE second_factor (
    id         TEXT NOT NULL PRIMARY KEY,
    enabled_at BIGINT,
    last_step  BIGINT NOT NULL,
    draft_at   BIGINT
);

-- Keyed hashes of the recovery codes that are left.
CREATE TABLE recovery_codes (
    code_hash TEXT NOT NULL PRIMARY KEY
);

-- Sign-ins whose password was right and whose code is missing.
CREATE TABLE pending_logins (
    token_hash    TEXT NOT NULL PRIMARY KEY,
    admin_version BIGINT NOT NULL,
    failures      BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX pending_logins_expiry ON pending_logins (expires_at);
