package userd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const longestAnswer = 8 << 20

// calls are those of the service: with a time limit, without redirects, with the own account's token.
type calls struct {
	options *Options
	client  http.Client

	lock sync.Mutex
	// By resource.
	own map[string]*ownToken
}

// ownToken is an access token of the service account for one resource.
type ownToken struct {
	resource string
	renewing sync.Mutex

	lock      sync.Mutex
	text      string
	goodUntil time.Time
	renewAt   time.Time
}

type call struct {
	method  string
	path    string
	form    url.Values
	json    any
	token   string
	isBasic bool
	timeout time.Duration
}

type answer struct {
	path   string
	status int
	header http.Header
	body   []byte
}

func (c *calls) init(options *Options) {
	c.options, c.own = options, map[string]*ownToken{}
	c.client = http.Client{
		Transport:     options.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// call is one call; any answer is one. ErrUnavailable where there is none.
func (c *calls) call(ctx context.Context, what call) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, or(what.timeout, c.options.Timeout))
	defer cancel()
	request, err := c.request(ctx, what)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	response, err := c.client.Do(request)
	if wrong := (*url.Error)(nil); errors.As(err, &wrong) {
		// Without the query, which says nothing to people.
		err = fmt.Errorf("%s: %w", request.URL.Path, wrong.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return &answer{what.path, response.StatusCode, response.Header, body}, nil
}

func (c *calls) request(ctx context.Context, what call) (*http.Request, error) {
	method, kind, body := http.MethodGet, "", io.Reader(nil)
	switch {
	case what.form != nil:
		method, kind, body = http.MethodPost, "application/x-www-form-urlencoded", strings.NewReader(what.form.Encode())
	case what.json != nil:
		text, err := json.Marshal(what.json)
		if err != nil {
			return nil, err
		}
		method, kind, body = http.MethodPost, "application/json", bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, or(what.method, method), c.options.BaseURL+what.path, body)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if what.token != "" {
		request.Header.Set("Authorization", "Bearer "+what.token)
	}
	if what.isBasic {
		request.SetBasicAuth(c.options.ClientID, c.options.ClientSecret)
	}
	return request, nil
}

// ask is a call with the own token; once more with a new one where that is refused.
func (c *calls) ask(ctx context.Context, what call) (*answer, error) {
	for isLast := false; ; isLast = true {
		token, err := c.token(ctx, c.options.UserdAudience)
		if err != nil {
			return nil, err
		}
		what.token = token
		answer, err := c.call(ctx, what)
		if err != nil {
			return nil, err
		}
		if answer.status != http.StatusUnauthorized || isLast {
			return answer, answer.refused()
		}
		c.dropToken(token)
	}
}

// token is the access token of the service account for a resource, renewed before it ends.
func (c *calls) token(ctx context.Context, resource string) (string, error) {
	own, now := c.ownFor(resource), time.Now()
	own.lock.Lock()
	text, isGood, isDue := own.text, now.Before(own.goodUntil), !now.Before(own.renewAt)
	if isGood && isDue {
		own.renewAt = now.Add(time.Second)
	}
	own.lock.Unlock()
	if isGood {
		if isDue {
			go c.renew(context.WithoutCancel(ctx), own, text)
		}
		return text, nil
	}
	return c.renew(ctx, own, text)
}

func (c *calls) ownFor(resource string) *ownToken {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.own[resource] == nil {
		c.own[resource] = &ownToken{resource: resource}
	}
	return c.own[resource]
}

// renew gets another token than the one that was seen, unless somebody else has got one meanwhile.
func (c *calls) renew(ctx context.Context, own *ownToken, seen string) (string, error) {
	if c.options.ClientID == "" {
		return "", unavailable("ClientID and ClientSecret are not set")
	}
	own.renewing.Lock()
	defer own.renewing.Unlock()
	own.lock.Lock()
	text, isGood := own.text, time.Now().Before(own.goodUntil)
	own.lock.Unlock()
	if text != seen && isGood {
		return text, nil
	}
	answer, err := c.askForToken(ctx, url.Values{"resource": {own.resource}})
	if err == nil && own.resource == c.options.UserdAudience && answer.status != http.StatusOK && answer.slug() == "invalid_target" {
		// A userd that goes by another name: what the account gets by itself is for it, as a rule.
		answer, err = c.askForToken(ctx, url.Values{})
	}
	if err != nil {
		return "", err
	}
	var said struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	if answer.status == http.StatusUnauthorized {
		return "", answer.credentials()
	}
	if err := answer.refused(); err != nil {
		return "", err
	}
	if err := answer.read(&said); err != nil {
		return "", err
	}
	if said.AccessToken == "" {
		return "", unavailable("no token of our own")
	}
	lifetime := time.Duration(said.ExpiresIn * float64(time.Second))
	own.lock.Lock()
	defer own.lock.Unlock()
	now := time.Now()
	own.text, own.goodUntil, own.renewAt = said.AccessToken, now.Add(lifetime*95/100), now.Add(lifetime*3/4)
	return own.text, nil
}

func (c *calls) askForToken(ctx context.Context, form url.Values) (*answer, error) {
	form.Set("grant_type", "client_credentials")
	return c.call(ctx, call{path: "/oauth2/token", form: form, isBasic: true})
}

// dropToken is for the one for userd, where it is refused.
func (c *calls) dropToken(seen string) {
	own := c.ownFor(c.options.UserdAudience)
	own.lock.Lock()
	defer own.lock.Unlock()
	if own.text == seen {
		own.goodUntil = time.Time{}
	}
}

// problem is what an answer that is an error says of itself; nil where it says nothing that can be read.
func (a *answer) problem() *Problem {
	var said struct {
		Problem
		Error       string
		ErrorTitle  string `json:"error_description"`
		ErrorTypeOf string `json:"error_uri"`
	}
	if a.status < 300 || json.Unmarshal(a.body, &said) != nil {
		return nil
	}
	problem := said.Problem
	problem.Type, problem.Title = or(problem.Type, said.ErrorTypeOf), or(problem.Title, said.ErrorTitle)
	problem.Slug = or(said.Error, problem.Type[strings.LastIndex(problem.Type, "/")+1:])
	if problem.Slug == "" {
		return nil
	}
	return &problem
}

func (a *answer) slug() string {
	if problem := a.problem(); problem != nil {
		return problem.Slug
	}
	return ""
}

// credentials is the error where the account's id and secret are refused.
func (a *answer) credentials() error {
	return &Failure{Path: a.path, Status: a.status, Problem: a.problem(), isOfCredentials: true}
}

// refused is an error where the service will not do it, however often it is asked. 410 is for whoever asked.
func (a *answer) refused() error {
	switch a.status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusGone, http.StatusTooManyRequests:
		return nil
	}
	if a.status >= 400 && a.status < 500 {
		return &Refused{a.path, a.status, a.problem()}
	}
	return nil
}

// read takes the JSON of a good answer, if it has any; ErrUnavailable for any other.
func (a *answer) read(into any) error {
	if a.status < 200 || a.status > 299 {
		return &Failure{Path: a.path, Status: a.status, Problem: a.problem()}
	}
	if into == nil || a.status == http.StatusNoContent {
		return nil
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}
