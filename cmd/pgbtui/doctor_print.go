package main

import (
	"fmt"
	"io"

	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

func printDoctor(to *streams, out jsonDoctor) error {
	if to.json {
		return to.printJSON(out)
	}
	for i := range out.Reports {
		writeFindings(&out.Reports[i], to.sayf)
	}
	return nil
}

// writeFindings says what was found for one job, the worst first. Of what is well, one line.
func writeFindings(r *doctor.Report, sayf func(format string, args ...any)) {
	switch {
	case r.Database == "" && r.Job == "":
		sayf("no job is configured\n")
	case r.Database == "":
		sayf("job %s\n", printable.Text(r.Job))
	default:
		sayf("job %s: database %s\n", printable.Text(r.Job), printable.Text(r.Database))
	}
	if r.UnitError != "" {
		sayf("  nothing was looked at from the unit: %s\n", printable.Text(r.UnitError))
	}
	for _, f := range r.Findings {
		sayf("  %-4s  %s: %s\n", f.Result, f.ID, printable.Text(f.Seen))
		if f.Other != nil {
			sayf("        from the %s it is otherwise, %s: %s\n", f.Other.From, f.Other.Result, printable.Text(f.Other.Seen))
		}
		if f.Result == doctor.OK {
			continue
		}
		sayf("        tried:  %s\n", printable.Text(f.Tried))
		sayf("        why:    %s\n", f.Why)
		if f.Remedy != "" {
			sayf("        remedy: %s\n", printable.Text(f.Remedy))
		}
		if f.Statement != nil {
			sayf("        %s\n", printable.Text(doctor.StatementText(f.Statement)))
		}
		sayf("        see:    %s\n", f.Docs)
	}
}

// sayTo writes lines as they are.
func sayTo(w io.Writer) func(format string, args ...any) {
	return func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
}
