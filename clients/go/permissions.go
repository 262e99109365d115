package userd

import (
	"context"
	"net/http"
	"net/url"
	"slices"
)

// Check is a question: may this user do that?
type Check struct {
	Subject    string `json:"subject"`
	Permission string `json:"permission"`
}

// Decision is whether somebody may, and why.
type Decision struct {
	Allowed bool
	Reason  string
}

const (
	checkPath = "/v1/permissions/check"
	// mostChecks is how many questions one call may have.
	mostChecks = 1_000
)

// Check asks whether this user may do that, as the service knows now (it needs permissions.check).
func (u *Userd) Check(ctx context.Context, subject, permission string) (bool, error) {
	var said struct{ Allowed *bool }
	if err := u.ask(ctx, Check{subject, permission}, &said); err != nil {
		return false, err
	}
	if said.Allowed == nil {
		return false, unavailable("not an answer about a permission")
	}
	return *said.Allowed, nil
}

// CheckMany asks several questions in one call, or one for each thousand.
func (u *Userd) CheckMany(ctx context.Context, checks []Check) ([]Decision, error) {
	decisions := make([]Decision, 0, len(checks))
	for some := range slices.Chunk(checks, mostChecks) {
		answered, err := u.checkSome(ctx, some)
		if err != nil {
			return nil, err
		}
		decisions = append(decisions, answered...)
	}
	return decisions, nil
}

func (u *Userd) checkSome(ctx context.Context, checks []Check) ([]Decision, error) {
	var said struct {
		Results []struct {
			Allowed *bool
			Reason  string
		}
	}
	if err := u.ask(ctx, map[string]any{"checks": checks}, &said); err != nil {
		return nil, err
	}
	if len(said.Results) != len(checks) {
		return nil, unavailable("not an answer about permissions")
	}
	decisions := make([]Decision, len(checks))
	for i, result := range said.Results {
		if result.Allowed == nil {
			return nil, unavailable("not an answer about permissions")
		}
		decisions[i] = Decision{*result.Allowed, result.Reason}
	}
	return decisions, nil
}

func (u *Userd) ask(ctx context.Context, question, into any) error {
	return u.Call(ctx, http.MethodPost, checkPath, question, into)
}

// introspect asks the service about a token.
func (u *Userd) introspect(ctx context.Context, text string, token *Token) error {
	answer, err := u.calls.call(ctx, call{path: "/oauth2/introspect", form: url.Values{"token": {text}}, isBasic: true})
	if err != nil {
		return err
	}
	var said struct {
		Active *bool
		Jti    string
	}
	if answer.status == http.StatusUnauthorized {
		return answer.credentials()
	}
	if err := answer.read(&said); err != nil {
		return err
	}
	if said.Active == nil {
		return unavailable("not an answer about a token")
	}
	if !*said.Active || said.Jti != token.TokenID {
		return &InvalidToken{Reason: "revoked"}
	}
	return nil
}
