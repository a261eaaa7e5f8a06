import { cx } from '@/lib/cx';
import type { Strength } from './password-rules';

const looks = {
  weak: { bars: 1, ink: 'bg-bad', word: 'Too weak' },
  fair: { bars: 2, ink: 'bg-warn', word: 'Fair' },
  strong: { bars: 3, ink: 'bg-ok', word: 'Strong' },
};

/** Length in three bars and a word; the word alone says it too. */
export function StrengthMeter({ strength, empty }: { strength: Strength; empty: boolean }) {
  const { bars, ink, word } = looks[strength.level];
  return (
    <div className="flex items-center gap-2">
      <div aria-hidden className="grid flex-1 grid-cols-3 gap-1">
        {[1, 2, 3].map((n) => (
          <span key={n} className={cx('h-1 rounded-full', !empty && n <= bars ? ink : 'bg-raised')} />
        ))}
      </div>
      <span role="status" className="w-14 text-right text-label text-muted">
        {empty ? '' : word}
      </span>
    </div>
  );
}
