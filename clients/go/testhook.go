package userd

import (
	"encoding/json"
	"fmt"
	"time"

	"userd.example/go/internal/testhook"
)

func init() {
	testhook.EndSession = func(verifier any, session string) {
		revoke(verifier, fmt.Sprintf(`"kind": "session", "session_id": %q`, session))
	}
	testhook.NarrowRole = func(verifier any, role string, least int64) {
		revoke(verifier, fmt.Sprintf(`"kind": "role", "role": %q, "min_version": %d`, role, least))
	}
}

func revoke(verifier any, what string) {
	const times = `"recorded_at": "2000-01-01T00:00:00Z", "expires_at": "9999-01-01T00:00:00Z"`
	_, _ = verifier.(*Userd).view.apply([]json.RawMessage{[]byte(fmt.Sprintf(`{%s, %s}`, what, times))}, time.Now())
}
