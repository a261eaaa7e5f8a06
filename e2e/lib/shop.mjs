// A small shop in the PostgreSQL that the test command started, with a role that could write, so that read-only is ours to prove.
import { randomBytes } from 'node:crypto';
import pg from 'pg';

export class Shop {
  static async create() {
    const admin = process.env.STUDIO_TEST_POSTGRES;
    if (!admin) throw new Error('STUDIO_TEST_POSTGRES is not set: run through make test');
    const s = new Shop();
    s.admin = admin;
    s.name = `shop_${randomBytes(4).toString('hex')}`;
    s.user = `app_${randomBytes(4).toString('hex')}`;
    s.password = randomBytes(12).toString('hex');
    const url = new URL(admin);
    s.host = url.hostname;
    s.port = Number(url.port);
    await s.as(admin, async (c) => {
      await c.query(`CREATE ROLE ${s.user} LOGIN PASSWORD '${s.password}'`);
      await c.query(`CREATE DATABASE ${s.name} OWNER ${s.user}`);
    });
    await s.query(`
      CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL, country char(2) NOT NULL, joined date NOT NULL);
      CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, total numeric(12,2) NOT NULL, placed_at timestamptz NOT NULL);
      INSERT INTO customers SELECT i, 'Customer ' || i, (ARRAY['DE','NL','FR'])[1 + i % 3], date '2026-01-01' + i FROM generate_series(1, 50) i;
      INSERT INTO customers VALUES (9007199254740993, 'Big "id" \\ ünï', 'DE', '2026-02-03');
      INSERT INTO orders SELECT i, 1 + i % 50, i * 1.25, timestamptz '2026-03-01 10:00:00.123456+02' + i * interval '1 hour' FROM generate_series(1, 300) i;`);
    return s;
  }

  get url() {
    const u = new URL(this.admin);
    u.pathname = `/${this.name}`;
    u.username = this.user;
    u.password = this.password;
    return u.toString();
  }

  async as(url, run) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try { return await run(client); } finally { await client.end(); }
  }

  /** Runs SQL as the role the studio uses. */
  async query(sql, values) { return this.as(this.url, (c) => c.query(sql, values)); }

  /** One value over everything stored, to see that nothing changed. */
  async checksum() {
    const { rows } = await this.query(`SELECT md5(string_agg(t, '|')) AS sum FROM (
      SELECT 'c' || customers::text AS t FROM customers UNION ALL SELECT 'o' || orders::text FROM orders
      UNION ALL SELECT 'r' || relname || relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1) x`);
    return rows[0].sum;
  }

  async drop() {
    await this.as(this.admin, async (c) => {
      await c.query(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
      await c.query(`DROP ROLE IF EXISTS ${this.user}`);
    });
  }
}
