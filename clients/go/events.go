package userd

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Event is a CloudEvent. docs/events.md of userd has the types; ignore those that you do not know.
type Event struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Subject  string          `json:"subject"`
	Time     string          `json:"time"`
	Sequence string          `json:"sequence"`
	Data     json.RawMessage `json:"data"`
}

func (e *Event) isWhole() bool { return e.ID != "" && e.Type != "" && e.Subject != "" && e.Time != "" }

// CursorStore keeps the place in the feed; best in the transaction that handles the events. No place is "".
type CursorStore interface {
	Load(context.Context) (string, error)
	Save(context.Context, string) error
}

// MemoryCursor is forgotten with the process.
type MemoryCursor struct {
	lock   sync.Mutex
	cursor string
}

// Load answers the place.
func (c *MemoryCursor) Load(context.Context) (string, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.cursor, nil
}

// Save keeps it.
func (c *MemoryCursor) Save(_ context.Context, cursor string) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.cursor = cursor
	return nil
}

// FileCursor is the path of a file, which is replaced as a whole.
type FileCursor string

// Load answers the place.
func (c FileCursor) Load(context.Context) (string, error) {
	text, err := os.ReadFile(string(c))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// Save keeps it.
func (c FileCursor) Save(_ context.Context, cursor string) error {
	file, err := os.CreateTemp(filepath.Dir(string(c)), filepath.Base(string(c))+".*")
	if err != nil {
		return err
	}
	_, err = file.WriteString(cursor)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), string(c))
	}
	if err != nil {
		err = errors.Join(err, os.Remove(file.Name()))
	}
	return err
}

// eventWait is how long an empty answer is held.
const eventWait = 10 * time.Second

// Events are what happened, without end but that of ctx. The cursor is stored when a page has been worked through: an
// event whose handling failed comes again. An error ends it: ErrCursorExpired, ErrRefused, ErrCredentials, or the store's.
func (u *Userd) Events(ctx context.Context, store CursorStore) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		pause := shortestPause
		for ctx.Err() == nil {
			events, next, err := u.events(ctx, store)
			if errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrCredentials) {
				wait(ctx, pause)
				pause = min(2*pause, longestPause)
				continue
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
			pause = shortestPause
			for _, event := range events {
				if !yield(event, nil) {
					return
				}
			}
			if err := store.Save(ctx, next); err != nil {
				yield(Event{}, err)
				return
			}
		}
	}
}

func (u *Userd) events(ctx context.Context, store CursorStore) ([]Event, string, error) {
	after, err := store.Load(ctx)
	if err != nil {
		return nil, "", err
	}
	query := url.Values{"limit": {"200"}, "wait": {"10"}}
	if after != "" {
		query.Set("after", after)
	}
	path := "/v1/events?" + query.Encode()
	answer, err := u.calls.ask(ctx, call{path: path, timeout: eventWait + u.options.Timeout})
	if err != nil {
		return nil, "", err
	}
	if answer.status == http.StatusGone {
		return nil, "", ErrCursorExpired
	}
	var page struct {
		Items []Event
		Next  string
	}
	if err := answer.read(&page); err != nil {
		return nil, "", err
	}
	for _, event := range page.Items {
		if !event.isWhole() {
			return nil, "", unavailable("not an event")
		}
	}
	if page.Next == "" {
		return nil, "", unavailable("not a page of events")
	}
	return page.Items, page.Next, nil
}

func wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
