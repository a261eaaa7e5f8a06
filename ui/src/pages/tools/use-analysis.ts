import { useQuery } from '@tanstack/react-query';
import { type Dispatch, useEffect, useMemo } from 'react';
import { useDebounced } from '@/lib/use-debounced';
import type { Marker } from '@/ui/editor/editor';
import type { SqlDialectName } from '@/ui/editor/language';
import {
  type Analysis,
  analysisQuery,
  type CheckOut,
  type Connection,
  type DbType,
  type Definition,
  definitionQuery,
  type Problem,
  schemaQuery,
  type Table,
} from './api';
import type { BuilderAction, BuilderState } from './builder-state';
import { toDraft, unsendable } from './form';
import { markersOf } from './markers';
import { suggest } from './suggest';

const typing = 300;
const checking = 800;

const noTables: readonly Table[] = [];

export interface Judgement {
  /** The tables of the connection, for completion; empty until they are there. */
  tables: readonly Table[];
  /** What the statement says; of the last one that could be read while a newer one is under way. */
  analysis: Analysis | undefined;
  /** The database's verdict on the statement as it is now; undefined while none is there. */
  check: CheckOut | undefined;
  checking: boolean;
  checkError: unknown;
  /** How clients would see the tool, and what the server's rules say about every field. */
  definition: Definition | undefined;
  definitionError: unknown;
  retryDefinition: () => void;
  sqlMarkers: readonly Marker[];
  transformMarkers: readonly Marker[];
  problems: readonly Problem[];
}

/** What the server says about the form while it is typed: parameters, problems, the database's own errors. */
export function useAnalysis(
  state: BuilderState,
  dispatch: Dispatch<BuilderAction>,
  connection: Connection | undefined,
): Judgement {
  const { form } = state;
  const schema = useQuery({ ...schemaQuery(connection?.id ?? ''), enabled: connection?.is_active === true });
  const tables = schema.data?.items ?? noTables;
  const draft = useMemo(() => toDraft(form), [form]);
  const read = useDebounced(
    useMemo(
      () => ({
        connection_id: form.connection_id || undefined,
        sql_query: form.sql_query,
        transform: form.transform,
        annotations: form.annotations,
      }),
      [form.connection_id, form.sql_query, form.transform, form.annotations],
    ),
    typing,
  );
  const written = read.sql_query.trim() !== '';
  const analysis = useQuery({ ...analysisQuery(read), enabled: written, placeholderData: (last) => last });

  const used = analysis.data?.parameters;
  const fresh = analysis.isSuccess && !analysis.isPlaceholderData;
  useEffect(() => {
    if (!written) dispatch({ type: 'analysed', sql: read.sql_query, used: [] });
    else if (fresh && used) {
      dispatch({ type: 'analysed', sql: read.sql_query, used: suggest(used, read.sql_query, tables) });
    }
  }, [dispatch, written, fresh, used, read.sql_query, tables]);

  const settled = useDebounced(draft, checking);
  const agrees =
    fresh &&
    settled.sql_query === read.sql_query &&
    sameNames(settled.parameters ?? [], used ?? []) &&
    (settled.parameters ?? []).every((p) => !Number.isNaN(p.minimum) && !Number.isNaN(p.maximum));
  const check = useQuery({
    ...analysisQuery({
      connection_id: settled.connection_id,
      sql_query: settled.sql_query,
      parameters: settled.parameters,
      annotations: settled.annotations,
      check: true,
    }),
    enabled: written && settled.connection_id !== '' && agrees,
    retry: false,
  });

  // The database itself knows the types best.
  const told = check.data?.parameters;
  useEffect(() => {
    if (told && agrees) dispatch({ type: 'analysed', sql: settled.sql_query, used: told });
  }, [dispatch, told, agrees, settled.sql_query]);

  const quick = useDebounced(draft, typing);
  const sendable = Object.keys(unsendable(quick)).length === 0;
  const definition = useQuery({ ...definitionQuery(quick), enabled: sendable, placeholderData: (last) => last });

  const verdict = check.data?.check ?? undefined;
  const current = verdict && settled.sql_query === form.sql_query ? verdict : undefined;
  const problems = analysis.data?.problems;
  const sqlMarkers = useMemo(
    () => markersOf(form.sql_query, 'sql_query', written ? (problems ?? []) : [], current),
    [form.sql_query, problems, written, current],
  );
  const transformMarkers = useMemo(
    () => markersOf(form.transform, 'transform', problems ?? [], undefined),
    [form.transform, problems],
  );
  return {
    tables,
    analysis: written ? analysis.data : undefined,
    check: current,
    checking: check.isFetching,
    checkError: check.error ?? analysis.error,
    definition: definition.data,
    definitionError: definition.error,
    retryDefinition: () => void definition.refetch(),
    sqlMarkers,
    transformMarkers,
    problems: problems ?? [],
  };
}

function sameNames(a: readonly { name: string }[], b: readonly { name: string }[]): boolean {
  return a.length === b.length && a.every((p) => b.some((q) => q.name === p.name));
}

const dialects: Readonly<Partial<Record<DbType, SqlDialectName>>> = {
  postgresql: 'postgresql',
  greenplum: 'postgresql',
  supabase: 'postgresql',
  mysql: 'mysql',
  mssql: 'mssql',
  sqlite: 'sqlite',
  cassandra: 'cassandra',
};

/** The editor's dialect for a kind of database; the common core of SQL where it has none. */
export function dialectOf(db: DbType | undefined): SqlDialectName {
  return (db && dialects[db]) ?? 'standard';
}
