package userd_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The service of examples/go has tests of its own against a fake issuer; here it runs beside a real service.
func TestTheExampleKeepsItsOrdersToThemselvesAndObeysASignOut(t *testing.T) {
	url := os.Getenv("USERD_URL")
	if url == "" {
		t.Fatal("run by clients/test, beside a service")
	}
	folder, address := filepath.Join("..", "..", "examples", "go"), freeAddress(t)
	binary := filepath.Join(t.TempDir(), "orders")
	run(t, folder, "vet", "./...")
	run(t, folder, "test", "-count=1", "./...")
	run(t, folder, "build", "-o", binary, ".")
	service := exec.Command(binary)
	service.Env = append(os.Environ(), "USERD="+url, "LISTEN="+address)
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = service.Process.Kill()
		_ = service.Wait()
	}()
	page, token := "http://"+address+"/orders", registered(t, url)
	until(t, 0, "GET", page, "", 401)
	until(t, 0, "GET", page, token, 200)
	until(t, 0, "DELETE", page+"/somebody", token, 403)
	until(t, 0, "POST", url+"/v1/auth/logout", token, 204)
	until(t, 10*time.Second, "GET", page, token, 401)
}

func registered(t *testing.T, url string) string {
	t.Helper()
	body := `{"email":"example-go@example.org","password":"a long sentence for tests 9"}`
	answer, err := http.Post(url+"/v1/auth/register", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var said struct {
		Tokens struct {
			AccessToken string `json:"access_token"`
		} `json:"tokens"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil || said.Tokens.AccessToken == "" {
		t.Fatal(answer.Status, err)
	}
	return said.Tokens.AccessToken
}
