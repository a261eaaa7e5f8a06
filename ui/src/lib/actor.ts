interface Actor {
  kind: string;
  name: string;
}

/** Who made a change: the name alone for people, with its kind for everything else. */
export function actorName({ kind, name }: Actor): string {
  if (kind === 'admin') return name || 'admin';
  if (kind === 'agent') return `agent token ${name}`;
  if (kind === 'cli') return 'the command line';
  return kind === 'system' ? 'Studio' : name || kind;
}
