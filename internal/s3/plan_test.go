package s3

import (
	"testing"

	"pgregory.net/rapid"
)

const largestObject = 5 << 40 // "Amazon S3 multipart upload limits"

func (p plan) capacity(parts int64) (sum int64) {
	for n := int64(1); n <= parts && sum < 1<<60; n++ {
		sum += p.size(n)
	}
	return sum
}

func TestPlanHoldsWhatWasExpectedInEqualParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expected := rapid.Int64Range(0, largestObject).Draw(t, "expected")
		parts := rapid.SampledFrom([]int{1000, 10_000}).Draw(t, "parts")
		p := newPlan(expected, defaultPartSize, 8<<30, parts)
		if p.base < defaultPartSize || p.base*p.planned() < expected {
			t.Fatalf("%+v cannot hold %d bytes in %d equal parts", p, expected, p.planned())
		}
		for n := int64(2); n <= p.parts; n++ {
			if p.size(n) < p.size(n-1) || p.size(n) > p.largest {
				t.Fatalf("part %d of %+v has %d bytes after %d", n, p, p.size(n), p.size(n-1))
			}
		}
	})
}

func TestPlanReachesTheLargestObjectWithoutAnyExpectation(t *testing.T) {
	p := newPlan(0, defaultPartSize, largestPart, defaultMaxParts)
	if got := p.capacity(p.parts); got < largestObject {
		t.Errorf("10,000 parts hold %d bytes only", got)
	}
}

func TestPlanKeepsSmallDatabasesAtTheSmallestPart(t *testing.T) {
	if p := newPlan(20<<20, defaultPartSize, largestPart, defaultMaxParts); p.base != defaultPartSize {
		t.Errorf("a database of 20 MiB gets parts of %d bytes", p.base)
	}
}
