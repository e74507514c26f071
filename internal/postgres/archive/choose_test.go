package archive

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// contentsOf makes entries from lines "id kind namespace tag deps", as pg_dump 15 writes them; words of a
// kind are joined by underscores.
func contentsOf(lines string) *Archive {
	a := &Archive{}
	for line := range strings.Lines(lines) {
		var e Entry
		var deps string
		if n, _ := fmt.Sscan(line, &e.DumpID, &e.Desc, &e.Namespace, &e.Tag, &deps); n == 0 {
			continue
		}
		e.Desc, e.Tag = strings.ReplaceAll(e.Desc, "_", " "), strings.ReplaceAll(e.Tag, "_", " ")
		if e.Namespace == "-" {
			e.Namespace = ""
		}
		for _, d := range strings.Split(deps, ",") {
			var id int
			if _, err := fmt.Sscan(d, &id); err == nil {
				e.Deps = append(e.Deps, id)
			}
		}
		a.Entries = append(a.Entries, e)
	}
	return a
}

const shopTOC = `
1 ENCODING - ENCODING
2 DATABASE - shop
3 COMMENT - DATABASE_shop 2
7 SCHEMA - sales
8 EXTENSION - citext
9 COMMENT - EXTENSION_citext 8
10 ACL - SCHEMA_sales 7
11 ACL - SCHEMA_public 99
20 FUNCTION public f()
21 TYPE public mood
30 TABLE sales customers 21,7,8
31 TABLE public kid 21,30,8
32 TABLE public m
33 TABLE public m1 32
34 TABLE sales orders 7
35 ACL sales TABLE_orders 34
36 COMMENT sales COLUMN_orders.at 34
37 MATERIALIZED_VIEW public mv 34
38 SEQUENCE sales customers_id_seq 30,7
39 SEQUENCE_OWNED_BY sales customers_id_seq 38
40 SEQUENCE sales orders_id_seq 7,34
41 VIEW sales v 34,7
42 TABLE_ATTACH public m1 33,32
43 DEFAULT public kid_id 31,38
44 DEFAULT sales customers_id 38,30
45 BLOB - 16500
46 ACL - LARGE_OBJECT_16500 45
50 TABLE_DATA public kid 31
51 TABLE_DATA public m1 33
52 TABLE_DATA sales customers 30
53 TABLE_DATA sales orders 34
54 SEQUENCE_SET sales customers_id_seq 38
55 SEQUENCE_SET sales orders_id_seq 40
56 BLOBS - BLOBS
60 CONSTRAINT public m_m_pkey 32
61 CONSTRAINT public m1_m1_pkey 60,33
62 CONSTRAINT sales customers_customers_pkey 30
63 CONSTRAINT sales orders_orders_pkey 34
64 INDEX sales orders_at_idx 34
65 INDEX_ATTACH public m1_pkey 61,60,33,32
66 TRIGGER sales orders_tr 20,34
67 FK_CONSTRAINT sales orders_orders_c_fkey 34,30,62
68 ROW_SECURITY sales orders 34
69 PUBLICATION - pub
70 PUBLICATION_TABLE sales pub_orders 34,69
71 DEFAULT_ACL sales DEFAULT_PRIVILEGES_FOR_TABLES 7
72 MATERIALIZED_VIEW_DATA public mv 37,98
73 POLICY sales orders_sees_customers 34,30
`

func ids(entries []Entry) (list []int) {
	for _, e := range entries {
		list = append(list, e.DumpID)
	}
	return list
}

func TestWhatComesWithAChosenTableAndWhatIsLeftOut(t *testing.T) {
	a := contentsOf(shopTOC)
	entry := func(id int) Entry {
		return a.Entries[slices.IndexFunc(a.Entries, func(e Entry) bool { return e.DumpID == id })]
	}
	for name, c := range map[string]struct {
		asked   []Entry
		all     []int
		brought []int
		left    []int
	}{
		"a table": {
			[]Entry{entry(34)},
			[]int{7, 10, 20, 34, 35, 36, 40, 53, 55, 63, 64, 66, 68},
			[]int{7, 20},
			[]int{37, 41, 67, 70, 73},
		},
		"both sides of a foreign key": {
			[]Entry{entry(34), entry(30)},
			[]int{7, 8, 9, 10, 20, 21, 30, 34, 35, 36, 38, 39, 40, 44, 52, 53, 54, 55, 62, 63, 64, 66, 67, 68, 73},
			[]int{7, 8, 20, 21},
			[]int{31, 37, 41, 70},
		},
		"a child by inheritance, whose parent and sequence come bare": {
			[]Entry{entry(31)},
			[]int{7, 8, 9, 10, 21, 30, 31, 38, 39, 43, 50, 54},
			[]int{7, 8, 21, 30, 38},
			nil,
		},
		"a partitioned table, with its partitions": {
			[]Entry{entry(32)},
			[]int{32, 33, 42, 51, 60, 61, 65},
			nil, nil,
		},
		"one partition, whose parent comes bare": {
			[]Entry{entry(33)},
			[]int{32, 33, 42, 51, 60, 61, 65},
			[]int{32, 60},
			nil,
		},
		"a materialized view, which stays empty": {
			[]Entry{entry(37)},
			[]int{7, 10, 34, 35, 36, 37},
			[]int{7, 34},
			[]int{72},
		},
		"a materialized view with its table": {
			[]Entry{entry(37), entry(34)},
			[]int{7, 10, 20, 34, 35, 36, 37, 40, 53, 55, 63, 64, 66, 68, 72},
			[]int{7, 20},
			[]int{41, 67, 70, 73},
		},
		"a schema": {
			a.InSchema("sales"),
			[]int{7, 8, 9, 10, 20, 21, 30, 34, 35, 36, 38, 39, 40, 41, 44, 52, 53, 54, 55, 62, 63, 64, 66, 67, 68, 71, 73},
			[]int{8, 20, 21},
			[]int{31, 37, 70},
		},
	} {
		got := a.Choose(c.asked, Choosing{})
		if !slices.Equal(got.IDs, c.all) || !slices.Equal(ids(got.Brought), c.brought) || !slices.Equal(ids(got.LeftOut), c.left) {
			t.Errorf("%s:\n%v, want %v\nbrought %v, want %v\nleft out %v, want %v", name, got.IDs, c.all, ids(got.Brought), c.brought, ids(got.LeftOut), c.left)
		}
	}
}

func TestEverythingIsAllButTheDatabaseItselfAndLargeObjects(t *testing.T) {
	a := contentsOf(shopTOC)
	got := a.Choose(a.Everything(), Choosing{})
	var want []int
	for _, e := range a.Entries {
		if !slices.Contains([]int{1, 2, 3, 45, 46, 56}, e.DumpID) {
			want = append(want, e.DumpID)
		}
	}
	if !slices.Equal(got.IDs, want) || len(got.LeftOut) != 0 {
		t.Errorf("%v, left out %v; want %v", got.IDs, ids(got.LeftOut), want)
	}
	if public := a.InSchema("public"); !slices.Contains(ids(public), 11) || slices.Contains(ids(public), 33+100) {
		t.Errorf("the schema public has %v", ids(public))
	}
	if blocks := got.Of("TABLE DATA"); !slices.Equal(blocks, []int{50, 51, 52, 53}) {
		t.Errorf("blocks %v", blocks)
	}
}

// Dependencies that form a circle must not make the choice run for ever.
func TestACircleOfDependenciesEnds(t *testing.T) {
	a := contentsOf("1 TABLE public a 2\n2 TABLE public b 1\n3 TABLE_DATA public a 1\n")
	if got := a.Choose(a.Entries[:1], Choosing{}); !slices.Equal(got.IDs, []int{1, 2, 3}) {
		t.Errorf("%v", got.IDs)
	}
}
