package userd

import (
	"errors"
	"fmt"
)

// InvalidToken says that a token is not good: 401. Reason is for logs; callers need not know more.
type InvalidToken struct {
	// Reason is malformed, type, algorithm, unknown_key, signature, claims, issuer, audience, expired, not_yet_valid,
	// revoked or missing.
	Reason string
}

func (e *InvalidToken) Error() string { return "userd: the token is not good: " + e.Reason }

var (
	// ErrUnavailable says that nobody can tell now whether a token is good: 503.
	ErrUnavailable = errors.New("userd: unavailable")
	// ErrForbidden says that a token is good and does not allow this: 403.
	ErrForbidden = errors.New("userd: forbidden")
	// ErrRefused is what a Refused is: it says that the service refuses a call of ours: most likely this service's account lacks a permission.
	ErrRefused = errors.New("userd: refused")
	// ErrCursorExpired says that the events behind the cursor are gone: read what you know anew, then start without one.
	ErrCursorExpired = errors.New("userd: the events behind the cursor are gone")
	// ErrInvalidWebhook says that a call is not genuine, or too old: 400.
	ErrInvalidWebhook = errors.New("userd: not a genuine webhook")
)

// Refused says what the service answered to a call of ours that it refuses.
type Refused struct {
	Path   string
	Status int
}

func (e *Refused) Error() string {
	return fmt.Sprintf("userd: %s answered %d: does the account of this service have the permission?", e.Path, e.Status)
}

// Is says that it is an ErrRefused.
func (e *Refused) Is(other error) bool { return other == ErrRefused }

func unavailable(why string) error { return fmt.Errorf("%w: %s", ErrUnavailable, why) }
