package main

import (
	"errors"
	"strconv"
)

// jobsValue is --jobs: a number of sessions, or 0 for auto.
type jobsValue int

var errJobs = errors.New("it is auto, or 1 to 64")

func (j *jobsValue) String() string {
	if *j == 0 {
		return "auto"
	}
	return strconv.Itoa(int(*j))
}

// Type is what pflag shows where the usage names nothing.
func (j *jobsValue) Type() string { return "number" }

// Set takes what was typed.
func (j *jobsValue) Set(text string) error {
	if text == "auto" {
		*j = 0
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 64 {
		return errJobs
	}
	*j = jobsValue(n)
	return nil
}
