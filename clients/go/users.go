package userd

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// User is an account: what GET /v1/users/{id} answers. What somebody has not is empty.
type User struct {
	ID string `json:"id"`
	// Status is active, blocked or deleted.
	Status        string   `json:"status"`
	Username      string   `json:"username"`
	Email         string   `json:"email"`
	EmailVerified bool     `json:"email_verified"`
	DisplayName   string   `json:"display_name"`
	Locale        string   `json:"locale"`
	Roles         []string `json:"roles"`
}

// User is an account; nil where there is no such (it needs users.read).
func (u *Userd) User(ctx context.Context, id string) (*User, error) {
	user := &User{}
	err := u.Call(ctx, http.MethodGet, "/v1/users/"+url.PathEscape(id), nil, user)
	var refused *Refused
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		return nil, nil
	}
	if err == nil && (user.ID == "" || user.Status == "") {
		err = unavailable("not an account")
	}
	if err != nil {
		return nil, err
	}
	return user, nil
}

// Call calls any route of userd's with the own token: a body that is not nil is sent as JSON, and what is answered is
// read into into, unless that is nil. The error is a *Refused for what it will not do, or an ErrUnavailable.
func (u *Userd) Call(ctx context.Context, method, path string, body, into any) error {
	answer, err := u.calls.ask(ctx, call{method: method, path: path, json: body})
	if err != nil {
		return err
	}
	return answer.read(into)
}
