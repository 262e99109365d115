// Agent is this package under the conformance suite: it reads a line of JSON and answers one.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"time"

	userd "userd.example/go"
)

type settings struct {
	Issuer       string          `json:"issuer"`
	Audience     string          `json:"audience"`
	ClientID     string          `json:"client_id"`
	ClientSecret string          `json:"client_secret"`
	Itself       string          `json:"userd_audience"`
	WhenStale    userd.WhenStale `json:"when_stale"`
	MaxAge       time.Duration   `json:"max_age"`
	Wait         time.Duration   `json:"wait"`
	Timeout      time.Duration   `json:"timeout"`
	MaxEntries   int             `json:"max_entries"`
}

type question struct {
	ID          string
	Tokens      []string
	Jwk         struct{ X string }
	Do          string
	Settings    settings
	Token       string
	Resource    string
	Roles       []string
	Permissions []string
	Subject     string
	Permission  string
	Checks      [][2]string
	Cursor      *string
	Count       int
	Secrets     []string
	Headers     map[string]string
	Body        string
	Now         int64
}

type object = map[string]any

func main() {
	var trusted *userd.Userd
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		answer, err := act(&trusted, &q)
		if err != nil {
			answer = failure(err)
		}
		if err := out.Encode(answer); err != nil {
			panic(err)
		}
	}
}

func act(trusted **userd.Userd, q *question) (any, error) {
	ctx, u := context.Background(), *trusted
	switch q.Do {
	case "open":
		s := q.Settings
		opened, err := userd.New(userd.Options{
			Issuer: s.Issuer, Audience: s.Audience, ClientID: s.ClientID, ClientSecret: s.ClientSecret, UserdAudience: s.Itself, WhenStale: s.WhenStale,
			MaxAge: s.MaxAge * time.Second, Wait: s.Wait * time.Second, Timeout: s.Timeout * time.Second, MaxEntries: s.MaxEntries,
		})
		*trusted = opened
		return object{"ok": true}, err
	case "close":
		u.Close()
		return object{"ok": true}, nil
	case "verify", "allows":
		token, err := u.Verify(ctx, q.Token)
		if err != nil {
			return nil, err
		}
		return object{"subject": token.Subject, "role": token.HasRole(q.Roles...), "permission": token.HasPermission(q.Permissions...)}, nil
	case "status":
		status := u.Status()
		var age any
		if status.Age < 24*time.Hour {
			age = status.Age.Seconds()
		}
		return object{"age": age, "entries": status.Entries, "restarts": status.Restarts, "overflows": status.Overflows, "error": status.Error}, nil
	case "token":
		if q.Resource != "" {
			token, err := u.TokenFor(ctx, q.Resource)
			return object{"token": token}, err
		}
		token, err := u.Token(ctx)
		return object{"token": token}, err
	case "check":
		allowed, err := u.Check(ctx, q.Subject, q.Permission)
		return object{"allowed": allowed}, err
	case "check_many":
		return checkMany(ctx, u, q.Checks)
	case "events":
		return events(ctx, u, q)
	case "webhook":
		return webhook(q)
	case "user":
		user, err := u.User(ctx, q.ID)
		if user == nil {
			return object{"user": nil}, err
		}
		return object{"user": object{"id": user.ID, "status": user.Status, "roles": user.Roles}}, err
	case "bench":
		return bench(ctx, u, q)
	}
	return nil, errors.New("unknown")
}

func checkMany(ctx context.Context, u *userd.Userd, asked [][2]string) (any, error) {
	checks := make([]userd.Check, 0, len(asked))
	for _, one := range asked {
		checks = append(checks, userd.Check{Subject: one[0], Permission: one[1]})
	}
	decisions, err := u.CheckMany(ctx, checks)
	results := []object{}
	for _, one := range decisions {
		results = append(results, object{"allowed": one.Allowed, "reason": one.Reason})
	}
	return object{"results": results}, err
}

func events(ctx context.Context, u *userd.Userd, q *question) (any, error) {
	store, ids := &userd.MemoryCursor{}, []string{}
	if q.Cursor != nil {
		_ = store.Save(ctx, *q.Cursor)
	}
	for event, err := range u.Events(ctx, store) {
		if err != nil {
			return nil, err
		}
		if ids = append(ids, event.ID); len(ids) == q.Count {
			break
		}
	}
	cursor, err := store.Load(ctx)
	return object{"ids": ids, "cursor": cursor}, err
}

func webhook(q *question) (any, error) {
	hook, err := userd.NewWebhook(q.Secrets...)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	for name, value := range q.Headers {
		header.Set(name, value)
	}
	event, err := hook.VerifyAt([]byte(q.Body), header, time.Unix(q.Now, 0))
	return object{"type": event.Type}, err
}

func failure(err error) object {
	var invalid *userd.InvalidToken
	switch {
	case errors.As(err, &invalid):
		return object{"error": "invalid_token", "reason": invalid.Reason}
	case errors.Is(err, userd.ErrUnavailable):
		return object{"error": "unavailable"}
	case errors.Is(err, userd.ErrRefused):
		return object{"error": "refused"}
	case errors.Is(err, userd.ErrCursorExpired):
		return object{"error": "cursor_expired"}
	case errors.Is(err, userd.ErrInvalidWebhook):
		return object{"error": "invalid_webhook"}
	}
	return object{"error": err.Error()}
}
