package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Passed are the variables of an environment file that this program hands on rather than reads:
// libpq's and the AWS SDK's. Units get them from systemd; for every other call the caller sets
// those that its own environment lacks.
func Passed(file string) (map[string]string, error) {
	vars, err := readEnvFile(file)
	if err != nil {
		return nil, err
	}
	passed := map[string]string{}
	for name, v := range vars {
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "PG") {
			passed[name] = v.value
		}
	}
	return passed, nil
}

// variableName is what a process can have in its environment, and a shell can set.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// EnvironmentOf are the variables of somebody else's environment file, as NAME=value, for the program that the file is
// for. Lines may begin with export, as shells take them.
func EnvironmentOf(file string) (env []string, err error) {
	if err := refuseWritable(file); err != nil {
		return nil, err
	}
	raw, err := bounded.ReadFile(file, bounded.File)
	if err != nil {
		return nil, fault.New(fault.Config, "config: read "+file, "", err)
	}
	var lines []string
	for line := range strings.SplitSeq(string(raw), "\n") {
		line = strings.TrimSpace(line)
		lines = append(lines, strings.TrimPrefix(line, "export "))
	}
	vars, err := parseEnvFile(file, strings.Join(lines, "\n"))
	if err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(vars) {
		if !variableName.MatchString(name) || strings.Contains(vars[name].value, "\x00") {
			return nil, fault.New(fault.Config, fmt.Sprintf("config: %s:%d: not NAME=value", file, vars[name].line), "", nil)
		}
		env = append(env, name+"="+vars[name].value)
	}
	return env, nil
}

// variable is what an environment file sets, and in which line.
type variable struct {
	value string
	line  int
}

// readEnvFile reads the subset of systemd.exec(5)'s EnvironmentFile= syntax that people use:
// NAME=value lines, comments, values in single or double quotes. A missing or unreadable file
// is empty: units read it as root, an operator may not be allowed to.
func readEnvFile(file string) (map[string]variable, error) {
	if err := refuseWritable(file); err != nil {
		return nil, err
	}
	raw, err := bounded.ReadFile(file, bounded.File)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return map[string]variable{}, nil
	}
	if err != nil {
		return nil, fault.New(fault.Config, "config: read "+file, "", err)
	}
	return parseEnvFile(file, string(raw))
}

func parseEnvFile(file, text string) (map[string]variable, error) {
	vars := map[string]variable{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, fault.New(fault.Config, fmt.Sprintf("config: %s:%d: not NAME=value", file, i+1), "", nil)
		}
		vars[name] = variable{value: unquote(strings.TrimSpace(value)), line: i + 1}
	}
	return vars, nil
}

func unquote(v string) string {
	if len(v) >= 2 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
		return v[1 : len(v)-1]
	}
	return v
}
