package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"time"

	"github.com/golang-jwt/jwt/v5"

	userd "userd.example/go"
)

// bench says what a token costs: by the bare library, by ours for the first time, and where it is remembered.
func bench(ctx context.Context, u *userd.Userd, q *question) (any, error) {
	x, err := base64.RawURLEncoding.DecodeString(q.Jwk.X)
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer(q.Settings.Issuer), jwt.WithAudience(q.Settings.Audience))
	began := time.Now()
	for _, text := range q.Tokens {
		_, err := parser.Parse(text, func(*jwt.Token) (any, error) { return ed25519.PublicKey(x), nil })
		if err != nil {
			return nil, err
		}
	}
	bare := time.Since(began)
	// One that remembers none of these.
	s := q.Settings
	small, err := userd.New(userd.Options{
		Issuer: s.Issuer, Audience: s.Audience, ClientID: s.ClientID, ClientSecret: s.ClientSecret, MaxTokens: 1,
	})
	if err != nil {
		return nil, err
	}
	defer small.Close()
	if _, err := small.Verify(ctx, q.Tokens[0]); err != nil {
		return nil, err
	}
	first, err := all(ctx, small, q.Tokens)
	if err != nil {
		return nil, err
	}
	if _, err := all(ctx, u, q.Tokens); err != nil {
		return nil, err
	}
	remembered, err := all(ctx, u, q.Tokens)
	each := func(whole time.Duration) float64 { return whole.Seconds() / float64(len(q.Tokens)) }
	return object{"bare": each(bare), "first": each(first), "remembered": each(remembered)}, err
}

func all(ctx context.Context, u *userd.Userd, tokens []string) (time.Duration, error) {
	began := time.Now()
	guard := userd.Permission("orders.read")
	for _, text := range tokens {
		token, err := u.Verify(ctx, text)
		if err == nil {
			err = guard(token)
		}
		if err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}
