import { json, jsonParseLinter } from '@codemirror/lang-json';
import {
  Cassandra,
  MSSQL,
  MySQL,
  PostgreSQL,
  type SQLDialect,
  SQLite,
  type SQLNamespace,
  StandardSQL,
  sql,
} from '@codemirror/lang-sql';
import { linter } from '@codemirror/lint';
import type { Extension } from '@codemirror/state';
import { jq } from './jq';
import { parameterMarks } from './parameters';

export type SqlDialectName = 'postgresql' | 'mysql' | 'mssql' | 'sqlite' | 'cassandra' | 'standard';

const dialects: Record<SqlDialectName, SQLDialect> = {
  postgresql: PostgreSQL,
  mysql: MySQL,
  mssql: MSSQL,
  sqlite: SQLite,
  cassandra: Cassandra,
  standard: StandardSQL,
};

export type EditorLanguage =
  | { name: 'sql'; dialect: SqlDialectName; schema?: SQLNamespace; defaultSchema?: string }
  | { name: 'json' }
  | { name: 'jq' }
  | { name: 'text' };

/**
 * The extensions of one language. Columns and tables come before keywords in completions (lang-sql gives keywords
 * a lower boost); aliases in the statement are resolved by lang-sql.
 */
export function languageSupport(language: EditorLanguage): Extension {
  switch (language.name) {
    case 'sql': {
      const { dialect, schema, defaultSchema } = language;
      return [sql({ dialect: dialects[dialect], schema, defaultSchema, upperCaseKeywords: true }), parameterMarks];
    }
    case 'json':
      return [json(), linter(jsonParseLinter())];
    case 'jq':
      return jq;
    case 'text':
      return [];
  }
}
