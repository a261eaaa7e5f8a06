package store

import "time"

// Admin is the single human account.
type Admin struct {
	Meta
	Username          string
	PasswordHash      string // argon2id, PHC string format
	PasswordChangedAt time.Time
	PasswordLong      *bool // whether the password has the recommended length; nil: it was set before that was noted
	LastLoginAt       *time.Time
	TwoFactorAt       *time.Time // when two-factor was turned on; nil: it is off
	RecoveryCodesLeft int
}

// AdminID is the id of the one admin row.
const AdminID = "admin"

// Session is one sign-in of the admin. Only a hash of its token is kept.
type Session struct {
	ID         string
	TokenHash  []byte // SHA-256
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastSeenAt time.Time
	Address    string
	UserAgent  string
}

// AccountEdit says what goes with a change of the account, in the same transaction. Every session and half-done sign-in ends.
type AccountEdit struct {
	Actor      Actor
	Operation  string
	Start      *Session // a session that starts; may be nil
	DropFactor bool     // turn two-factor off, whatever state its keys are in
	Unlock     bool     // forget failed attempts, of every address: whoever resets on the host must not wait
}

// SignIn is a sign-in whose password was right.
type SignIn struct {
	AdminVersion int    // of the account whose password was checked
	Bucket       string // whose failed attempts came before
	NoteAfter    int    // failed attempts within a day from which on history notes the success
}

// PendingLogin is a sign-in that waits for its second factor. Only a hash of its token is kept.
type PendingLogin struct {
	TokenHash []byte // SHA-256
	ExpiresAt time.Time
}

// Factor is the second factor: keys of one-time passwords (RFC 6238) and recovery codes. It is whole only inside the transaction that
// looks at it.
type Factor struct {
	EnabledAt *time.Time // nil: two-factor is off
	Key       Secret     // base32; made here means set, absent means none
	LastStep  int64      // the latest time step of which a code was accepted
	Draft     Secret     // a key that was shown and not confirmed yet
	DraftAt   *time.Time
	CodeKey   Secret   // keys the hashes of the recovery codes
	Codes     [][]byte // hashes of the codes that are left
}

// FactorEdit says what goes with a change of the second factor: every session but Keep and every half-done sign-in ends.
type FactorEdit struct {
	Actor        Actor
	Operation    string
	AdminVersion int // of the account whose password was checked; 0: any
	Keep         string
}
