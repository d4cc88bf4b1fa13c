// Checks what proofs.c writes with golang.org/x/mod/sumdb: tlog for proofs, note for checkpoints. usage: go run check.go FOLDER
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var accepted, refused, wrong int

func count(good, holds bool, what string) {
	switch {
	case good != holds:
		wrong++
		fmt.Println("# wrong:", what)
	case good:
		accepted++
	default:
		refused++
	}
}

func bytes(text string) []byte {
	if text == "-" {
		return nil
	}
	out, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return out
}

func hash(text string) (out tlog.Hash) {
	copy(out[:], bytes(text))
	return out
}

func number(text string) int64 {
	out, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return out
}

func lines(path string, each func(words []string, line string)) {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		each(strings.Split(scanner.Text(), " "), scanner.Text())
	}
	if scanner.Err() != nil {
		panic(scanner.Err())
	}
}

func main() {
	folder := os.Args[1]
	lines(folder+"/proofs", func(words []string, line string) {
		var path []tlog.Hash
		if words[6] != "-" {
			for _, one := range strings.Split(words[6], ",") {
				path = append(path, hash(one))
			}
		}
		var err error
		if words[0] == "leaf" {
			err = tlog.CheckRecord(path, number(words[3]), hash(words[5]), number(words[2]), tlog.RecordHash(bytes(words[4])))
		} else {
			err = tlog.CheckTree(path, number(words[3]), hash(words[5]), number(words[2]), hash(words[4]))
		}
		count(words[1] == "good", err == nil, line)
	})
	lines(folder+"/notes", func(words []string, line string) {
		message, err := os.ReadFile(folder + "/" + words[1])
		if err != nil {
			panic(err)
		}
		verifier, err := note.NewVerifier(words[2])
		if err != nil {
			panic(err)
		}
		opened, err := note.Open(message, note.VerifierList(verifier))
		holds := err == nil
		if holds {
			tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + strings.Join(strings.Split(opened.Text, "\n")[1:], "\n")))
			holds = err == nil && tree.N >= 0
		}
		count(words[0] == "good", holds, line)
	})
	fmt.Println(accepted, refused, wrong)
}
