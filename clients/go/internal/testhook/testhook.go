// Package testhook lets the fake issuer revoke without a server. The package userd fills it in.
package testhook

// EndSession makes a verifier refuse a session's tokens.
var EndSession func(verifier any, session string)

// NarrowRole makes a verifier refuse the tokens with an older version of a role.
var NarrowRole func(verifier any, role string, least int64)
