// Checks proofs of the audit log with the packages that Go's own checksum database is built on, in place of ours:
// golang.org/x/mod/sumdb/note opens checkpoints, golang.org/x/mod/sumdb/tlog checks inclusion and consistency. It answers each
// line of standard input with a line of JSON, as ../verify_audit.py does: `inclusion {"proof", "verifier"}` or
// `consistency {"old", "new", "hashes", "verifier"}`. What does not verify is answered with `false`.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type call struct {
	Proof, Verifier, Old, New string
	Hashes                    []string
}

// checkpoint is the size and the root, if the note is signed by the key.
func checkpoint(text, verifier string) (tlog.Tree, error) {
	known, err := note.NewVerifier(verifier)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(known))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != known.Name() || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func hashes(lines []string) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(lines))
	for at, line := range lines {
		var err error
		if all[at], err = tlog.ParseHash(line); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// inclusion answers the entry that the proof is about.
func inclusion(asked call) (any, error) {
	head, signed, found := strings.Cut(asked.Proof, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return nil, fmt.Errorf("not a proof")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return nil, err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return nil, err
	}
	path, err := hashes(lines[3:])
	if err != nil {
		return nil, err
	}
	tree, err := checkpoint(signed, asked.Verifier)
	if err != nil {
		return nil, err
	}
	if err := tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return nil, err
	}
	var told any
	err = json.Unmarshal(entry, &told)
	return told, err
}

func consistency(asked call) (any, error) {
	before, err := checkpoint(asked.Old, asked.Verifier)
	if err != nil {
		return nil, err
	}
	now, err := checkpoint(asked.New, asked.Verifier)
	if err != nil {
		return nil, err
	}
	path, err := hashes(asked.Hashes)
	if err != nil {
		return nil, err
	}
	return true, tlog.CheckTree(path, now.N, now.Hash, before.N, before.Hash)
}

func answer(command, body string) any {
	var asked call
	if json.Unmarshal([]byte(body), &asked) != nil {
		return false
	}
	check := map[string]func(call) (any, error){"inclusion": inclusion, "consistency": consistency}[command]
	if check == nil {
		return false
	}
	told, err := check(asked)
	if err != nil {
		fmt.Fprintln(os.Stderr, command+":", err)
		return false
	}
	return told
}

func main() {
	lines, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		command, body, _ := strings.Cut(lines.Text(), " ")
		if out.Encode(answer(command, body)) != nil {
			return
		}
	}
}
