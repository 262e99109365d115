package userd_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Every block of Go of the README is a file of one program, which is vetted, tested, and run against a real service.
func TestTheReadmeRunsAndItsPageIsProtected(t *testing.T) {
	url, token := os.Getenv("USERD_URL"), os.Getenv("USERD_TOKEN")
	if url == "" || token == "" {
		t.Fatal("run by clients/test, beside a service")
	}
	program, address := program(t, url)
	output := &strings.Builder{}
	program.Stdout, program.Stderr = output, output
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = program.Process.Kill()
		_ = program.Wait()
		if t.Failed() {
			t.Log(output)
		}
	}()
	page := "http://" + address + "/orders"
	until(t, 0, "GET", page, "", 401)
	until(t, 0, "GET", page, token, 200)
	until(t, 0, "DELETE", page, token, 403)
	// From the sign-out on nobody is let in, within a second as a rule.
	until(t, 0, "POST", url+"/v1/auth/logout", token, 204)
	until(t, 10*time.Second, "GET", page, token, 401)
}

// program writes, checks and builds the README's program.
func program(t *testing.T, url string) (*exec.Cmd, string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	here, _ := os.Getwd()
	folder, address := t.TempDir(), freeAddress(t)
	replaced := strings.NewReplacer("https://users.example", url, "127.0.0.1:8081", address)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 4 {
		t.Fatal(len(blocks), " blocks")
	}
	for i, block := range blocks {
		name := "block" + strconv.Itoa(i) + ".go"
		if strings.Contains(block[1], `"testing"`) {
			name = "block_test.go"
		}
		write(t, filepath.Join(folder, name), replaced.Replace(block[1]))
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "go.sum"), string(sums))
	write(t, filepath.Join(folder, "go.mod"), "module orders\n\ngo 1.24\n")
	run(t, folder, "mod", "edit", "-require=userd.example/go@v0.0.0", "-replace=userd.example/go="+here)
	run(t, folder, "mod", "tidy")
	run(t, folder, "test", "-vet=all", ".")
	run(t, folder, "build", "-o", "orders", ".")
	return exec.Command(filepath.Join(folder, "orders")), address
}

func run(t *testing.T, folder string, arguments ...string) {
	t.Helper()
	command := exec.Command("go", arguments...)
	command.Dir = folder
	if told, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", arguments, err, told)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// until asks until the answer is as wanted. A program that has just been started may not listen yet.
func until(t *testing.T, within time.Duration, method, url, token string, wanted int) {
	t.Helper()
	for end := time.Now().Add(max(within, time.Second)); ; time.Sleep(20 * time.Millisecond) {
		request, err := http.NewRequest(method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		status := 0
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			status = answer.StatusCode
			answer.Body.Close()
		}
		if status == wanted {
			return
		}
		if (err == nil && within == 0) || time.Now().After(end.Add(5*time.Second)) {
			t.Fatalf("%s %s: %d instead of %d (%v)", method, url, status, wanted, err)
		}
	}
}
