package userd

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

const (
	feedPage      = "200"
	shortestPause = 200 * time.Millisecond
	longestPause  = 5 * time.Second
)

// Status is what is known of the feed, for logs and health checks.
type Status struct {
	// Age is the time since the service last said that nothing is missing; very long before it did.
	Age     time.Duration
	Entries int
	// Restarts is how often the feed was begun anew because it is another one than before: a backup was restored.
	Restarts int
	// Overflows is how often entries were replaced by a coarser one because there were too many.
	Overflows int
	// Failures is how many calls in a row failed.
	Failures int
	// Error is why the last one did: credentials (the account's id or secret is wrong), its HTTP status (403: the account
	// lacks revocations.read), unreachable, nonsense; empty where it did not.
	Error string
}

// feed is the place in the feed of revocations: what to ask, what an answer means, how long to pause.
type feed struct {
	view *view
	wait time.Duration

	lock       sync.Mutex
	restarts   int
	failures   int
	reason     string
	first      chan struct{}
	wasFirst   bool
	cursor     string
	isComplete bool
}

// complete is closed when the view is complete for the first time.
func (f *feed) complete() <-chan struct{} {
	f.lock.Lock()
	defer f.lock.Unlock()
	return f.firstLocked()
}

func (f *feed) firstLocked() chan struct{} {
	if f.first == nil {
		f.first = make(chan struct{})
	}
	return f.first
}

// query is the question. Only who has everything waits.
func (f *feed) query() url.Values {
	f.lock.Lock()
	defer f.lock.Unlock()
	query := url.Values{"limit": {feedPage}}
	if f.cursor != "" {
		query.Set("after", f.cursor)
	}
	if f.isComplete {
		query.Set("wait", strconv.Itoa(int(f.wait.Seconds())))
	}
	return query
}

// answered takes a page: how long to pause, and whether a key was revoked. Nonsense is an error, before the place moves.
func (f *feed) answered(body []byte, took time.Duration) (time.Duration, bool, error) {
	var page struct {
		Items      []json.RawMessage `json:"items"`
		NextCursor *string           `json:"next_cursor"`
		HasMore    *bool             `json:"has_more"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return 0, false, err
	}
	if page.Items == nil || page.HasMore == nil {
		return 0, false, errors.New("not a page of the feed")
	}
	keyRevoked, err := f.view.apply(page.Items, time.Now())
	if err != nil {
		return 0, false, err
	}
	f.lock.Lock()
	defer f.lock.Unlock()
	hasMoved := page.NextCursor != nil && *page.NextCursor != f.cursor
	if hasMoved {
		f.cursor = *page.NextCursor
	}
	f.failures, f.reason = 0, ""
	askedToWait := f.isComplete
	f.isComplete = !*page.HasMore
	if *page.HasMore {
		return unless(hasMoved, time.Second), keyRevoked, nil
	}
	f.view.complete(time.Now())
	if !f.wasFirst {
		f.wasFirst = true
		close(f.firstLocked())
	}
	// A server that does not hold the answer (it is about to stop) is not asked in a loop.
	isHeld := len(page.Items) > 0 || took >= time.Second || !askedToWait
	return unless(isHeld, time.Second), keyRevoked, nil
}

func unless(no bool, pause time.Duration) time.Duration {
	if no {
		return 0
	}
	return pause
}

// restart is for 410: another feed than before. What is known still counts.
func (f *feed) restart() time.Duration {
	f.lock.Lock()
	f.restarts++
	f.cursor, f.isComplete = "", false
	f.lock.Unlock()
	return f.failed("410", 0)
}

// failed says how long to pause: longer each time, at random, so that many do not come at once.
func (f *feed) failed(reason string, atLeast time.Duration) time.Duration {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.reason = reason
	longest := min(longestPause, shortestPause<<min(f.failures, 10))
	f.failures++
	return max(min(atLeast, 30*time.Second), time.Duration(float64(longest)*(0.5+rand.Float64()/2)))
}

func (f *feed) status() Status {
	f.lock.Lock()
	defer f.lock.Unlock()
	return Status{Restarts: f.restarts, Failures: f.failures, Error: f.reason}
}

func (u *Userd) follow() {
	for u.ctx.Err() == nil {
		timer := time.NewTimer(u.poll())
		select {
		case <-timer.C:
		case <-u.ctx.Done():
			timer.Stop()
		}
	}
}

func (u *Userd) poll() time.Duration {
	began := time.Now()
	token, err := u.calls.token(u.ctx, u.options.UserdAudience)
	if err != nil {
		return u.feedFailed(reasonOf(err), err, 0)
	}
	path := "/v1/revocations?" + u.feed.query().Encode()
	answer, err := u.calls.call(u.ctx, call{path: path, token: token, timeout: u.options.Wait + u.options.Timeout})
	switch {
	case err != nil:
		return u.feedFailed("unreachable", err, 0)
	case answer.status == http.StatusGone:
		return u.feed.restart()
	case answer.status != http.StatusOK:
		if answer.status == http.StatusUnauthorized {
			// The revocation can be of the key that signed our own token.
			u.calls.dropToken(token)
		}
		seconds, _ := strconv.Atoi(answer.header.Get("Retry-After"))
		return u.feedFailed(strconv.Itoa(answer.status), answer.problem(), time.Duration(seconds)*time.Second)
	}
	pause, keyRevoked, err := u.feed.answered(answer.body, time.Since(began))
	if err != nil {
		return u.feedFailed("nonsense", err, 0)
	}
	if keyRevoked {
		u.keys.expire()
	}
	u.watch.feedGoes()
	return pause
}

func (u *Userd) feedFailed(reason string, more any, atLeast time.Duration) time.Duration {
	if u.ctx.Err() == nil {
		u.watch.feedFails(reason, more)
	}
	return u.feed.failed(reason, atLeast)
}

func reasonOf(err error) string {
	var refused *Refused
	switch {
	case errors.Is(err, ErrCredentials):
		return "credentials"
	case errors.As(err, &refused):
		return strconv.Itoa(refused.Status)
	}
	return "unreachable"
}
