import type { components } from '@/api/schema';
import type { Tone } from '@/ui/chip';
import type { StateKind } from '@/ui/state';

type Schemas = components['schemas'];
export type Sandbox = Schemas['SandboxState'];
export type Child = Schemas['ChildState'];
export type ChildExit = Schemas['ChildExit'];
export type Layer = Schemas['Layer'];
export type CheckItem = Schemas['ChecklistItem'];
export type CheckStatus = CheckItem['status'];

export const levels: Record<Child['level'], { word: string; tone: Tone; text: string }> = {
  full: {
    word: 'Full',
    tone: 'ok',
    text: 'Every layer that confines a process is in force. Even one that was taken over reaches nothing but the databases it is for.',
  },
  strong: {
    word: 'Strong',
    tone: 'ok',
    text: 'Every layer that this system allows is in force. What hides other processes or files is missing, as in a default container; the system-call filter and Landlock still keep a process from both.',
  },
  degraded: {
    word: 'Degraded',
    tone: 'warn',
    text: 'A layer is missing that should hold on every system. See below which, and what brings it back.',
  },
  none: { word: 'None', tone: 'bad', text: 'Nothing confines the process that runs queries and transforms.' },
};

export const layerStates: Record<Layer['state'], { word: string; kind: StateKind }> = {
  enforced: { word: 'Enforced', kind: 'live' },
  partial: { word: 'Partial', kind: 'warning' },
  unavailable: { word: 'Unavailable', kind: 'disabled' },
};

const layerTitles = new Map([
  ['seccomp', 'System-call filter'],
  ['landlock', 'Landlock'],
  ['namespaces', 'Own namespaces'],
  ['private_root', 'Empty file system'],
  ['no_new_privs', 'No new privileges'],
  ['capabilities', 'No capabilities'],
  ['user', 'Own user'],
  ['groups', 'No further groups'],
  ['descriptors', 'Nothing inherited'],
  ['dumpable', 'No core dumps, no debugger'],
  ['rlimits', 'Resource limits'],
  ['cgroup', 'Control group'],
  ['watchdog', 'Memory watchdog'],
  ['oom_score', 'Killed before the studio'],
  ['cpus', 'Processors'],
  ['files', 'SQLite files'],
  ['self_test', 'Self-test'],
  ['verified', 'Verified from outside'],
]);

/** A layer that this page does not know yet keeps the name the server gives it. */
export const layerTitle = (name: string): string => layerTitles.get(name) ?? name.replaceAll('_', ' ');

/** What a layer is for, in the words of somebody who runs servers and not kernels; none where its reason says that already. */
const layerPurposes = new Map([
  ['seccomp', 'It may ask the kernel for little.'],
  ['landlock', 'A lock on files and network that stays shut.'],
  ['namespaces', 'Hides other processes and networks.'],
  ['private_root', 'Hides the files of this machine.'],
  ['capabilities', 'Takes the rights of root away.'],
  ['user', 'Decides whose files it could open at all.'],
  ['groups', 'Keeps it from files that a group shares.'],
  ['descriptors', 'Keeps the open files of the studio away.'],
  ['dumpable', 'Keeps passwords in its memory from others.'],
  ['rlimits', 'Bounds what it can use up.'],
  ['cgroup', "The kernel's own bound on memory and processors."],
  ['watchdog', 'Ends it above its memory limit.'],
  ['cpus', 'The processors it may use.'],
  ['files', 'The only files it can read.'],
  ['self_test', 'It tried to break out, before it got a secret.'],
  ['verified', 'The studio asked the kernel, not it.'],
]);

export const layerPurpose = (name: string): string | undefined => layerPurposes.get(name);

/** Of a child: "Live server", "Workbench of Orders". */
export function childTitle(child: Pick<Child, 'role' | 'revision' | 'connection'>): string {
  switch (child.role) {
    case 'live':
      return `Live server, revision ${child.revision}`;
    case 'candidate':
      return `Revision ${child.revision}, starting`;
    case 'draining':
      return `Revision ${child.revision}, finishing its calls`;
    case 'workbench':
      return `Workbench of ${child.connection?.name || 'an unsaved connection'}`;
    case 'probe':
      return 'Probe';
  }
}

/** How a child ended, in a sentence without its end. */
export function exitText(exit: ChildExit): string {
  const who = childTitle(exit);
  if (exit.sigsys) return `${who}: the kernel ended it for a system call that it must not make`;
  if (exit.reason) return `${who}: ${exit.reason}`;
  if (exit.signal) return `${who}: ended by ${exit.signal}`;
  return `${who}: ended with code ${exit.code}`;
}

export const eventTitles: Record<Schemas['SecurityEvent']['kind'], string> = {
  sigsys: 'Forbidden system call',
  broker_abuse: 'Broken messages to the broker',
  memory: 'More memory than its limit',
};

const keeperNames = new Map([
  ['cgroup', 'the kernel (control group)'],
  ['rlimit', 'the kernel (resource limit)'],
  ['watchdog', 'the studio (watchdog)'],
  ['gomemlimit', 'the process itself'],
  ['affinity', 'the scheduler'],
]);

/** Who holds a limit: ["cgroup", "watchdog"] → names to list. */
export const keepers = (by: readonly string[]): string[] => by.map((name) => keeperNames.get(name) ?? name);

export const sqliteModes = new Map([
  ['none', 'no SQLite file'],
  ['ro', 'reads its directory'],
  ['roshm', 'reads its directory, writes -shm files'],
]);

export const checkStatuses: Record<CheckStatus, { title: string; word: string; kind: StateKind }> = {
  fail: { title: 'To mend', word: 'Failed', kind: 'error' },
  warn: { title: 'Warnings', word: 'Warning', kind: 'warning' },
  unknown: { title: 'Could not be found out', word: 'Unknown', kind: 'draft' },
  ok: { title: 'Passed', word: 'Passed', kind: 'live' },
};

/** What needs a hand first. */
export const checkOrder: readonly CheckStatus[] = ['fail', 'warn', 'unknown', 'ok'];
