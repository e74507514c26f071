package seed

import (
	"bufio"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"strconv"
	"time"
)

// The rows that make up the size, in COPY's text format.

// table is one COPY: its target with columns, and the rows.
type table struct {
	target string
	rows   int64
	row    func(line []byte, source *rand.Rand, i int64) []byte
}

func (t table) write(w io.Writer, source *rand.Rand) error {
	buffered := bufio.NewWriterSize(w, 1<<18)
	line := make([]byte, 0, 2048)
	for i := range t.rows {
		line = append(t.row(line[:0], source, i), '\n')
		if _, err := buffered.Write(line); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// tables divides the size: each row's weight is what it takes in heap and indexes, as measured on
// PostgreSQL 15.
func tables(sizeBytes int64) []table {
	part := func(percent, weight int64) int64 { return max(sizeBytes/100*percent/weight, 400) }
	customers, products := part(10, 310), part(8, 1650)
	orders := part(17, 205)
	lines := part(25, 115)
	perOrder := max(lines/orders, 1)
	return []table{
		{"sales.customers (email, full_name, home, tags, newsletter, signed_up, note)", customers, customer},
		{"catalog.products (sku, name, description, attributes, price, colours)", products, product},
		{"sales.orders (id, placed_at, customer_id, state, ship_to, total, comment)", orders, order(customers)},
		{"sales.order_lines (order_id, line_no, product_id, quantity, unit_price, remark)", orders * perOrder, orderLine(perOrder, products)},
		{"audit.events (at, kind, actor, client, payload, fingerprint)", part(40, 360), event(customers)},
	}
}

func customer(b []byte, r *rand.Rand, i int64) []byte {
	first, last := pick(r, firstNames), pick(r, lastNames)
	b = append(b, first...)
	b = append(b, '.')
	b = append(b, last...)
	b = strconv.AppendInt(b, i, 10)
	b = append(b, "@example."...)
	b = append(b, pick(r, []string{"com", "org", "net"})...)
	b = append(b, '\t')
	b = append(b, first...)
	b = append(b, ' ')
	b = append(b, last...)
	b = address(append(b, '\t'), r)
	b = append(b, "\t\"source\"=>\""...)
	b = append(b, pick(r, nouns)...)
	b = append(b, "\", \"score\"=>\""...)
	b = strconv.AppendInt(b, r.Int64N(100), 10)
	b = append(b, "\"\t"...)
	b = strconv.AppendBool(b, r.IntN(3) == 0)
	b = stamp(append(b, '\t'), 1500000000+i*37%300000000)
	if r.IntN(3) > 0 {
		return append(b, "\t\\N"...)
	}
	return sentence(append(b, '\t'), r, 14)
}

func product(b []byte, r *rand.Rand, i int64) []byte {
	b = append(b, 'A'+byte(i/26%26), 'A'+byte(i%26), 'A'+byte(r.IntN(26)), '-')
	b = padded(b, i, 6)
	b = append(b, '\t')
	b = append(append(append(b, pick(r, adjectives)...), ' '), pick(r, nouns)...)
	b = sentence(append(b, '\t'), r, 60)
	b = append(b, "\t{\"weight\": "...)
	b = strconv.AppendInt(b, 10+r.Int64N(9000), 10)
	b = append(b, ", \"material\": \""...)
	b = append(b, pick(r, nouns)...)
	b = append(b, "\", \"dimensions\": ["...)
	b = strconv.AppendInt(b, r.Int64N(300), 10)
	b = append(b, ", "...)
	b = strconv.AppendInt(b, r.Int64N(300), 10)
	b = append(b, "]}\t"...)
	b = price(b, r)
	b = append(b, "\t{"...)
	b = append(append(append(b, pick(r, adjectives)...), ','), pick(r, adjectives)...)
	return append(b, '}')
}

// firstOrder is 2024-01-01; orders spread evenly over three years.
const firstOrder, orderSpan = 1704067200, 3 * 365 * 86400

func order(customers int64) func([]byte, *rand.Rand, int64) []byte {
	return func(b []byte, r *rand.Rand, i int64) []byte {
		b = strconv.AppendInt(b, i+1, 10)
		b = stamp(append(b, '\t'), firstOrder+r.Int64N(orderSpan))
		b = strconv.AppendInt(append(b, '\t'), 1000+r.Int64N(customers), 10)
		b = append(b, '\t')
		b = append(b, pick(r, []string{"draft", "placed", "paid", "shipped", "shipped", "shipped", "returned"})...)
		b = address(append(b, '\t'), r)
		b = price(append(b, '\t'), r)
		if r.IntN(8) > 0 {
			return append(b, "\t\\N"...)
		}
		b = sentence(append(b, '\t'), r, 8)
		return sentence(append(b, `\n`...), r, 5)
	}
}

func orderLine(perOrder, products int64) func([]byte, *rand.Rand, int64) []byte {
	return func(b []byte, r *rand.Rand, i int64) []byte {
		b = strconv.AppendInt(b, 1+i/perOrder, 10)
		b = strconv.AppendInt(append(b, '\t'), 1+i%perOrder, 10)
		b = strconv.AppendInt(append(b, '\t'), 1+r.Int64N(products), 10)
		b = strconv.AppendInt(append(b, '\t'), 1+r.Int64N(9), 10)
		b = price(append(b, '\t'), r)
		if r.IntN(4) > 0 {
			return append(b, "\t\\N"...)
		}
		return sentence(append(b, '\t'), r, 6)
	}
}

func event(customers int64) func([]byte, *rand.Rand, int64) []byte {
	kinds := []string{"login", "logout", "insert", "update", "update", "delete", "export", "print"}
	return func(b []byte, r *rand.Rand, i int64) []byte {
		b = stamp(b, firstOrder+i/4)
		b = append(append(b, '\t'), pick(r, kinds)...)
		b = append(append(b, '\t'), pick(r, firstNames)...)
		b = append(b, "\t10."...)
		for n := range 3 {
			if n > 0 {
				b = append(b, '.')
			}
			b = strconv.AppendInt(b, r.Int64N(255), 10)
		}
		b = append(b, "\t{\"customer\": "...)
		b = strconv.AppendInt(b, 1000+r.Int64N(customers), 10)
		b = append(b, ", \"agent\": \"Mozilla/5.0 (X11; Linux x86_64) Shop/"...)
		b = strconv.AppendInt(b, r.Int64N(40), 10)
		b = append(b, "\", \"path\": \"/"...)
		b = append(append(append(b, pick(r, nouns)...), '/'), pick(r, nouns)...)
		b = append(b, "\", \"took_ms\": "...)
		b = strconv.AppendInt(b, r.Int64N(5000), 10)
		b = append(b, ", \"text\": \""...)
		b = sentence(b, r, 9)
		b = append(b, "\"}\t\\\\x"...)
		return hex.AppendEncode(b, word(r))
	}
}

func address(b []byte, r *rand.Rand) []byte {
	b = append(b, "(\""...)
	b = append(append(b, pick(r, lastNames)...), " Street "...)
	b = strconv.AppendInt(b, 1+r.Int64N(200), 10)
	b = append(b, "\","...)
	b = padded(b, r.Int64N(100000), 5)
	b = append(append(b, ','), pick(r, cities)...)
	return append(append(append(b, ','), pick(r, []string{"DE", "FR", "PL", "NL", "CH"})...), ')')
}

func sentence(b []byte, r *rand.Rand, words int) []byte {
	for n := range words {
		if n > 0 {
			b = append(b, ' ')
		}
		switch n % 3 {
		case 0:
			b = append(b, pick(r, adjectives)...)
		case 1:
			b = append(b, pick(r, nouns)...)
		default:
			b = append(b, pick(r, verbs)...)
		}
	}
	return b
}

func price(b []byte, r *rand.Rand) []byte {
	b = strconv.AppendInt(b, r.Int64N(900), 10)
	return padded(append(b, '.'), r.Int64N(100), 2)
}

func stamp(b []byte, unix int64) []byte {
	return time.Unix(unix, 0).UTC().AppendFormat(b, "2006-01-02 15:04:05Z")
}

func padded(b []byte, n int64, width int) []byte {
	digits := strconv.FormatInt(n, 10)
	for range width - len(digits) {
		b = append(b, '0')
	}
	return append(b, digits[max(0, len(digits)-width):]...)
}

// word is eight bytes that do not compress, as hashes and keys in real tables do not.
func word(r *rand.Rand) []byte {
	n := r.Uint64()
	return []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), byte(n >> 32), byte(n >> 40), byte(n >> 48), byte(n >> 56)}
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }
