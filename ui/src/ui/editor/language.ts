import type { CompletionSource } from '@codemirror/autocomplete';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import {
  Cassandra,
  keywordCompletionSource,
  MSSQL,
  MySQL,
  PostgreSQL,
  type SQLDialect,
  SQLite,
  type SQLNamespace,
  StandardSQL,
  schemaCompletionSource,
} from '@codemirror/lang-sql';
import { LanguageSupport } from '@codemirror/language';
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

/** A parameter's name is the author's own: a keyword that happens to have its letters must not take its place at the next Enter. */
const outsideParameters =
  (source: CompletionSource): CompletionSource =>
  (context) =>
    context.matchBefore(/(?<![:\w]):\w*/) ? null : source(context);

/**
 * The extensions of one language. Columns and tables come before keywords in completions (lang-sql gives keywords
 * a lower boost); aliases in the statement are resolved by lang-sql.
 */
export function languageSupport(language: EditorLanguage): Extension {
  switch (language.name) {
    case 'sql': {
      const { schema, defaultSchema } = language;
      const dialect = dialects[language.dialect];
      const complete = (source: CompletionSource) =>
        dialect.language.data.of({ autocomplete: outsideParameters(source) });
      return [
        new LanguageSupport(dialect.language, [
          schema ? complete(schemaCompletionSource({ dialect, schema, defaultSchema })) : [],
          complete(keywordCompletionSource(dialect, true)),
        ]),
        parameterMarks,
      ];
    }
    case 'json':
      return [json(), linter(jsonParseLinter())];
    case 'jq':
      return jq;
    case 'text':
      return [];
  }
}
