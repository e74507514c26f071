package metrics

import (
	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/price"
)

// Sets are the samples of what the bucket holds for a job, of all sets of its database, newest first. What is not
// there has no sample: no good set means no time of one. prices are the configuration's own, nil where it has none.
func Sets(job config.Job, all []backup.Set, prices *price.Table) Group {
	w := WhoOf(job)
	whose := backup.WhoseOf(job)
	own := whose.Of(all)
	g := Group{Part: PartSets, Job: job.Title(), Of: w}
	g.Samples = append(g.Samples, counted(w, own)...)
	good := goodOnes(own)
	if len(good) > 0 {
		g.Samples = append(g.Samples, newest(w, good[0], all)...)
		g.Samples = append(g.Samples, w.sample(oldestSet, seconds(good[len(good)-1].FinishedAt)))
	}
	for _, level := range []backup.Level{backup.LevelReadable, backup.LevelRestored} {
		if at := backup.LastProof(own, level); !at.IsZero() {
			g.Samples = append(g.Samples, w.sample(provenAt, seconds(at), Label{Name: "level", Value: level.String()}))
		}
	}
	at := price.Place{Region: job.S3.Region, Endpoint: job.S3.Endpoint, Own: prices}
	if usd, known := cost(own, at); known {
		g.Samples = append(g.Samples, w.sample(monthlyCost, usd))
	}
	return g
}

func goodOnes(own []backup.Set) (good []*backup.Set) {
	for i := range own {
		if own[i].Kind == backup.KindNative && own[i].Good() {
			good = append(good, &own[i])
		}
	}
	return good
}

// newest are the samples of the newest good set.
func newest(w Who, set *backup.Set, all []backup.Set) []Sample {
	m := set.Manifest
	samples := []Sample{
		w.sample(lastSuccess, seconds(set.FinishedAt)),
		w.sample(rawBytes, float64(m.RawBytes())),
		w.sample(storedBytes, float64(m.StoredBytes())),
	}
	took := map[backup.Stage]float64{}
	for _, s := range m.Stages {
		took[s.Stage] += s.Seconds
	}
	for stage, seconds := range took {
		samples = append(samples, w.sample(stageDuration, seconds, Label{Name: "stage", Value: string(stage)}))
	}
	if e, ok := backup.RestoreTime(all, set); ok {
		samples = append(samples, w.sample(restoreTook, e.Duration.Seconds()))
	}
	return samples
}

// counted are the samples of how many sets there are. Each state has one, also with 0: a series that comes and goes
// cannot be compared with before.
func counted(w Who, own []backup.Set) []Sample {
	states := []string{"good", "bad", "incomplete", "legacy"}
	n := map[string]float64{}
	leftover := int64(0)
	for i := range own {
		s := &own[i]
		switch {
		case s.Kind == backup.KindIncomplete:
			n["incomplete"]++
			leftover += s.StoredSize
		case s.Kind == backup.KindLegacy:
			n["legacy"]++
		case s.Good():
			n["good"]++
		default:
			n["bad"]++
		}
	}
	samples := []Sample{w.sample(leftoverBytes, float64(leftover))}
	for _, state := range states {
		samples = append(samples, w.sample(sets, n[state], Label{Name: "state", Value: state}))
	}
	return samples
}

// cost is known where the price of every set is.
func cost(own []backup.Set, at price.Place) (usd float64, known bool) {
	for i := range own {
		one, ok := at.Month(own[i].Class, own[i].StoredSize)
		if !ok {
			return 0, false
		}
		usd += one
	}
	return usd, len(own) > 0
}
