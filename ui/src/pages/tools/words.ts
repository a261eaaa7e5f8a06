const operations: Readonly<Record<string, string>> = {
  create_tool: 'Created',
  update_tool: 'Changed',
  delete_tool: 'Deleted',
  duplicate_tool: 'Created as a copy',
  create_sample: 'Made with the sample',
  delete_sample: 'Removed with the sample',
};

/** What an entry of the history did, in one or two words. */
export function operationWord(operation: string): string {
  return operations[operation] ?? operation.replaceAll('_', ' ');
}
