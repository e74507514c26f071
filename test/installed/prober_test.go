package installed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Code that got to run where it should not: it reads whatever its user can read, and says which of the planted
// secrets it found. In the lab this binary is called as
//
//	prober scan    looks, and prints the names of what it found
//	prober hold    in a unit's place: waits for a sign, looks, and goes on running until another sign

const (
	probeDir  = "/run/prober"
	probeLook = probeDir + "/look"
	probeEnd  = probeDir + "/end"
)

// planted are the secrets by name; a probe looks for the text of each.
func planted() map[string]string {
	return map[string]string{
		"people": peopleSecret, "writer": writerSecret, "prover": proverSecret, "keeper": keeperSecret,
		"copier": copierSecret, "reader": readerSecret, "signing-key": "canary-signing-key", "age-identity": "canary-age-identity",
		"database-password": "canary-database-password", "alert-urls": "canary-alert-address",
		"heartbeat-url":     "canary-heartbeat-address",
		"environment's key": "canary-environment-token", "environment's password": "canary-environment-password",
		"environment's hook": "canary-environment-hook",
	}
}

func probe(args []string) int {
	if len(args) > 0 && args[0] == "hold" {
		waitFor(probeLook)
	}
	fmt.Println("found: " + strings.Join(scan(), ", "))
	if len(args) > 0 && args[0] == "hold" {
		waitFor(probeEnd)
	}
	return 0
}

func waitFor(file string) {
	for {
		if _, err := os.Stat(file); err == nil {
			return
		}
		time.Sleep(pace)
	}
}

// mostOfAFile bounds what is read of one: there are endless ones, and secrets are short.
const mostOfAFile = 64 << 10

// scan reads every file where secrets lie or come by, and what can be seen of every process.
func scan() []string {
	var texts [][]byte
	read := func(file string) {
		if f, err := os.Open(file); err == nil {
			text, _ := io.ReadAll(io.LimitReader(f, mostOfAFile))
			texts = append(texts, text)
			_ = f.Close()
		}
	}
	places := []string{"/etc/pgbtui", "/run/credentials", "/run/pgbtui", "/var/lib/pgbtui", "/root"}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		if comm, _ := os.ReadFile(process + "/comm"); strings.HasPrefix(string(comm), "s3server") {
			continue // its command line holds every key, and it is no part of pgbtui
		}
		read(process + "/environ")
		read(process + "/cmdline")
		places = append(places, process+"/root/run/credentials", process+"/root/etc/pgbtui")
	}
	for _, place := range places {
		_ = filepath.WalkDir(place, func(file string, _ fs.DirEntry, _ error) error { // what cannot be read is not
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				read(file)
			}
			return nil
		})
	}
	for _, line := range os.Environ() {
		texts = append(texts, []byte(line))
	}
	var names []string
	for name, secret := range planted() {
		if slices.ContainsFunc(texts, func(text []byte) bool { return bytes.Contains(text, []byte(secret)) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

var errStillLooking = errors.New("it is still looking")
