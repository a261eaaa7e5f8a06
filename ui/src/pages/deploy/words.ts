import { sentence } from '@/lib/format';

const steps: Readonly<Record<string, string>> = {
  validate: 'Validate',
  compile: 'Compile',
  start: 'Start',
  health_check: 'Health check',
  switch: 'Switch traffic',
};

const kinds: Readonly<Record<string, string>> = {
  connection: 'Connection',
  tool: 'Tool',
  resource: 'Resource',
  prompt: 'Prompt',
  variable: 'Variable',
  server_config: 'Server settings',
};

/** What kind of thing a change is about. */
export function kindWord(entityType: string): string {
  return kinds[entityType] ?? sentence(entityType.replaceAll('_', ' '));
}

/** The step names of the server in words. */
export function stepWord(name: string): string {
  return steps[name] ?? name;
}
