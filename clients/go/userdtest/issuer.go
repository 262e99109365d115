// Package userdtest is a fake issuer: tokens for unit tests, without a server.
package userdtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	userd "userd.example/go"
	"userd.example/go/internal/testhook"
)

// Issuer mints what userd mints, with a key of its own.
type Issuer struct {
	URL, Audience string
	// Keys is the key set, as /.well-known/jwks.json answers it.
	Keys    []byte
	private ed25519.PrivateKey
	lock    sync.Mutex
	made    []*userd.Userd
	// Of roles that allow less than at first.
	versions map[string]int64
}

// New makes an issuer; it panics where there is no randomness.
func New() *Issuer {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	jwk := map[string]string{
		"kty": "OKP", "crv": "Ed25519", "kid": "fake", "alg": "EdDSA", "use": "sig",
		"x": base64.RawURLEncoding.EncodeToString(public),
	}
	keys, _ := json.Marshal(map[string]any{"keys": []any{jwk}})
	return &Issuer{URL: "https://users.test", Audience: "userd", Keys: keys, private: private, versions: map[string]int64{}}
}

// Wanted is what a token should say. What is zero is made up.
type Wanted struct {
	Subject, Session   string
	Roles, Permissions []string
	ExpiresIn          time.Duration
	// IsService leaves the session out.
	IsService bool
	// Claims are added, or in place of what it would say; nil leaves a claim out.
	Claims map[string]any
}

// Token mints a token.
func (i *Issuer) Token(wanted Wanted) string {
	if wanted.Subject == "" {
		wanted.Subject = rand.Text()
	}
	if wanted.Session == "" {
		wanted.Session = rand.Text()
	}
	if wanted.ExpiresIn == 0 {
		wanted.ExpiresIn = 10 * time.Minute
	}
	now := time.Now()
	claims := jwt.MapClaims{
		"iss": i.URL, "aud": i.Audience, "sub": wanted.Subject, "client_id": "userd", "sub_type": "user",
		"sid": wanted.Session, "jti": rand.Text(), "ver": 1,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(wanted.ExpiresIn).Unix(),
		"roles": append([]string{}, wanted.Roles...), "permissions": append([]string{}, wanted.Permissions...),
	}
	if len(wanted.Roles) > 0 {
		claims["role_versions"] = i.versionsOf(wanted.Roles)
	}
	if wanted.IsService {
		delete(claims, "sid")
		claims["client_id"], claims["sub_type"] = wanted.Subject, "client"
	}
	maps.Copy(claims, wanted.Claims)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	token.Header["kid"], token.Header["typ"] = "fake", "at+jwt"
	text, err := token.SignedString(i.private)
	if err != nil {
		panic(err)
	}
	return text
}

// Userd is a verifier that trusts this issuer and calls nobody.
func (i *Issuer) Userd() *userd.Userd {
	made, err := userd.New(userd.Options{Issuer: i.URL, Audience: i.Audience, Keys: i.Keys, Transport: nobody{}})
	if err != nil {
		panic(err)
	}
	i.lock.Lock()
	defer i.lock.Unlock()
	i.made = append(i.made, made)
	return made
}

// EndSession does what a sign-out does: the verifiers that were made here refuse the session's tokens.
func (i *Issuer) EndSession(session string) {
	i.lock.Lock()
	defer i.lock.Unlock()
	for _, made := range i.made {
		testhook.EndSession(made, session)
	}
}

// NarrowRole does what a role that allows less does: the verifiers that were made here refuse the tokens that carry it,
// and take those that are made from now on.
func (i *Issuer) NarrowRole(role string) {
	i.lock.Lock()
	defer i.lock.Unlock()
	i.versions[role] = max(1, i.versions[role]) + 1
	for _, made := range i.made {
		testhook.NarrowRole(made, role, i.versions[role])
	}
}

func (i *Issuer) versionsOf(roles []string) []int64 {
	i.lock.Lock()
	defer i.lock.Unlock()
	versions := make([]int64, len(roles))
	for place, role := range roles {
		versions[place] = max(1, i.versions[role])
	}
	return versions
}

type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("a fake issuer calls nobody")
}
