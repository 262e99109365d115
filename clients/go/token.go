package userd

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Token is a verified token: who calls, and what they may do.
type Token struct {
	// Subject is the id of the user, or of the service account.
	Subject  string
	ClientID string
	// SessionID is empty for a service account.
	SessionID           string
	TokenID             string
	IssuedAt, ExpiresAt time.Time
	Version             int64
	Roles, Permissions  []string
	// RoleVersions are of its roles, the version of what each allowed; a role that the token says none of is not among them.
	RoleVersions map[string]int64
	KeyID        string
	// Claims are everything that the token says; numbers are json.Number.
	Claims map[string]any
}

// IsService says whether a service account calls.
func (t *Token) IsService() bool { return t.SessionID == "" }

// HasRole says whether it has one of these roles.
func (t *Token) HasRole(roles ...string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(t.Roles, role) })
}

// HasPermission says whether it has all of these permissions.
func (t *Token) HasPermission(permissions ...string) bool {
	return !slices.ContainsFunc(permissions, func(one string) bool { return !slices.Contains(t.Permissions, one) })
}

// A Guard answers nil to whom it lets through.
type Guard func(*Token) error

// Role lets through whoever has one of these roles.
func Role(roles ...string) Guard {
	return func(t *Token) error {
		if t.HasRole(roles...) {
			return nil
		}
		return fmt.Errorf("%w: needs the role %s", ErrForbidden, strings.Join(roles, " or "))
	}
}

// Permission lets through whoever has all of these permissions.
func Permission(permissions ...string) Guard {
	return func(t *Token) error {
		if t.HasPermission(permissions...) {
			return nil
		}
		return fmt.Errorf("%w: needs the permission %s", ErrForbidden, strings.Join(permissions, " and "))
	}
}
