// Package docs holds the documentation to the program: every example in README.md, CONTRIBUTING.md
// and docs/ is run, loaded or parsed, every table that repeats what the code says is compared with
// the code, every link between pages leads somewhere.
//
// How an example is run follows from its fence and the HTML comments right before it:
//
//	sh      run in the lab, in document order, by root; `<!-- as: NAME -->` by that user.
//	        `<!-- exits: CODE -->` says how it ends, if not with 0.
//	        `<!-- not run: REASON -->` leaves a block out; such blocks are listed, and few.
//	        `<!-- script: FILE -->`: a script of cmd/pgbtui/testdata/script runs the same calls.
//	yaml    loaded by internal/config. With `<!-- file: PATH OWNER:GROUP MODE -->` also put there
//	        in the lab, before the sh blocks that follow. `<!-- profile: NAME -->` is a file of packaging/profiles.
//	ini     a unit file or drop-in: must have a file comment.
//	json    parsed; policies are held against what internal/s3 really calls.
//	sql     run on a PostgreSQL server, in document order.
//	text    shown only; holds no commands.
//
// What a reader would replace (a bucket's endpoint, the ID of a set) the tests replace too: by the
// one table in substitutions_test.go.
package docs
