package userd

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// InvalidToken says that a token is not good: 401. Reason is for logs; callers need not know more.
type InvalidToken struct {
	// Reason is malformed, type, algorithm, unknown_key, signature, claims, issuer, audience, expired, not_yet_valid,
	// revoked or missing.
	Reason string
	detail string
}

func (e *InvalidToken) Error() string {
	if e.detail != "" {
		return "userd: the token is not good: " + e.Reason + ": " + e.detail
	}
	return "userd: the token is not good: " + e.Reason
}

var (
	// ErrUnavailable says that nobody can tell now whether a token is good: 503.
	ErrUnavailable = errors.New("userd: unavailable")
	// ErrCredentials says that userd does not know this service's account by its id and secret. It is an ErrUnavailable too:
	// no token can be checked for revocation.
	ErrCredentials = errors.New("userd: ClientID and ClientSecret are refused")
	// ErrForbidden says that a token is good and does not allow this: 403.
	ErrForbidden = errors.New("userd: forbidden")
	// ErrRefused is what a Refused is: it says that the service refuses a call of ours, however often it is made.
	ErrRefused = errors.New("userd: refused")
	// ErrCursorExpired says that the events behind the cursor are gone: read what you know anew, then start without one.
	ErrCursorExpired = errors.New("userd: the events behind the cursor are gone")
	// ErrInvalidWebhook says that a call is not genuine, or too old: 400.
	ErrInvalidWebhook = errors.New("userd: not a genuine webhook")
)

// Problem is what userd says about a call that it does not do (RFC 9457); on /oauth2/* the OAuth code and its description.
type Problem struct {
	// Slug is the last word of the type, stable: docs/problems.md of userd has them all.
	Type, Slug, Title, Detail string
	// Errors are the fields that are refused.
	Errors []FieldError
}

// FieldError is a field that is refused, by its JSON pointer, and why.
type FieldError struct{ Pointer, Detail string }

func (p *Problem) String() string {
	if p == nil {
		return ""
	}
	words := []string{cmp.Or(p.Title, p.Slug)}
	if p.Detail != "" {
		words = append(words, p.Detail)
	}
	for _, field := range p.Errors {
		words = append(words, field.Pointer+" "+field.Detail)
	}
	return strings.Join(words, "; ")
}

// Refused says what the service answered to a call of ours that it refuses. Problem is nil where it did not say why.
type Refused struct {
	Path    string
	Status  int
	Problem *Problem
}

func (e *Refused) Error() string {
	hint := ""
	if e.Status == http.StatusForbidden {
		hint = "; does the account of this service have the permission?"
	}
	return "userd: " + answered(e.Path, e.Status, e.Problem) + hint
}

// Is says that it is an ErrRefused.
func (e *Refused) Is(other error) bool { return other == ErrRefused }

// Failure says what the service answered where that leaves nobody the wiser: an ErrUnavailable, and perhaps an ErrCredentials.
// Problem is nil where it did not say why.
type Failure struct {
	Path    string
	Status  int
	Problem *Problem

	isOfCredentials bool
}

func (e *Failure) Error() string {
	kind := ErrUnavailable
	if e.isOfCredentials {
		kind = ErrCredentials
	}
	return kind.Error() + ": " + answered(e.Path, e.Status, e.Problem)
}

// Is says that it is an ErrUnavailable, and whether it is an ErrCredentials.
func (e *Failure) Is(other error) bool {
	return other == ErrUnavailable || (other == ErrCredentials && e.isOfCredentials)
}

func answered(path string, status int, problem *Problem) string {
	if problem == nil {
		return fmt.Sprintf("%s answered %d", path, status)
	}
	return fmt.Sprintf("%s answered %d: %s", path, status, problem)
}

func unavailable(why string) error { return fmt.Errorf("%w: %s", ErrUnavailable, why) }
