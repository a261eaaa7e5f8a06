import { Database, type LucideIcon, ShoppingBag, SquareDashed } from 'lucide-react';
import { useState } from 'react';
import { addSample } from '@/api/auth';
import { paths } from '@/lib/paths';
import { Button } from '@/ui/button';
import { Notice } from '@/ui/notice';
import { Frame } from './frame';
import { problemText } from './problem';

type Choice = 'sample' | 'own' | 'empty';

const choices: readonly { id: Choice; icon: LucideIcon; title: string; text: string; note: string; verb: string }[] = [
  {
    id: 'sample',
    icon: ShoppingBag,
    title: 'Sample database',
    text: 'A small shop with three tools, deployed and ready to call.',
    note: 'About 10 seconds',
    verb: 'Start with the sample',
  },
  {
    id: 'own',
    icon: Database,
    title: 'My database',
    text: 'Connect a database and build tools from its tables.',
    note: 'About 3 minutes',
    verb: 'Connect my database',
  },
  {
    id: 'empty',
    icon: SquareDashed,
    title: 'Empty',
    text: 'Nothing is created. Start from Home.',
    note: '',
    verb: 'Start empty',
  },
];

export function SetupStart({ step, onBack }: { step: string; onBack?: () => void }) {
  const [choice, setChoice] = useState<Choice>('sample');
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState('');

  const start = async () => {
    if (choice !== 'sample') return location.replace(choice === 'own' ? paths.connectionNew : paths.home);
    setPending(true);
    setProblem('');
    try {
      await addSample();
      location.replace(paths.home);
    } catch (error) {
      setProblem(problemText(error));
      setPending(false);
    }
  };

  return (
    <Frame
      wide
      title="What do you want to start with?"
      lead="Everything made here can be removed with one click."
      step={step}
      foot="Your data stays on this server."
    >
      <form
        onSubmit={(e) => {
          e.preventDefault();
          if (!pending) void start();
        }}
      >
        {problem && (
          <div role="alert" className="mb-4">
            <Notice tone="bad" title="The sample could not be added">
              {problem}
            </Notice>
          </div>
        )}
        <fieldset className="grid gap-2">
          <legend className="sr-only">Start with</legend>
          {choices.map((c) => (
            <label
              key={c.id}
              className="flex cursor-pointer items-center gap-3 rounded-lg border border-line bg-surface px-4 py-3 hover:border-edge has-checked:border-accent has-checked:bg-accent-soft has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-[var(--focus)]"
            >
              <input
                type="radio"
                name="start"
                value={c.id}
                checked={choice === c.id}
                autoFocus={c.id === 'sample'}
                onChange={() => setChoice(c.id)}
                className="size-4 accent-[var(--accent)] outline-none!"
              />
              <c.icon aria-hidden className="text-muted" />
              <span className="min-w-0 flex-1">
                <span className="block text-body font-medium">{c.title}</span>
                <span className="block text-control text-muted">{c.text}</span>
              </span>
              <span className="text-label text-muted max-sm:hidden">{c.note}</span>
            </label>
          ))}
        </fieldset>
        <div className="mt-5 flex items-center gap-2">
          {onBack && (
            <Button intent="ghost" size="lg" onClick={onBack}>
              Back
            </Button>
          )}
          <Button type="submit" intent="primary" size="lg" pending={pending} className="ml-auto">
            {pending ? 'Adding the sample' : choices.find((c) => c.id === choice)?.verb}
          </Button>
        </div>
      </form>
    </Frame>
  );
}
