package userd_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	userd "userd.example/go"
	"userd.example/go/userdtest"
)

// service answers by path, and keeps what was logged.
type service struct {
	lock    sync.Mutex
	answers map[string]said
	log     bytes.Buffer
}

type said struct {
	status int
	body   string
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	answer, found := httptest.NewRecorder(), s.answers[r.URL.Path]
	answer.WriteHeader(or(found.status, 404))
	_, _ = answer.WriteString(found.body)
	return answer.Result(), nil
}

func (s *service) set(path string, answer said) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.answers[path] = answer
}

func (s *service) Write(line []byte) (int, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.log.Write(line)
}

func (s *service) lines() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	return strings.Split(strings.TrimSpace(s.log.String()), "\n")
}

func or(value, fallback int) int {
	if value == 0 {
		return fallback
	}
	return value
}

var (
	own         = said{200, `{"access_token": "own", "expires_in": 600}`}
	wrongSecret = said{401, `{"error": "invalid_client", "error_description": "The client is not authenticated"}`}
)

func beside(t *testing.T, answers map[string]said, change func(*userd.Options)) (*userd.Userd, *service, *userdtest.Issuer) {
	t.Helper()
	issuer, fake := userdtest.New(), &service{answers: answers}
	options := userd.Options{
		Issuer: issuer.URL, ClientID: "id", ClientSecret: "s3cret", Timeout: 300 * time.Millisecond, Keys: issuer.Keys,
		Transport: fake, Logger: slog.New(slog.NewTextHandler(fake, nil)),
	}
	if change != nil {
		change(&options)
	}
	users, err := userd.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(users.Close)
	return users, fake, issuer
}

func eventually(t *testing.T, isSo func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !isSo(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not within ten seconds")
		}
	}
}

func TestWhatUserdRefusesSaysWhy(t *testing.T) {
	const invalid = `{"type": "/problems/invalid_input", "title": "The input is not accepted",
		"errors": [{"pointer": "/email", "detail": "is not an address"}]}`
	users, _, _ := beside(t, map[string]said{
		"/oauth2/token": own, "/v1/users": {422, invalid}, "/v1/roles": {403, "<html>"},
		"/v1/me": {401, `{"type": "/problems/not_signed_in", "title": "Not signed in", "detail": "for another"}`},
	}, nil)
	var refused *userd.Refused
	err := users.Call(t.Context(), "POST", "/v1/users", map[string]string{}, nil)
	if !errors.Is(err, userd.ErrRefused) || !errors.As(err, &refused) || refused.Status != 422 || refused.Problem.Slug != "invalid_input" {
		t.Fatal(err)
	}
	if !strings.HasSuffix(err.Error(), "422: The input is not accepted; /email is not an address") {
		t.Error(err)
	}
	err = users.Call(t.Context(), "GET", "/v1/roles", nil, nil)
	if !errors.As(err, &refused) || refused.Problem != nil || !strings.HasSuffix(err.Error(), "the permission?") {
		t.Error(err)
	}
	var failure *userd.Failure
	err = users.Call(t.Context(), "GET", "/v1/me", nil, nil)
	if !errors.Is(err, userd.ErrUnavailable) || errors.Is(err, userd.ErrCredentials) || !errors.As(err, &failure) ||
		failure.Status != 401 || failure.Problem.Detail != "for another" {
		t.Error(err)
	}
}

func TestASecretThatIsRefusedIsAnErrorOfItsOwnInTheStatusAndOnceInTheLog(t *testing.T) {
	users, fake, issuer := beside(t, map[string]said{"/oauth2/token": wrongSecret}, nil)
	_, err := users.Token(t.Context())
	if !errors.Is(err, userd.ErrCredentials) || !errors.Is(err, userd.ErrUnavailable) || strings.Contains(err.Error(), "s3cret") {
		t.Fatal(err)
	}
	for _, err := range users.Events(t.Context(), &userd.MemoryCursor{}) {
		if !errors.Is(err, userd.ErrCredentials) {
			t.Fatal(err)
		}
	}
	if _, err := users.Verify(t.Context(), issuer.Token(userdtest.Wanted{})); !errors.Is(err, userd.ErrUnavailable) {
		t.Fatal(err)
	}
	eventually(t, func() bool { return users.Status().Failures >= 3 })
	if users.Status().Error != "credentials" {
		t.Error(users.Status())
	}
	lines := fake.lines()
	if len(lines) != 1 || !strings.Contains(lines[0], "reason=credentials") || !strings.Contains(lines[0], "answered 503") {
		t.Error(lines)
	}
}

func TestTheLogSaysThatRevocationsAreFollowedAgain(t *testing.T) {
	users, fake, issuer := beside(t, map[string]said{"/oauth2/token": own, "/v1/revocations": {503, "{}"}}, nil)
	if _, err := users.Verify(t.Context(), issuer.Token(userdtest.Wanted{})); !errors.Is(err, userd.ErrUnavailable) {
		t.Fatal(err)
	}
	fake.set("/v1/revocations", said{200, `{"items": [], "next_cursor": null, "has_more": false}`})
	eventually(t, func() bool { return len(fake.lines()) == 2 })
	if lines := fake.lines(); !strings.Contains(lines[0], "reason=503") || !strings.Contains(lines[1], "followed again") {
		t.Error(lines)
	}
}

func TestTheLogSaysThatThereIsNoKeySet(t *testing.T) {
	users, fake, issuer := beside(t, nil, func(o *userd.Options) { o.Keys, o.ClientID, o.ClientSecret = nil, "", "" })
	for range 2 {
		if _, err := users.Verify(t.Context(), issuer.Token(userdtest.Wanted{})); !errors.Is(err, userd.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if lines := fake.lines(); len(lines) != 1 || !strings.Contains(lines[0], "jwks.json answered 404") {
		t.Error(lines)
	}
}

func TestAnIssuerThatDiffersIsSaidWithBoth(t *testing.T) {
	users, fake, issuer := beside(t, nil, func(o *userd.Options) { o.Issuer, o.ClientID, o.ClientSecret = o.Issuer+"/", "", "" })
	told := `the token says "` + issuer.URL + `", the configuration "` + issuer.URL + `/"; they are compared letter by letter`
	for range 2 {
		_, err := users.Verify(t.Context(), issuer.Token(userdtest.Wanted{}))
		var invalid *userd.InvalidToken
		if !errors.As(err, &invalid) || invalid.Reason != "issuer" || !strings.HasSuffix(err.Error(), told) {
			t.Fatal(err)
		}
	}
	if lines := fake.lines(); len(lines) != 1 || !strings.Contains(lines[0], "letter by letter") {
		t.Error(lines)
	}
}
