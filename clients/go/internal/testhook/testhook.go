// Package testhook lets the fake issuer revoke without a server. The package userd fills it in.
package testhook

// EndSession makes a verifier refuse a session's tokens.
var EndSession func(verifier any, session string)
