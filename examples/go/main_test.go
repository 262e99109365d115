package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"userd.example/go/userdtest"
)

// Against a fake issuer: no server is needed for it.
func TestEveryoneSeesTheirOwnOrdersAndAClerkDeletes(t *testing.T) {
	issuer := userdtest.New()
	service := routes(issuer.Userd())
	ask := func(method, path, token, body string) (int, string) {
		request := httptest.NewRequest(method, path, strings.NewReader(body))
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		answer := httptest.NewRecorder()
		service.ServeHTTP(answer, request)
		return answer.Code, strings.TrimSpace(answer.Body.String())
	}
	ada := issuer.Token(userdtest.Wanted{Subject: "ada", Session: "s1"})
	bob := issuer.Token(userdtest.Wanted{Subject: "bob"})
	clerk := issuer.Token(userdtest.Wanted{Subject: "clerk", Permissions: []string{"orders.delete"}})
	for _, step := range []struct {
		method, path, token, body string
		status                    int
		told                      string
	}{
		{"GET", "/orders", "", "", http.StatusUnauthorized, ""},
		{"POST", "/orders", ada, `{"what":"tea"}`, http.StatusCreated, `["tea"]`},
		{"POST", "/orders", ada, `tea`, http.StatusUnprocessableEntity, ""},
		{"GET", "/orders", bob, "", http.StatusOK, `[]`},
		{"DELETE", "/orders/ada", ada, "", http.StatusForbidden, ""},
		{"DELETE", "/orders/nobody", clerk, "", http.StatusNotFound, ""},
		{"DELETE", "/orders/ada", clerk, "", http.StatusNoContent, ""},
		{"GET", "/orders", ada, "", http.StatusOK, `[]`},
	} {
		status, told := ask(step.method, step.path, step.token, step.body)
		if status != step.status || (step.told != "" && told != step.told) {
			t.Fatalf("%s %s: %d %s instead of %d %s", step.method, step.path, status, told, step.status, step.told)
		}
	}
	issuer.EndSession("s1")
	if status, _ := ask("GET", "/orders", ada, ""); status != http.StatusUnauthorized {
		t.Fatal("signed out, and still in: ", status)
	}
}
