package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// What is known of clusters: by a look of one's own, or by what the unit of the owner of the server's files has written
// down.

// lookWithin bounds the look at one cluster, so that one that hangs does not hide the others.
const lookWithin = 10 * time.Minute

// writeDown looks at every cluster and writes down what was found, errors too. What is wrong with a cluster is told by
// the watch, which reads it.
func (o *clusterOptions) writeDown(ctx context.Context, clusters []config.Cluster, name string) error {
	switch {
	case name != "":
		return usageText("--record is for all clusters: leave " + name + " out")
	case len(clusters) == 0:
		_, err := (&config.Config{File: o.env.configFile}).Cluster("")
		return err
	}
	out := jsonClusters{Schema: jsonSchema, OK: true, Clusters: []jsonCluster{}}
	for _, one := range clusters {
		state, err := lookInTime(ctx, one, o.env.now())
		if ctx.Err() != nil {
			return err
		}
		out.OK = out.OK && state.OK
		out.Clusters = append(out.Clusters, state)
	}
	dir := cmp.Or(o.env.records, o.env.getenv("STATE_DIRECTORY"), record.DefaultDir)
	if err := record.Write(dir, out.Clusters); err != nil {
		return err
	}
	if o.json {
		return o.printJSON(out)
	}
	for _, c := range out.Clusters {
		sayCluster(o.streams, c, o.env.now())
	}
	return nil
}

func lookInTime(ctx context.Context, c config.Cluster, now time.Time) (jsonCluster, error) {
	within, cancel := context.WithTimeoutCause(ctx, lookWithin,
		fault.New(fault.Unavailable, fmt.Sprintf("cluster %s: nothing was found out within %s", c.Name, lookWithin),
			"Look at the server and at the store: one of them does not answer.", nil))
	defer cancel()
	state, _, err := lookAtCluster(within, c, now)
	if cause := context.Cause(within); err != nil && cause != nil && ctx.Err() == nil {
		said := asFault(cause)
		state.Error = &said
	}
	return state, err
}

// knownClusters is what is known to a user who may look, and to one who may only read.
type knownClusters struct {
	see func(context.Context, config.Cluster, time.Time) (jsonCluster, bool, error)
	dir string
	all []record.Cluster // once it was read
	err error
}

// look is the state of one: by a look where this user may, else by what was written down. The note says what is missing
// of that.
func (k *knownClusters) look(ctx context.Context, c config.Cluster, now time.Time) (jsonCluster, string, error) {
	state, reached, err := k.see(ctx, c, now)
	if reached || fault.CodeOf(err) != fault.NotPermitted {
		return state, "", err
	}
	if k.all == nil && k.err == nil {
		k.all, k.err = record.Read(k.dir)
	}
	written, known := record.Of(k.all, c.Name)
	switch {
	case k.err != nil && fault.CodeOf(k.err) != fault.NotFound:
		return state, "", k.err
	case !known:
		return state, "", err
	case written.Old(now):
		note := fmt.Sprintf("what is known of cluster %s is %s old: look at postgres-pitr-status.service and its timer",
			c.Name, readable.Age(now.Sub(written.At)))
		return written, note, nil
	}
	return written, "", nil
}
