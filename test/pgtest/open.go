package pgtest

import "errors"

// Open runs a server for a program that is no test, such as a benchmark. The caller closes it.
func Open(o Options) (*Server, error) {
	if o.BinDir == "" {
		if o.BinDir = findBinDir(); o.BinDir == "" {
			return nil, errors.New("pgtest: no PostgreSQL server on this machine: initdb is neither below /usr/lib/postgresql nor on PATH")
		}
	}
	return start(o)
}

// Close ends a server of Open and removes its files.
func (s *Server) Close() { s.destroy() }
