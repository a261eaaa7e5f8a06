const steps: Readonly<Record<string, string>> = {
  validate: 'Validate',
  compile: 'Compile',
  start: 'Start',
  health_check: 'Health check',
  switch: 'Switch traffic',
};

/** The step names of the server in words. */
export function stepWord(name: string): string {
  return steps[name] ?? name;
}
