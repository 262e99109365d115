// Package userd trusts the access tokens of a userd: verified offline, with the revocations of the last second.
package userd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// WhenStale says what happens while the view of revocations is too old.
type WhenStale string

const (
	// Refuse answers that nobody can tell: 503. The default.
	Refuse WhenStale = "refuse"
	// Accept trusts the signature alone.
	Accept WhenStale = "accept"
	// Introspect asks the service about each token.
	Introspect WhenStale = "introspect"
)

// Options say which service is trusted, and how. What is zero has a default.
type Options struct {
	// Issuer is "iss" of the tokens.
	Issuer string
	// Audience is the "aud" that tokens must be for: this service. Default: userd.
	Audience string
	// BaseURL is where the service answers, when that is not the issuer (inside a cluster).
	BaseURL string
	// ClientID and ClientSecret are the service account's. Without them revocations are not followed: a token is good
	// until it expires.
	ClientID, ClientSecret string
	// UserdAudience is the audience of userd itself, the first of its tokens.audience: the own token is asked for it.
	// Default: userd.
	UserdAudience string
	// Leeway is how far clocks may be apart, at most a minute. Default: 10 s; less than zero: none.
	Leeway time.Duration
	// WhenStale is what happens while the view of revocations is too old. Default: Refuse.
	WhenStale WhenStale
	// MaxAge is how old the view may be; more than Wait. Default: 30 s.
	MaxAge time.Duration
	// Wait is how long one question for revocations is held, 1 to 25 s. Default: 10 s.
	Wait time.Duration
	// Timeout is the longest any other call may take. Default: 5 s.
	Timeout time.Duration
	// MaxEntries is how many revocations are kept. Beyond it the oldest are replaced by one that refuses more than they
	// did. Default: 100,000.
	MaxEntries int
	// MaxTokens is how many verified tokens are remembered, so that each is verified once. Default: 10,000.
	MaxTokens int
	// Logger hears once why tokens cannot be verified as they should, and once that they can again. Default: slog.Default().
	Logger *slog.Logger
	// Keys is a key set that is never asked for.
	Keys []byte
	// Transport is used in place of http.DefaultTransport.
	Transport http.RoundTripper
}

func (o *Options) settle() error {
	if !strings.HasPrefix(o.Issuer, "https://") && !strings.HasPrefix(o.Issuer, "http://") {
		return errors.New("userd: Issuer must be an http(s) URL")
	}
	if (o.ClientID == "") != (o.ClientSecret == "") {
		return errors.New("userd: ClientID and ClientSecret go together")
	}
	o.Audience, o.UserdAudience = or(o.Audience, "userd"), or(o.UserdAudience, "userd")
	o.WhenStale = or(o.WhenStale, Refuse)
	o.Leeway, o.MaxAge = or(o.Leeway, 10*time.Second), or(o.MaxAge, 30*time.Second)
	o.Wait, o.Timeout = or(o.Wait, 10*time.Second), or(o.Timeout, 5*time.Second)
	o.MaxEntries, o.MaxTokens = or(o.MaxEntries, 100_000), or(o.MaxTokens, 10_000)
	o.BaseURL = strings.TrimRight(or(o.BaseURL, o.Issuer), "/")
	o.Leeway = max(o.Leeway, 0)
	switch {
	case o.WhenStale != Refuse && o.WhenStale != Accept && o.WhenStale != Introspect:
		return errors.New("userd: WhenStale is Refuse, Accept or Introspect")
	case o.Leeway > time.Minute:
		return errors.New("userd: Leeway is a minute at most")
	case o.Wait < time.Second || o.Wait > 25*time.Second || o.MaxAge <= o.Wait:
		return errors.New("userd: Wait is 1 to 25 seconds, and MaxAge more than it")
	case o.Timeout < 0 || o.MaxEntries < 16 || o.MaxTokens < 1:
		return errors.New("userd: Timeout, MaxEntries (16 or more) and MaxTokens must be positive")
	}
	return nil
}

func or[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// Userd is a userd that is trusted. One for a process.
type Userd struct {
	options    Options
	keys       keySet
	view       view
	feed       feed
	calls      calls
	watch      watch
	remembered memory

	ctx     context.Context
	end     context.CancelFunc
	started sync.Once
	// Whether the key set is being asked for beside the requests.
	refreshing atomic.Bool
	ready      chan struct{}
}

// New makes one. Nothing is called before the first token.
func New(options Options) (*Userd, error) {
	if err := options.settle(); err != nil {
		return nil, err
	}
	u := &Userd{options: options, ready: make(chan struct{})}
	u.ctx, u.end = context.WithCancel(context.Background())
	u.view.init(options.MaxEntries)
	u.remembered.init(options.MaxTokens)
	u.feed = feed{view: &u.view, wait: options.Wait}
	u.calls.init(&u.options)
	u.watch.init(&u.options)
	if options.Keys != nil {
		if err := u.keys.fix(options.Keys); err != nil {
			return nil, fmt.Errorf("userd: Keys: %w", err)
		}
	}
	return u, nil
}

// Verify says who calls with this token. The error is an *InvalidToken (401) or an ErrUnavailable (503).
func (u *Userd) Verify(ctx context.Context, token string) (*Token, error) {
	u.Start(ctx)
	verified, err := u.verifyOffline(ctx, token)
	switch {
	case err != nil:
		return nil, err
	case u.view.forbids(verified):
		return nil, &InvalidToken{Reason: "revoked"}
	case !u.follows() || u.options.WhenStale == Accept || u.view.age() <= u.options.MaxAge:
		return verified, nil
	case u.options.WhenStale == Introspect:
		return verified, u.introspect(ctx, token, verified)
	}
	return nil, unavailable("the view of revocations is too old")
}

// Authenticate is the same from an Authorization header.
func (u *Userd) Authenticate(ctx context.Context, authorization string) (*Token, error) {
	scheme, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "bearer") || token == "" {
		return nil, &InvalidToken{Reason: "missing"}
	}
	return u.Verify(ctx, token)
}

// Start starts the follower, and waits until the view is complete, but not for ever. The first Verify does it.
func (u *Userd) Start(ctx context.Context) {
	if !u.follows() {
		return
	}
	u.started.Do(func() {
		late, cancel := context.WithTimeout(u.ctx, u.options.Timeout)
		context.AfterFunc(late, cancel)
		go u.follow()
		go func() {
			select {
			case <-u.feed.complete():
			case <-late.Done():
			}
			close(u.ready)
		}()
	})
	select {
	case <-u.ready:
	case <-ctx.Done():
	}
}

// Status says how old the view of revocations is, and how the feed goes.
func (u *Userd) Status() Status {
	status := u.feed.status()
	status.Age, status.Entries, status.Overflows = u.view.age(), u.view.len(), u.view.overflowed()
	return status
}

// Token is an access token of this service's own account, to call userd with. It is renewed before it ends.
func (u *Userd) Token(ctx context.Context) (string, error) {
	return u.TokenFor(ctx, u.options.UserdAudience)
}

// TokenFor is the same to call another service with: resource is its audience, which must be among the account's.
func (u *Userd) TokenFor(ctx context.Context, resource string) (string, error) {
	return u.calls.token(ctx, resource)
}

// Close ends the follower.
func (u *Userd) Close() { u.end() }

func (u *Userd) follows() bool { return u.options.ClientID != "" }

// --- keys

func (u *Userd) verifyOffline(ctx context.Context, text string) (*Token, error) {
	if !u.keys.isUsable() {
		u.refreshKeys(ctx)
	} else if u.keys.isDue() {
		u.refreshBeside()
	}
	if !u.keys.isUsable() {
		return nil, unavailable("the key set cannot be had")
	}
	token, err := u.verifyOnce(text)
	var invalid *InvalidToken
	if errors.As(err, &invalid) && invalid.Reason == "unknown_key" && u.keys.mayAsk() {
		u.refreshKeys(ctx)
		return u.verifyOnce(text)
	}
	return token, err
}

func (u *Userd) verifyOnce(text string) (*Token, error) {
	now := time.Now()
	if token := u.remembered.get(text); token != nil && u.keys.get(token.KeyID) != nil {
		return token, checkTimes(token, &u.options, now)
	}
	token, err := verify(text, &u.keys, &u.options, now)
	if err == nil {
		u.remembered.put(text, token)
	}
	var invalid *InvalidToken
	if errors.As(err, &invalid) && invalid.Reason == "issuer" {
		u.watch.isWrong("issuer", invalid.detail, "tokens of another issuer are refused", "said", invalid.detail)
	}
	return token, err
}

func (u *Userd) refreshBeside() {
	if !u.refreshing.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer u.refreshing.Store(false)
		u.refreshKeys(u.ctx)
	}()
}

// refreshKeys asks for the keys; what is known stays when that fails.
func (u *Userd) refreshKeys(ctx context.Context) {
	u.keys.asking.Lock()
	defer u.keys.asking.Unlock()
	if !u.keys.mayAsk() {
		return
	}
	u.keys.asked()
	// Whoever gives up does not take the keys away from the others.
	err := u.fetchKeys(context.WithoutCancel(ctx))
	if err == nil {
		u.watch.keysAre()
	} else if !u.keys.isUsable() {
		u.watch.keysFail(err)
	}
}

func (u *Userd) fetchKeys(ctx context.Context) error {
	answer, err := u.calls.call(ctx, call{path: "/.well-known/jwks.json"})
	if err != nil {
		return err
	}
	if answer.status != http.StatusOK {
		return &Failure{Path: answer.path, Status: answer.status, Problem: answer.problem()}
	}
	changed, err := u.keys.replace(answer.body, answer.header.Get("Cache-Control"))
	if err == nil && changed {
		u.remembered.clear()
	}
	return err
}
