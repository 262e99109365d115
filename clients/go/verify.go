package userd

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	longestToken = 16_384
	lastSecond   = 253_402_300_799
)

var supported = []string{"EdDSA", "ES256", "RS256"}

// verify reads one token against a key set: no network, no clock of its own.
func verify(text string, keys *keySet, options *Options, now time.Time) (*Token, error) {
	head, rest, _ := strings.Cut(text, ".")
	body, tail, _ := strings.Cut(rest, ".")
	if len(text) > longestToken || !isBase64(head) || !isBase64(body) || !isBase64(tail) {
		return nil, &InvalidToken{Reason: "malformed"}
	}
	kid, algorithm, err := header(head)
	if err != nil {
		return nil, err
	}
	known := keys.get(kid)
	if known == nil {
		return nil, &InvalidToken{Reason: "unknown_key"}
	}
	// The algorithm that belongs to the key, never the one that the token names.
	if algorithm != known.method.Alg() {
		return nil, &InvalidToken{Reason: "algorithm"}
	}
	signature, err := base64.RawURLEncoding.DecodeString(tail)
	if err != nil || known.method.Verify(text[:len(head)+1+len(body)], signature, known.public) != nil {
		return nil, &InvalidToken{Reason: "signature"}
	}
	said, err := members(body)
	if err != nil {
		return nil, err
	}
	return tokenOf(said, kid, options, now)
}

// isBase64 is stricter than the decoder, which passes over line ends.
func isBase64(part string) bool {
	for i := range len(part) {
		switch c := part[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return part != ""
}

// checkTimes is what a remembered token is asked again.
func checkTimes(token *Token, options *Options, now time.Time) error {
	if !token.ExpiresAt.After(now.Add(-options.Leeway)) {
		return &InvalidToken{Reason: "expired"}
	}
	return nil
}

func members(part string) (claims, error) {
	bytes, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return claims{}, &InvalidToken{Reason: "malformed"}
	}
	decoder := json.NewDecoder(strings.NewReader(string(bytes)))
	decoder.UseNumber()
	said := claims{}
	if err := decoder.Decode(&said.members); err != nil || said.members == nil {
		return claims{}, &InvalidToken{Reason: "malformed"}
	}
	if _, err := decoder.Token(); err != io.EOF {
		return claims{}, &InvalidToken{Reason: "malformed"}
	}
	return said, nil
}

func header(part string) (kid, algorithm string, err error) {
	said, err := members(part)
	if err != nil {
		return "", "", err
	}
	if said.has("crit") || said.has("b64") {
		return "", "", &InvalidToken{Reason: "malformed"}
	}
	kind, _ := said.members["typ"].(string)
	if !slices.Contains([]string{"at+jwt", "application/at+jwt"}, strings.ToLower(kind)) {
		return "", "", &InvalidToken{Reason: "type"}
	}
	if algorithm, _ = said.members["alg"].(string); !slices.Contains(supported, algorithm) {
		return "", "", &InvalidToken{Reason: "algorithm"}
	}
	if kid, _ = said.members["kid"].(string); kid == "" {
		return "", "", &InvalidToken{Reason: "unknown_key"}
	}
	return kid, algorithm, nil
}

func tokenOf(said claims, kid string, options *Options, now time.Time) (*Token, error) {
	token := &Token{
		Subject:     said.text("sub"),
		ClientID:    said.text("client_id"),
		TokenID:     said.text("jti"),
		IssuedAt:    said.time("iat"),
		ExpiresAt:   said.time("exp"),
		Version:     said.whole("ver", math.MaxInt64),
		Roles:       said.words("roles"),
		Permissions: said.words("permissions"),
		KeyID:       kid,
		Claims:      said.members,
	}
	begins := token.IssuedAt
	if said.has("sid") {
		token.SessionID = said.text("sid")
	}
	if said.has("nbf") {
		begins = said.time("nbf")
	}
	token.RoleVersions = said.roleVersions(token.Roles)
	if said.isWrong || (token.SessionID == "" && token.ClientID != token.Subject) {
		return nil, &InvalidToken{Reason: "claims"}
	}
	if said.members["iss"] != options.Issuer {
		// Its signature is good, so that it is most likely the configuration that is wrong.
		const told = "the token says %q, the configuration %q; they are compared letter by letter"
		return nil, &InvalidToken{"issuer", fmt.Sprintf(told, fmt.Sprint(said.members["iss"]), options.Issuer)}
	}
	if !isFor(said.members["aud"], options.Audience) {
		return nil, &InvalidToken{Reason: "audience"}
	}
	if err := checkTimes(token, options, now); err != nil {
		return nil, err
	}
	latest := now.Add(options.Leeway)
	if begins.After(latest) || token.IssuedAt.After(latest) {
		return nil, &InvalidToken{Reason: "not_yet_valid"}
	}
	return token, nil
}

// claims are the members of a token, and whether one that was asked for is not of its type.
type claims struct {
	members map[string]any
	isWrong bool
}

func (c *claims) has(name string) bool {
	_, is := c.members[name]
	return is
}

func (c *claims) text(name string) string {
	value, _ := c.members[name].(string)
	c.isWrong = c.isWrong || value == ""
	return value
}

func (c *claims) whole(name string, most int64) int64 {
	return c.number(c.members[name], most)
}

func (c *claims) number(said any, most int64) int64 {
	value, _ := said.(json.Number)
	number, err := strconv.ParseInt(string(value), 10, 64)
	c.isWrong = c.isWrong || err != nil || number < 0 || number > most
	return number
}

func (c *claims) time(name string) time.Time { return time.Unix(c.whole(name, lastSecond), 0) }

func (c *claims) words(name string) []string {
	if !c.has(name) {
		return nil
	}
	words, is := texts(c.members[name])
	c.isWrong = c.isWrong || !is
	return words
}

// roleVersions stand at the places of their roles.
func (c *claims) roleVersions(roles []string) map[string]int64 {
	if !c.has("role_versions") {
		return nil
	}
	list, is := c.members["role_versions"].([]any)
	c.isWrong = c.isWrong || !is
	versions := map[string]int64{}
	for place, one := range list {
		version := c.number(one, math.MaxInt64)
		if place < len(roles) {
			versions[roles[place]] = version
		}
	}
	return versions
}

func texts(value any) ([]string, bool) {
	list, is := value.([]any)
	words := make([]string, 0, len(list))
	for _, one := range list {
		word, isText := one.(string)
		is = is && isText
		words = append(words, word)
	}
	return words, is
}

func isFor(value any, audience string) bool {
	if one, is := value.(string); is {
		return one == audience
	}
	several, are := texts(value)
	return are && slices.Contains(several, audience)
}
