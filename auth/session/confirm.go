package session

import (
	"context"

	"mcpstudio/auth/password"
	"mcpstudio/store"
)

// ConfirmPassword checks the password of the admin, who is signed in, before an operation that asks for it again. It is limited like a
// login, by the address of ClientOf. The error has code store.WrongPassword with field password, or store.TooMany.
func (s *Service) ConfirmPassword(ctx context.Context, pass string) error {
	_, err := s.confirm(ctx, "password", pass, ClientOf(ctx))
	return err
}

// confirm returns the account whose password it is; field is where it came from.
func (s *Service) confirm(ctx context.Context, field, pass string, c Client) (*store.Admin, error) {
	wrong := &store.Error{Code: store.WrongPassword, Field: field, Message: "the current password is wrong"}
	if password.TooLong(pass) {
		return nil, wrong
	}
	attempt, err := s.reserve(ctx, loginBucket(c))
	if err != nil {
		return nil, err
	}
	admin, err := s.accounts.Admin(ctx)
	if err != nil {
		s.withdraw(ctx, attempt)
		return nil, err
	}
	ok, err := s.o.Hasher.Verify(ctx, pass, admin.PasswordHash)
	if err != nil { // not compared
		s.withdraw(ctx, attempt)
		return nil, busy(err)
	}
	if !ok {
		return nil, wrong
	}
	s.settle(ctx, attempt)
	return admin, nil
}

type clientKey struct{}

// WithClient returns a context that says where the request comes from, for operations that confirm a password.
func WithClient(ctx context.Context, c Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// ClientOf returns the client of a context; without one it is the zero Client, which counts as one local address.
func ClientOf(ctx context.Context) Client {
	c, _ := ctx.Value(clientKey{}).(Client)
	return c
}
