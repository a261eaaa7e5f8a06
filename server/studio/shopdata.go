package studio

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// The size of the sample shop: about 2,000 rows in four tables.
const (
	shopCustomers = 120
	shopOrders    = 600
	shopDays      = 365 // orders lie within so many days before today
	shopSeed      = 2026
)

func shopCategories() []string {
	return []string{"books", "garden", "home", "kitchen", "office", "sports"}
}

func shopStatuses() []string { return []string{"pending", "paid", "shipped", "delivered", "cancelled"} }

const shopSchema = `
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, city TEXT NOT NULL, country TEXT NOT NULL, joined_on DATE NOT NULL);
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, category TEXT NOT NULL, price REAL NOT NULL, stock INTEGER NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), status TEXT NOT NULL, ordered_on DATE NOT NULL);
CREATE TABLE order_items (order_id INTEGER NOT NULL REFERENCES orders(id), product_id INTEGER NOT NULL REFERENCES products(id), quantity INTEGER NOT NULL, unit_price REAL NOT NULL, PRIMARY KEY (order_id, product_id));
CREATE INDEX orders_customer ON orders(customer_id);
CREATE INDEX order_items_product ON order_items(product_id);
`

// buildShop writes the sample's database, or leaves the one that is there. It is written beside and moved into place, so a half one
// never stands under the name.
func buildShop(ctx context.Context, dir string, now time.Time) error {
	path := filepath.Join(dir, shopFile)
	if _, err := os.Lstat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the sample database: %w", err)
	}
	part, err := os.CreateTemp(dir, ".sample-*.part")
	if err != nil {
		return fmt.Errorf("make the sample database: %w", err)
	}
	name := part.Name()
	defer os.Remove(name) // gone already when all went well
	if err := part.Close(); err != nil {
		return fmt.Errorf("make the sample database: %w", err)
	}
	if err := fillShop(ctx, name, now); err != nil {
		return fmt.Errorf("fill the sample database: %w", err)
	}
	// Whoever may read the directory may read the sample: when the studio runs as root, children have a user and a group of their own.
	around, err := os.Stat(dir)
	if err == nil {
		err = os.Chmod(name, 0o600|around.Mode().Perm()&0o044)
	}
	if err != nil {
		return fmt.Errorf("make the sample database: %w", err)
	}
	if err := os.Rename(name, path); err != nil {
		return fmt.Errorf("make the sample database: %w", err)
	}
	return nil
}

func removeShop(dir string) error {
	err := os.Remove(filepath.Join(dir, shopFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// fillShop uses the SQLite driver that store/db registered: the file is ours to write, and no database of the admin is spoken to.
func fillShop(ctx context.Context, path string, now time.Time) (err error) {
	d, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(DELETE)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if _, err := tx.ExecContext(ctx, shopSchema); err != nil {
		return err
	}
	w := shopWriter{ctx: ctx, tx: tx, rand: rand.New(rand.NewPCG(shopSeed, 1)), today: now.UTC().Truncate(24 * time.Hour)}
	w.customers()
	w.products()
	w.orders()
	if w.err != nil {
		return w.err
	}
	return tx.Commit()
}

// shopWriter draws the rows from a fixed seed: the shop is the same everywhere but for its dates, which end today.
type shopWriter struct {
	ctx    context.Context
	tx     *sql.Tx
	rand   *rand.Rand
	today  time.Time
	prices []float64
	err    error
}

func (w *shopWriter) insert(statement string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.ExecContext(w.ctx, statement, args...)
	}
}

func (w *shopWriter) pick(from []string) string { return from[w.rand.IntN(len(from))] }

// day is a date so many days ago.
func (w *shopWriter) day(ago int) string { return w.today.AddDate(0, 0, -ago).Format(time.DateOnly) }

func (w *shopWriter) customers() {
	first := []string{"Ada", "Ben", "Chiara", "David", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kira", "Luca", "Mina", "Noah", "Olga", "Paul", "Rosa", "Sven", "Tara", "Yusuf"}
	last := []string{"Almeida", "Bauer", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Hansen", "Ivanova", "Jansen", "Keller", "Lindqvist"}
	places := [][2]string{{"Berlin", "Germany"}, {"Hamburg", "Germany"}, {"Munich", "Germany"}, {"Paris", "France"}, {"Lyon", "France"}, {"Madrid", "Spain"}, {"Lisbon", "Portugal"}, {"Rome", "Italy"}, {"Vienna", "Austria"}, {"Oslo", "Norway"}}
	for id := 1; id <= shopCustomers; id++ {
		f, l := first[(id-1)%len(first)], last[(id*7)%len(last)]
		place := places[w.rand.IntN(len(places))]
		w.insert(`INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)`, id, f+" "+l, fmt.Sprintf("customer%d@shop.example", id), place[0], place[1], w.day(shopDays+w.rand.IntN(700)))
	}
}

func (w *shopWriter) products() {
	looks := []string{"Classic", "Compact", "Nordic", "Everyday", "Premium"}
	things := map[string][]string{
		"books": {"Atlas", "Cookbook"}, "garden": {"Watering can", "Plant pot"}, "home": {"Desk lamp", "Wool blanket"},
		"kitchen": {"Coffee grinder", "Chef's knife"}, "office": {"Notebook", "Pen set"}, "sports": {"Yoga mat", "Water bottle"},
	}
	id := 0
	for _, category := range shopCategories() {
		for _, thing := range things[category] {
			for _, look := range looks {
				id++
				price := float64(w.rand.IntN(9000)+500) / 100
				w.prices = append(w.prices, price)
				w.insert(`INSERT INTO products VALUES (?, ?, ?, ?, ?)`, id, look+" "+thing, category, price, w.rand.IntN(200))
			}
		}
	}
}

func (w *shopWriter) orders() {
	for id := 1; id <= shopOrders; id++ {
		// Squaring makes some customers buy far more than others, so that a ranking has something to show.
		r := w.rand.Float64()
		customer := 1 + int(r*r*shopCustomers)
		ago := (shopOrders - id) * shopDays / shopOrders
		w.insert(`INSERT INTO orders VALUES (?, ?, ?, ?)`, id, customer, w.status(ago), w.day(ago))
		for _, product := range w.rand.Perm(len(w.prices))[:1+w.rand.IntN(3)] {
			w.insert(`INSERT INTO order_items VALUES (?, ?, ?, ?)`, id, product+1, 1+w.rand.IntN(4), w.prices[product])
		}
	}
}

// status fits an order's age: what is old is delivered or cancelled.
func (w *shopWriter) status(ago int) string {
	switch {
	case w.rand.IntN(20) == 0:
		return "cancelled"
	case ago > 21:
		return "delivered"
	case ago > 7:
		return w.pick([]string{"delivered", "shipped"})
	}
	return w.pick([]string{"pending", "paid", "shipped"})
}
