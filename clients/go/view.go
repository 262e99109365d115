package userd

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"sort"
	"sync"
	"time"
)

// never is the age of a view that was never complete.
const never = time.Duration(math.MaxInt64)

// view is which tokens died before their time, and how old that knowledge is.
type view struct {
	lock         sync.RWMutex
	max          int
	entries      map[subject]entry
	issuedBefore time.Time
	completeAt   time.Time
	overflows    int
}

type subject struct{ kind, id string }

type entry struct {
	// The least version that is still accepted: "ver", or the one of the role; where all is dead, more than any.
	least      int64
	recordedAt time.Time
	// When it can be forgotten: all that it touches has expired.
	until time.Time
}

// revocation is an item of the feed.
type revocation struct {
	Kind         string    `json:"kind"`
	SessionID    string    `json:"session_id"`
	UserID       string    `json:"user_id"`
	TokenID      string    `json:"token_id"`
	ClientID     string    `json:"client_id"`
	Kid          string    `json:"kid"`
	Role         string    `json:"role"`
	MinEpoch     *int64    `json:"min_epoch"`
	Before       *int64    `json:"before"`
	MinVersion   *int64    `json:"min_version"`
	IssuedBefore time.Time `json:"issued_before"`
	RecordedAt   time.Time `json:"recorded_at"`
	ExpiresAt    time.Time `json:"expires_at"`
}

func (v *view) init(most int) { v.max, v.entries = most, map[subject]entry{} }

func (v *view) forbids(token *Token) bool {
	v.lock.RLock()
	defer v.lock.RUnlock()
	isOld := func(kind, id string, version int64) bool {
		found, is := v.entries[subject{kind, id}]
		return is && version < found.least
	}
	has := func(kind, id string) bool { return isOld(kind, id, token.Version) }
	// A token without the version of a role is from before there were any.
	allowsLess := func(role string) bool { return isOld("role", role, token.RoleVersions[role]) }
	if slices.ContainsFunc(token.Roles, allowsLess) {
		return true
	}
	if token.IssuedAt.Before(v.issuedBefore) || has("key", token.KeyID) || has("token", token.TokenID) {
		return true
	}
	if token.IsService() {
		return has("client", token.ClientID)
	}
	return has("session", token.SessionID) || has("user", token.Subject)
}

// apply takes items; one may come twice. It says whether a key is among them.
func (v *view) apply(items []json.RawMessage, now time.Time) (bool, error) {
	v.lock.Lock()
	defer v.lock.Unlock()
	hasKey := false
	for _, item := range items {
		kind, err := v.take(item)
		if err != nil {
			return false, err
		}
		hasKey = hasKey || kind == "key"
	}
	if len(v.entries) > v.max {
		v.forgetLocked(now)
	}
	if len(v.entries) > v.max {
		v.coarsen(v.max / 2)
	}
	return hasKey, nil
}

func (v *view) take(item json.RawMessage) (string, error) {
	var kind struct{ Kind string }
	if err := json.Unmarshal(item, &kind); err != nil {
		return "", err
	}
	switch kind.Kind {
	case "session", "token", "key", "user", "client", "role", "all":
	default:
		return kind.Kind, nil
	}
	var r revocation
	if err := json.Unmarshal(item, &r); err != nil {
		return "", err
	}
	if r.Kind == "all" {
		if r.IssuedBefore.IsZero() {
			return "", errors.New("not a revocation")
		}
		v.raise(r.IssuedBefore.Truncate(time.Second))
		return r.Kind, nil
	}
	whose := map[string]string{
		"session": r.SessionID, "token": r.TokenID, "key": r.Kid, "user": r.UserID, "client": r.ClientID, "role": r.Role,
	}
	all := int64(math.MaxInt64)
	least := map[string]*int64{
		"session": &all, "token": &all, "key": &all, "user": r.MinEpoch, "client": r.Before, "role": r.MinVersion,
	}[r.Kind]
	if whose[r.Kind] == "" || least == nil || r.ExpiresAt.IsZero() {
		return "", errors.New("not a revocation")
	}
	at := subject{r.Kind, whose[r.Kind]}
	before := v.entries[at]
	v.entries[at] = entry{max(*least, before.least), later(r.RecordedAt, before.recordedAt), later(r.ExpiresAt, before.until)}
	return r.Kind, nil
}

func (v *view) raise(moment time.Time) { v.issuedBefore = later(v.issuedBefore, moment) }

// coarsen makes the older ones "all that was issued until then": it refuses more, never less. Keys and roles stay: they
// touch tokens that are issued later too.
func (v *view) coarsen(keep int) {
	var others []subject
	for at := range v.entries {
		if at.kind != "key" && at.kind != "role" {
			others = append(others, at)
		}
	}
	recorded := func(i int) time.Time { return v.entries[others[i]].recordedAt }
	sort.Slice(others, func(i, j int) bool { return recorded(i).Before(recorded(j)) })
	for _, at := range others[:max(0, len(others)-keep)] {
		v.raise(v.entries[at].recordedAt.Truncate(time.Second).Add(time.Second))
		delete(v.entries, at)
	}
	v.overflows++
}

// complete is for when the service has said that nothing is missing. What can touch no living token is dropped.
func (v *view) complete(now time.Time) {
	v.lock.Lock()
	defer v.lock.Unlock()
	v.completeAt = now
	v.forgetLocked(now)
}

func (v *view) forgetLocked(now time.Time) {
	for at, one := range v.entries {
		if !one.until.After(now) {
			delete(v.entries, at)
		}
	}
}

func (v *view) age() time.Duration {
	v.lock.RLock()
	defer v.lock.RUnlock()
	if v.completeAt.IsZero() {
		return never
	}
	return time.Since(v.completeAt)
}

func (v *view) len() int {
	v.lock.RLock()
	defer v.lock.RUnlock()
	return len(v.entries)
}

func (v *view) overflowed() int {
	v.lock.RLock()
	defer v.lock.RUnlock()
	return v.overflows
}

func later(one, other time.Time) time.Time {
	if one.After(other) {
		return one
	}
	return other
}
