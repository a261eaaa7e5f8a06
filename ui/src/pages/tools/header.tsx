import { ChevronDown, Copy, Rocket, Save, Trash2 } from 'lucide-react';
import { PageTitle } from '@/components/page';
import { formatMoment } from '@/lib/format';
import { isApple, keyLabels } from '@/lib/keys';
import { useNow } from '@/lib/use-now';
import { buttons, states } from '@/lib/words';
import { Button, buttonClass } from '@/ui/button';
import { Chip } from '@/ui/chip';
import { Menu } from '@/ui/menu';
import { State } from '@/ui/state';
import type { Tool } from './api';
import type { ToolState } from './state';

interface Props {
  name: string;
  /** The stored tool; undefined before the first save. */
  tool: Tool | undefined;
  state: ToolState | undefined;
  dirty: boolean;
  pending: boolean;
  onSave: () => void;
  onDeploy: () => void;
  onDuplicate: () => void;
  onDelete: () => void;
}

export const newToolTitle = 'Create tool';

/** The name of the tool, where it stands, and what can be done with all of it. */
export function Header(props: Props) {
  const { name, tool, dirty, pending, onSave } = props;
  const title = name || (tool ? tool.name : newToolTitle);
  return (
    <header className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-4 py-2.5">
      <PageTitle doc={`${title} · Tools`} crumb={title} mono={title !== newToolTitle}>
        {title}
      </PageTitle>
      <Standing {...props} />
      <div className="ml-auto flex items-center gap-2 max-sm:w-full">
        <div className="flex max-sm:flex-1">
          <Button intent="primary" pending={pending} onClick={onSave} className="rounded-r-none max-sm:flex-1">
            {pending ? 'Saving' : buttons.save}
            {dirty && <span className="sr-only">, unsaved changes</span>}
          </Button>
          <SaveMenu {...props} />
        </div>
      </div>
    </header>
  );
}

function Standing({ tool, state, dirty }: Props) {
  const now = useNow(30_000);
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1" aria-live="off">
      {dirty && <State kind="draft">{states.unsaved}</State>}
      {tool && !dirty && state && <State kind={state.kind}>{state.word}</State>}
      {tool && (
        <span className="text-label text-muted tabular-nums">
          {`Saved ${formatMoment(new Date(tool.updated_at), now)} · version ${tool.version}`}
        </span>
      )}
      {!tool && !dirty && <State kind="draft">Not saved yet</State>}
      {state?.breaking && <Chip tone="bad">Breaking change</Chip>}
    </div>
  );
}

function SaveMenu({ tool, onSave, onDeploy, onDuplicate, onDelete }: Props) {
  const shortcut = keyLabels('mod+s', isApple(navigator.platform)).join(' ');
  const trigger = (
    <button
      type="button"
      aria-label="More actions"
      className={buttonClass('primary', 'md', 'rounded-l-none border-l-accent-fg/30 px-1.5')}
    >
      <ChevronDown aria-hidden />
    </button>
  );
  return (
    <Menu
      trigger={trigger}
      items={[
        { label: buttons.save, icon: <Save aria-hidden />, shortcut, onSelect: onSave },
        { label: 'Save and deploy', icon: <Rocket aria-hidden />, onSelect: onDeploy },
        ...(tool
          ? [
              { label: 'Duplicate', icon: <Copy aria-hidden />, separated: true, onSelect: onDuplicate },
              { label: buttons.delete, icon: <Trash2 aria-hidden />, danger: true, onSelect: onDelete },
            ]
          : []),
      ]}
    />
  );
}
