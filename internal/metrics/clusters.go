package metrics

import (
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
)

// Cluster are the samples of a cluster of an instance. seen is what was written down of it, or nil. What is not known
// has no sample; how much would be lost now is known for as long as the look is new.
func Cluster(instance, name string, seen *record.Cluster, now time.Time) []Sample {
	of := func(metric string, value float64, more ...Label) Sample {
		labels := []Label{{Name: "backup_instance", Value: instance}, {Name: "cluster", Value: name}}
		return Sample{Metric: metric, Labels: append(labels, more...), Value: value}
	}
	all := []Sample{of(clusterInfo, 1)}
	if seen == nil {
		return all
	}
	all = append(all, of(clusterLooked, seconds(seen.At)), of(clusterRPO, float64(seen.RPOSeconds)))
	if seen.Error != nil {
		return all
	}
	if w, ok := seen.Newest(); ok {
		all = append(all, of(windowStart, seconds(w.After)), of(windowEnd, seconds(w.Until)))
	}
	all = append(all, of(clusterGaps, float64(len(seen.Gaps))))
	for _, b := range newestOfKinds(seen.Backups) {
		kind := Label{Name: "kind", Value: b.Kind}
		all = append(all, of(baseBackupAt, seconds(b.StoppedAt), kind), of(baseBackupBytes, float64(b.Bytes), kind),
			of(baseBackupStored, float64(b.StoredBytes), kind))
	}
	if seen.Old(now) {
		return all
	}
	all = append(all, of(readySegments, float64(seen.Ready)))
	if seen.Loss != nil {
		all = append(all, of(clusterLoss, float64(*seen.Loss)))
	}
	return all
}

// newestOfKinds are those that recovery can begin from, of each kind the last that was done.
func newestOfKinds(backups []record.BaseBackup) map[string]record.BaseBackup {
	newest := map[string]record.BaseBackup{}
	for _, b := range backups {
		if before, known := newest[b.Kind]; b.Usable && (!known || b.StoppedAt.After(before.StoppedAt)) {
			newest[b.Kind] = b
		}
	}
	return newest
}
