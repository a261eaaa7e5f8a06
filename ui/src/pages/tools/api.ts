import { queryOptions } from '@tanstack/react-query';
import { api, body, done } from '@/api/client';
import { useApiMutation } from '@/api/mutations';
import type { components, paths } from '@/api/schema';

export type Tool = components['schemas']['Tool'];
export type ToolDraft = components['schemas']['ToolDraft'];
export type Parameter = components['schemas']['Parameter'];
export type ParamType = Parameter['param_type'];
export type Annotations = components['schemas']['Annotations'];
export type Analyze = components['schemas']['Analyze'];
export type Analysis = components['schemas']['Analysis'];
export type UsedParameter = components['schemas']['UsedParameter'];
export type Problem = components['schemas']['Problem'];
export type CheckOut = components['schemas']['CheckOut'];
export type Definition = components['schemas']['Definition'];
export type Preview = components['schemas']['Preview'];
export type PreviewOut = components['schemas']['PreviewOut'];
export type Table = components['schemas']['Table'];
export type Column = components['schemas']['Column'];
export type Connection = components['schemas']['Connection'];
export type DbType = Connection['db_type'];

type Answer<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { 'application/json': infer Body } } } };
}
  ? Body
  : never;

export type HistoryEntry = Answer<'/api/v1/history/{type}/{id}'>['items'][number];
export type DeployDiff = Answer<'/api/v1/deploy/diff'>;
export type ToolChange = DeployDiff['changes'][number];

export const toolQuery = (id: string) =>
  queryOptions({
    queryKey: ['tools', 'detail', id],
    queryFn: ({ signal }) => body(api.GET('/api/v1/tools/{id}', { params: { path: { id } }, signal })),
  });

/** Every table with its columns, for completion. A schema changes rarely and reading it costs the database something. */
export const schemaQuery = (connection: string) =>
  queryOptions({
    queryKey: ['connections', 'schema', connection],
    queryFn: ({ signal }) =>
      body(
        api.GET('/api/v1/schema/{connection}/tables', {
          params: { path: { connection }, query: { columns: true, limit: 5000 } },
          signal,
        }),
      ),
    staleTime: 5 * 60_000,
    retry: false,
  });

/** The same text always gives the same answer, so an answer is kept; the check also depends on the database's schema. */
export const analysisQuery = (input: Analyze) =>
  queryOptions({
    queryKey: ['analysis', input],
    queryFn: ({ signal }) => body(api.POST('/api/v1/tools/analyze', { body: input, signal })),
    staleTime: input.check ? 30_000 : Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });

export const definitionQuery = (draft: ToolDraft) =>
  queryOptions({
    queryKey: ['definition', draft],
    queryFn: ({ signal }) => body(api.POST('/api/v1/tools/definition', { body: draft, signal })),
    staleTime: 30_000,
    gcTime: 60_000,
  });

export function runPreview(input: Preview, signal: AbortSignal): Promise<PreviewOut> {
  return body(api.POST('/api/v1/preview/execute', { body: input, signal }));
}

export const useCreateTool = () =>
  useApiMutation(['tool'], (draft: ToolDraft) => body(api.POST('/api/v1/tools', { body: draft })));

export interface ToolChangeInput {
  id: string;
  version: number;
  /** Only what changes: fields that are left out stay as they are. */
  patch: Partial<ToolDraft>;
}

export const useUpdateTool = () =>
  useApiMutation(['tool'], ({ id, version, patch }: ToolChangeInput) =>
    body(api.PATCH('/api/v1/tools/{id}', { params: { path: { id } }, body: { ...patch, version } })),
  );

export const useDuplicateTool = () =>
  useApiMutation(['tool'], (id: string) =>
    body(api.POST('/api/v1/tools/{id}/duplicate', { params: { path: { id } }, body: {} })),
  );

export const useDeleteTool = () =>
  useApiMutation(['tool'], (id: string) => done(api.DELETE('/api/v1/tools/{id}', { params: { path: { id } } })));
