package userd

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
)

type contextKey struct{}

// Require is middleware: it asks every request for a token that all guards let through. Others are answered 401, 403 or
// 503. Within, FromContext is who calls.
func (u *Userd) Require(guards ...Guard) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := u.Authenticate(r.Context(), r.Header.Get("Authorization"))
			for _, guard := range guards {
				if err == nil {
					err = guard(token)
				}
			}
			if err != nil {
				Answer(w, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, token)))
		})
	}
}

// FromContext is who calls; nil outside of Require.
func FromContext(ctx context.Context) *Token {
	token, _ := ctx.Value(contextKey{}).(*Token)
	return token
}

// Answer answers an error of this package with its problem (RFC 9457). It does not say why a token is bad.
func Answer(w http.ResponseWriter, err error) {
	status, slug := http.StatusInternalServerError, "internal"
	var invalid *InvalidToken
	switch header := w.Header(); {
	case errors.As(err, &invalid):
		status, slug = http.StatusUnauthorized, "invalid_token"
		challenge := `Bearer error="invalid_token"`
		if invalid.Reason == "missing" {
			// Without an error where there were no credentials (RFC 6750 section 3.1).
			challenge = "Bearer"
		}
		header.Set("WWW-Authenticate", challenge)
	case errors.Is(err, ErrForbidden):
		status, slug = http.StatusForbidden, "insufficient_scope"
		header.Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
	case errors.Is(err, ErrUnavailable):
		status, slug = http.StatusServiceUnavailable, "unavailable"
		header.Set("Retry-After", "1")
	case errors.Is(err, ErrInvalidWebhook):
		status, slug = http.StatusBadRequest, "invalid_webhook"
	default:
		// A fault of the application: whoever calls it learns nothing more.
		slog.Error("userd: answered 500", "error", err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "/problems/" + slug, "title": slug, "status": status})
}
