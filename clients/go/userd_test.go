package userd_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	userd "userd.example/go"
	"userd.example/go/userdtest"
)

func TestMiddlewareAnswers401And403And200(t *testing.T) {
	issuer := userdtest.New()
	users := issuer.Userd()
	plain := issuer.Token(userdtest.Wanted{})
	clerk := issuer.Token(userdtest.Wanted{Roles: []string{"clerk"}, Permissions: []string{"orders.read", "orders.write"}})
	inside := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if userd.FromContext(r.Context()) == nil {
			t.Error("no token within")
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/me", users.Require()(inside))
	mux.Handle("/role", users.Require(userd.Role("clerk", "boss"))(inside))
	mux.Handle("/permission", users.Require(userd.Permission("orders.read"))(inside))
	const forged, lacking = `Bearer error="invalid_token"`, `Bearer error="insufficient_scope"`
	for _, want := range []struct {
		path, token string
		status      int
		challenge   string
	}{
		{"/me", "", 401, "Bearer"},
		{"/me", plain + "x", 401, forged},
		{"/me", plain, 200, ""},
		{"/role", plain, 403, lacking},
		{"/role", clerk, 200, ""},
		{"/permission", "", 401, "Bearer"},
		{"/permission", plain, 403, lacking},
		{"/permission", clerk, 200, ""},
	} {
		request := httptest.NewRequest("GET", want.path, nil)
		if want.token != "" {
			request.Header.Set("Authorization", "bearer "+want.token)
		}
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		if answer.Code != want.status || answer.Header().Get("WWW-Authenticate") != want.challenge {
			t.Errorf("%s: %d %q", want.path, answer.Code, answer.Header().Get("WWW-Authenticate"))
		}
	}
	if userd.FromContext(t.Context()) != nil {
		t.Error("a token outside of the middleware")
	}
}

func Test503IsAnsweredWhileNobodyCanTell(t *testing.T) {
	issuer := userdtest.New()
	away, err := userd.New(userd.Options{Issuer: issuer.URL, Transport: transport(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("down")
	})})
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Set("Authorization", "Bearer "+issuer.Token(userdtest.Wanted{}))
	answer := httptest.NewRecorder()
	away.Require()(http.NotFoundHandler()).ServeHTTP(answer, request)
	if answer.Code != 503 || answer.Header().Get("Retry-After") != "1" {
		t.Fatal(answer.Code, answer.Header())
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestManyCallersAtOnceAskForTheKeySetOnce(t *testing.T) {
	issuer := userdtest.New()
	var asked atomic.Int32
	users, err := userd.New(userd.Options{Issuer: issuer.URL, Transport: transport(func(r *http.Request) (*http.Response, error) {
		asked.Add(1)
		answer := httptest.NewRecorder()
		_, _ = answer.Write(issuer.Keys)
		return answer.Result(), nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 64 {
		group.Add(1)
		go func() {
			defer group.Done()
			token := issuer.Token(userdtest.Wanted{})
			for range 2 {
				if _, err := users.Verify(t.Context(), token); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestARememberedTokenExpiresAllTheSameAndMoreThanAreRememberedAreVerified(t *testing.T) {
	issuer := userdtest.New()
	users, err := userd.New(userd.Options{Issuer: issuer.URL, Keys: issuer.Keys, Leeway: -1, MaxTokens: 2})
	if err != nil {
		t.Fatal(err)
	}
	short := issuer.Token(userdtest.Wanted{ExpiresIn: time.Second})
	for _, token := range []string{short, issuer.Token(userdtest.Wanted{}), issuer.Token(userdtest.Wanted{}), issuer.Token(userdtest.Wanted{})} {
		if _, err := users.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(5 * time.Second); ; {
		_, err := users.Verify(t.Context(), short)
		var invalid *userd.InvalidToken
		if errors.As(err, &invalid) && invalid.Reason == "expired" {
			return
		}
		if time.Now().After(end) {
			t.Fatal("still good: ", err)
		}
	}
}

func TestARoleThatAllowsLessEndsTheTokensMadeBeforeAndNoneAfter(t *testing.T) {
	issuer := userdtest.New()
	users := issuer.Userd()
	before := issuer.Token(userdtest.Wanted{Roles: []string{"reader", "clerk"}})
	reader := issuer.Token(userdtest.Wanted{Roles: []string{"reader"}})
	if _, err := users.Verify(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	issuer.NarrowRole("clerk")
	var invalid *userd.InvalidToken
	if _, err := users.Verify(t.Context(), before); !errors.As(err, &invalid) || invalid.Reason != "revoked" {
		t.Fatal("the role allows less, and still in: ", err)
	}
	for _, token := range []string{reader, issuer.Token(userdtest.Wanted{Roles: []string{"clerk"}})} {
		if _, err := users.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
}

func TestACursorInAFileOutlivesTheProcess(t *testing.T) {
	cursor := userd.FileCursor(filepath.Join(t.TempDir(), "cursor"))
	for _, place := range []string{"", "a", "b"} {
		if place != "" {
			if err := cursor.Save(t.Context(), place); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := cursor.Load(t.Context()); got != place || err != nil {
			t.Fatal(got, err)
		}
	}
	if files, _ := os.ReadDir(filepath.Dir(string(cursor))); len(files) != 1 {
		t.Fatal(files)
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for name, change := range map[string]func(*userd.Options){
		"issuer":  func(o *userd.Options) { o.Issuer = "users.example" },
		"client":  func(o *userd.Options) { o.ClientID = "x" },
		"leeway":  func(o *userd.Options) { o.Leeway = 61 * time.Second },
		"stale":   func(o *userd.Options) { o.WhenStale = "guess" },
		"wait":    func(o *userd.Options) { o.Wait = 30 * time.Second },
		"age":     func(o *userd.Options) { o.MaxAge = 5 * time.Second },
		"entries": func(o *userd.Options) { o.MaxEntries = 1 },
		"keys":    func(o *userd.Options) { o.Keys = []byte("{}") },
	} {
		options := userd.Options{Issuer: "https://users.example"}
		change(&options)
		if _, err := userd.New(options); err == nil {
			t.Error(name)
		}
	}
}

func TestSecretsAreInNoError(t *testing.T) {
	users, err := userd.New(userd.Options{
		Issuer: "https://users.example", ClientID: "id", ClientSecret: "hidden-secret",
		Transport: transport(func(r *http.Request) (*http.Response, error) { return nil, errors.New("down") }),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer users.Close()
	_, err = users.Token(t.Context())
	if !errors.Is(err, userd.ErrUnavailable) || strings.Contains(err.Error(), "hidden") {
		t.Fatal(err)
	}
}
