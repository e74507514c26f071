package metrics

import (
	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// Copies are the samples of what the copies of a job's database have. One that could not be read has none.
func Copies(w Who, whose backup.Whose, places []*backup.AtCopy) (samples []Sample) {
	for _, p := range places {
		if p.Err != nil {
			continue
		}
		of := Label{Name: "copy", Value: p.Name}
		good := goodOnes(whose.Own(p.Sets))
		samples = append(samples, w.sample(copySets, float64(len(good)), of))
		if len(good) > 0 {
			samples = append(samples, w.sample(copyNewest, seconds(good[0].FinishedAt), of))
		}
	}
	return samples
}
