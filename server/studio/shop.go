package studio

import (
	"encoding/json"

	"mcpstudio/store"
)

// sampleTag marks everything the sample makes.
const sampleTag = "sample"

// shopFile is the sample's database, below the SQLite directory.
const shopFile = "sample-shop.db"

func shopConnection() store.ConnectionDraft {
	return store.ConnectionDraft{Name: "Sample shop", DBType: store.SQLite, Database: shopFile, Tags: []string{sampleTag}}
}

func number(text string) *json.Number { return new(json.Number(text)) }

func jsonStrings(values ...string) []json.RawMessage {
	var out []json.RawMessage
	for _, v := range values {
		out = append(out, json.RawMessage(`"`+v+`"`)) // the values are plain words
	}
	return out
}

// shopTools are three tools of three shapes: a ranking with a limit, a search with optional filters, and a report over a period.
func shopTools(connection string) []store.ToolDraft {
	return []store.ToolDraft{
		{
			ConnectionID: connection, Name: "top_customers", Title: "Top customers", Tags: []string{sampleTag},
			Description: "List the customers who spent the most, with the number of their orders and the total in euros. Cancelled orders do not count. Use it for questions such as \"who are our best customers\" or \"who buys the most in Germany\".",
			SQLQuery: `SELECT c.id, c.name, c.city, c.country, count(DISTINCT o.id) AS orders,
       round(sum(i.quantity * i.unit_price), 2) AS total_spent
FROM customers c
JOIN orders o ON o.customer_id = c.id AND o.status <> 'cancelled'
JOIN order_items i ON i.order_id = o.id
WHERE :country IS NULL OR c.country = :country
GROUP BY c.id, c.name, c.city, c.country
ORDER BY total_spent DESC, c.id
LIMIT :limit`,
			Parameters: []store.Parameter{
				{Name: "limit", ParamType: store.TypeInteger, Description: "How many customers to list.", DefaultValue: json.RawMessage("10"), Minimum: number("1"), Maximum: number("100")},
				{Name: "country", ParamType: store.TypeString, Description: "Only customers of this country, by its English name, for example Germany. Leave out for all countries.", SortOrder: 1},
			},
		},
		{
			ConnectionID: connection, Name: "search_products", Title: "Search products", Tags: []string{sampleTag},
			Description: "Find products by a part of their name, category or highest price. Every filter is optional and they combine. Returns id, name, category, price in euros and the units in stock.",
			SQLQuery: `SELECT id, name, category, price, stock
FROM products
WHERE (:query IS NULL OR name LIKE '%' || :query || '%')
  AND (:category IS NULL OR category = :category)
  AND (:max_price IS NULL OR price <= :max_price)
ORDER BY name
LIMIT 50`,
			Parameters: []store.Parameter{
				{Name: "query", ParamType: store.TypeString, Description: "A part of the product's name, in any case, for example lamp."},
				{Name: "category", ParamType: store.TypeString, Description: "Only this category.", EnumValues: jsonStrings(shopCategories()...), SortOrder: 1},
				{Name: "max_price", ParamType: store.TypeNumber, Description: "Only products that cost at most this many euros.", Minimum: number("0"), SortOrder: 2},
			},
		},
		{
			ConnectionID: connection, Name: "orders_by_status", Title: "Orders by status", Tags: []string{sampleTag},
			Description: "Count orders and add up their value in euros for each status: pending, paid, shipped, delivered or cancelled. Give a date to look only at orders from that day on.",
			SQLQuery: `SELECT o.status, count(DISTINCT o.id) AS orders, round(sum(i.quantity * i.unit_price), 2) AS total
FROM orders o
JOIN order_items i ON i.order_id = o.id
WHERE (:since IS NULL OR o.ordered_on >= :since)
  AND (:status IS NULL OR o.status = :status)
GROUP BY o.status
ORDER BY orders DESC`,
			Parameters: []store.Parameter{
				{Name: "since", ParamType: store.TypeDate, Description: "First day to look at, for example 2026-01-31. Leave out for all orders."},
				{Name: "status", ParamType: store.TypeString, Description: "Only this status.", EnumValues: jsonStrings(shopStatuses()...), SortOrder: 1},
			},
		},
	}
}

func shopResource(connection string) store.ResourceDraft {
	return store.ResourceDraft{
		ConnectionID: connection, Name: "product", Title: "Product", Tags: []string{sampleTag}, MIMEType: "application/json",
		Description: "One product of the sample shop with its category, price and stock. Take the id from search_products.",
		URITemplate: "shop://products/{id}",
		SQLQuery:    "SELECT id, name, category, price, stock\nFROM products\nWHERE id = CAST(:id AS INTEGER)",
	}
}

func shopPrompt() store.PromptDraft {
	return store.PromptDraft{
		Name: "sales_review", Title: "Sales review", Tags: []string{sampleTag},
		Description: "Ask for a short review of the shop's sales, made with the sample's tools.",
		Template: "Review the sales of the shop for {audience}. Call orders_by_status for the last 30 days and top_customers for the five best customers. " +
			"Write at most ten lines: what went well, what needs attention, and one suggestion. Give every number with its unit.",
		Arguments: []store.Argument{{Name: "audience", Description: "Who will read it, for example the sales team.", Required: true}},
	}
}
