package userd

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// Strangers' "kid"s and faults make us ask no more often than this.
	refreshInterval = 5 * time.Second
	defaultLifetime = 5 * time.Minute
	longestLifetime = time.Hour
	longestStale    = 24 * time.Hour
)

// key is a public key with the one algorithm that it is for.
type key struct {
	method jwt.SigningMethod
	public crypto.PublicKey
}

// keySet is the set as it is known.
type keySet struct {
	asking sync.Mutex

	lock       sync.RWMutex
	keys       map[string]*key
	isFixed    bool
	fetchedAt  time.Time
	freshUntil time.Time
	askedAt    time.Time
}

func (s *keySet) fix(document []byte) error {
	keys, err := parseKeys(document)
	s.keys, s.isFixed = keys, true
	return err
}

func (s *keySet) get(kid string) *key {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return s.keys[kid]
}

func (s *keySet) isUsable() bool {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return s.isFixed || (!s.fetchedAt.IsZero() && time.Since(s.fetchedAt) < longestStale)
}

func (s *keySet) isDue() bool {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return !time.Now().Before(s.freshUntil) && s.mayAskLocked()
}

func (s *keySet) mayAsk() bool {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return s.mayAskLocked()
}

func (s *keySet) mayAskLocked() bool {
	return !s.isFixed && (s.askedAt.IsZero() || time.Since(s.askedAt) >= refreshInterval)
}

func (s *keySet) asked() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.askedAt = time.Now()
}

// expire is for a key that was revoked: the set has changed.
func (s *keySet) expire() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.freshUntil, s.askedAt = time.Time{}, time.Time{}
}

var maxAge = regexp.MustCompile(`max-age=(\d{1,6})`)

// replace takes another set, and says whether there are other keys in it.
func (s *keySet) replace(document []byte, cacheControl string) (bool, error) {
	keys, err := parseKeys(document)
	if err != nil {
		return false, err
	}
	lifetime := defaultLifetime
	if found := maxAge.FindStringSubmatch(cacheControl); found != nil {
		seconds, _ := strconv.Atoi(found[1])
		lifetime = min(time.Duration(seconds)*time.Second, longestLifetime)
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	same := maps.EqualFunc(keys, s.keys, func(*key, *key) bool { return true })
	s.keys, s.fetchedAt = keys, time.Now()
	s.freshUntil = s.fetchedAt.Add(lifetime)
	return !same, nil
}

type jwk struct {
	Kty, Crv, Kid, Alg, Use string
	X, Y, N, E              string
}

// parseKeys reads the keys of a JWKS that can be used; others are left out, so that a new kind breaks nothing.
func parseKeys(document []byte) (map[string]*key, error) {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, err
	}
	if set.Keys == nil {
		return nil, errors.New("not a key set")
	}
	keys := map[string]*key{}
	for _, raw := range set.Keys {
		var member jwk
		if json.Unmarshal(raw, &member) != nil || member.Kid == "" || (member.Use != "" && member.Use != "sig") {
			continue
		}
		if found := member.key(); found != nil && (member.Alg == "" || member.Alg == found.method.Alg()) {
			keys[member.Kid] = found
		}
	}
	return keys, nil
}

func (j *jwk) key() *key {
	switch {
	case j.Kty == "OKP" && j.Crv == "Ed25519":
		if x := unbase64(j.X); len(x) == ed25519.PublicKeySize {
			return &key{jwt.SigningMethodEdDSA, ed25519.PublicKey(x)}
		}
	case j.Kty == "EC" && j.Crv == "P-256":
		public := &ecdsa.PublicKey{Curve: elliptic.P256(), X: number(j.X), Y: number(j.Y)}
		// It is an error where the point is not on the curve.
		if _, err := public.ECDH(); err == nil {
			return &key{jwt.SigningMethodES256, public}
		}
	case j.Kty == "RSA":
		public := &rsa.PublicKey{N: number(j.N), E: int(number(j.E).Int64())}
		if public.N.BitLen() >= 2048 && public.E >= 3 && len(j.E) <= 8 {
			return &key{jwt.SigningMethodRS256, public}
		}
	}
	return nil
}

func number(text string) *big.Int { return new(big.Int).SetBytes(unbase64(text)) }

func unbase64(text string) []byte {
	bytes, _ := base64.RawURLEncoding.DecodeString(text)
	return bytes
}
