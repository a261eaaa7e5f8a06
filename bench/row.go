package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// accounts is how many rows the table has.
const accounts = 200_000

// statement is what every server runs, with its own placeholder in it.
const statement = "SELECT aid, bid, abalance, filler FROM bench_accounts WHERE aid = "

// schema makes the table. The values follow from aid, so that an answer can be checked without asking anybody.
const schema = `CREATE TABLE bench_accounts AS SELECT aid::int, (aid / 100000)::int AS bid, (aid * 7919 % 100003 - 50000)::int AS abalance,
	repeat(lpad(to_hex(aid * 2654435761 % 4294967296), 8, '0'), 10) AS filler FROM generate_series(1, 200000::bigint) AS aid;
ALTER TABLE bench_accounts ADD PRIMARY KEY (aid);
GRANT SELECT ON bench_accounts TO PUBLIC`

// row is what the table holds.
type row struct {
	AID      int    `json:"aid"`
	BID      int    `json:"bid"`
	Abalance int    `json:"abalance"`
	Filler   string `json:"filler"`
}

func rowOf(aid int) row {
	return row{aid, aid / 100_000, aid*7919%100_003 - 50_000, strings.Repeat(fmt.Sprintf("%08x", aid*2654435761%4294967296), 10)}
}

// checker checks the answers of one server. The first is read in full, and how the server writes each key is learned from
// it; the others are searched for every key with its value as a whole, which takes a fraction of the time.
type checker struct {
	learned bool
	places  []spelling // where the row stands in an answer: the text block, and the structured content if there is one
	want    []byte
}

// spelling is how a server writes a row in one place.
type spelling struct {
	quote string    // of strings
	keys  [4]string // each with everything up to its value
}

// check compares the answer to the call of this id with the row of aid.
func (c *checker) check(status int, body []byte, id, aid int) error {
	if !c.learned {
		if err := c.learn(status, body, id, aid); err != nil {
			return fmt.Errorf("%w: %d %.400s", err, status, body)
		}
		c.learned = true
		return nil
	}
	if status != 200 || !c.has(body, `"id":`, strconv.Itoa(id)) || bytes.Contains(body, []byte(`"isError":true`)) {
		return fmt.Errorf("the answer to call %d is another: %d %.400s", id, status, body)
	}
	r := rowOf(aid)
	for _, p := range c.places {
		values := [...]string{strconv.Itoa(r.AID), strconv.Itoa(r.BID), strconv.Itoa(r.Abalance), p.quote + r.Filler + p.quote}
		for i, v := range values {
			if !c.has(body, p.keys[i], v) {
				return fmt.Errorf("%s%s is missing in the answer for %d: %.400s", p.keys[i], v, aid, body)
			}
		}
	}
	return nil
}

// has reports whether key and value stand there, with nothing that goes on with the value.
func (c *checker) has(body []byte, key, value string) bool {
	c.want = append(append(c.want[:0], key...), value...)
	i := bytes.Index(body, c.want)
	if i < 0 || i+len(c.want) >= len(body) {
		return false
	}
	next := body[i+len(c.want)]
	return next == ',' || next == '}' || next == ' '
}

// learn reads an answer in full.
func (c *checker) learn(status int, body []byte, id, aid int) error {
	var m struct {
		ID     int `json:"id"`
		Result struct {
			IsError    bool `json:"isError"`
			Structured *struct {
				Rows []row `json:"rows"`
			} `json:"structuredContent"`
			Content []struct {
				Type, Text string
			} `json:"content"`
		} `json:"result"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return err
	}
	if status != 200 || m.ID != id || m.Result.IsError || len(m.Result.Content) != 1 || m.Result.Content[0].Type != "text" {
		return errors.New("not a result with one text")
	}
	rows, err := textRows(m.Result.Content[0].Text)
	if err != nil {
		return err
	}
	if s := m.Result.Structured; s != nil && (len(s.Rows) != 1 || s.Rows[0] != rowOf(aid)) {
		return errors.New("the structured content is not the row")
	}
	if len(rows) != 1 || rows[0] != rowOf(aid) {
		return errors.New("the text is not the row")
	}
	if err := c.place(body, `\"`); err != nil {
		return err
	}
	if m.Result.Structured != nil {
		return c.place(body, `"`)
	}
	return nil
}

// textRows reads the text block: rows, one row, or an object with rows.
func textRows(text string) ([]row, error) {
	switch {
	case strings.HasPrefix(text, "["):
		var rows []row
		err := json.Unmarshal([]byte(text), &rows)
		return rows, err
	case strings.HasPrefix(text, `{"rows":`):
		var all struct{ Rows []row }
		err := json.Unmarshal([]byte(text), &all)
		return all.Rows, err
	}
	var one row
	err := json.Unmarshal([]byte(text), &one)
	return []row{one}, err
}

// place finds how the server writes the keys where quotes look like quote.
func (c *checker) place(body []byte, quote string) error {
	p := spelling{quote: quote}
	for i, name := range []string{"aid", "bid", "abalance", "filler"} {
		key := quote + name + quote + ":"
		at := bytes.Index(body, []byte(key))
		if at < 0 {
			return fmt.Errorf("there is no %s", key)
		}
		if end := at + len(key); end < len(body) && body[end] == ' ' {
			key += " "
		}
		p.keys[i] = key
	}
	c.places = append(c.places, p)
	return nil
}
