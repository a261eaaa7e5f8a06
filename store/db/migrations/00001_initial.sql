-- +goose Up
-- Times are microseconds since 1970 in UTC. Sealed values live in secrets and nowhere else, so that no body and no history
-- row can hold one. Only SQL that SQLite and PostgreSQL share.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE secrets (
    tbl    TEXT NOT NULL,
    col    TEXT NOT NULL,
    row_id TEXT NOT NULL,
    sealed TEXT NOT NULL,
    PRIMARY KEY (tbl, col, row_id)
);
CREATE INDEX secrets_row ON secrets (tbl, row_id);

CREATE TABLE connections (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,
    search     TEXT NOT NULL,
    version    BIGINT NOT NULL,
    enabled    BOOLEAN NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE tools (
    id            TEXT NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL UNIQUE,
    search        TEXT NOT NULL,
    connection_id TEXT REFERENCES connections (id),
    version       BIGINT NOT NULL,
    enabled       BOOLEAN NOT NULL,
    body          TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX tools_connection ON tools (connection_id);

CREATE TABLE resources (
    id            TEXT NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL UNIQUE,
    search        TEXT NOT NULL,
    connection_id TEXT REFERENCES connections (id),
    version       BIGINT NOT NULL,
    enabled       BOOLEAN NOT NULL,
    body          TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX resources_connection ON resources (connection_id);

CREATE TABLE prompts (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,
    search     TEXT NOT NULL,
    version    BIGINT NOT NULL,
    enabled    BOOLEAN NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE server_config (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,
    search     TEXT NOT NULL,
    version    BIGINT NOT NULL,
    enabled    BOOLEAN NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE mcp_tokens (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,
    search     TEXT NOT NULL,
    version    BIGINT NOT NULL,
    enabled    BOOLEAN NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- What of a token is not configuration: its hash, and its last use, which changes without a version or a history row.
CREATE TABLE mcp_token_uses (
    token_id     TEXT NOT NULL PRIMARY KEY REFERENCES mcp_tokens (id),
    token_hash   TEXT NOT NULL UNIQUE,
    last_used_at BIGINT,
    last_used_ip TEXT NOT NULL DEFAULT '',
    last_client  TEXT NOT NULL DEFAULT '',
    last_method  TEXT NOT NULL DEFAULT '',
    last_listed  BIGINT NOT NULL DEFAULT 0
);

-- History is append-only: nothing in this program updates or deletes a row of it.
CREATE TABLE changes (
    seq         BIGINT NOT NULL PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    at          BIGINT NOT NULL,
    actor_kind  TEXT NOT NULL,
    actor_id    TEXT NOT NULL,
    actor_name  TEXT NOT NULL,
    operation   TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id   TEXT NOT NULL,
    entity_name TEXT NOT NULL,
    version     BIGINT NOT NULL,
    before_body TEXT,
    after_body  TEXT
);
CREATE INDEX changes_entity ON changes (entity_type, entity_id, seq);

CREATE TABLE revisions (
    number      BIGINT NOT NULL PRIMARY KEY,
    digest      TEXT NOT NULL,
    state       TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    live_at     BIGINT,
    ended_at    BIGINT,
    author_kind TEXT NOT NULL,
    author_id   TEXT NOT NULL,
    author_name TEXT NOT NULL,
    note        TEXT NOT NULL,
    error       TEXT NOT NULL,
    size        BIGINT NOT NULL,
    tools       BIGINT NOT NULL,
    resources   BIGINT NOT NULL,
    prompts     BIGINT NOT NULL,
    manifest    TEXT NOT NULL
);
CREATE INDEX revisions_state ON revisions (state);

CREATE TABLE admin (
    id            TEXT NOT NULL PRIMARY KEY,
    version       BIGINT NOT NULL,
    username      TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    last_login_at BIGINT
);

CREATE TABLE sessions (
    id           TEXT NOT NULL PRIMARY KEY,
    token_hash   TEXT NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    address      TEXT NOT NULL,
    user_agent   TEXT NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE login_failures (
    id      TEXT NOT NULL PRIMARY KEY,
    bucket  TEXT NOT NULL,
    at      BIGINT NOT NULL,
    settled BOOLEAN NOT NULL
);
CREATE INDEX login_failures_bucket ON login_failures (bucket, at);
CREATE INDEX login_failures_at ON login_failures (at);
