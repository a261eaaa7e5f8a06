import { useQuery } from '@tanstack/react-query';
import { RefreshCw } from 'lucide-react';
import { sqliteFilesQuery } from '@/api/queries';
import { formatBytes } from '@/lib/format';
import { Combobox } from '@/ui/combobox';
import { Field } from '@/ui/field';
import { IconButton } from '@/ui/icon-button';
import { Input } from '@/ui/input';
import { type SectionProps, textField } from './form-parts';

/** Files are chosen, not typed, where there are some: the studio opens them below one directory only. */
export function SqliteFile({ form }: SectionProps) {
  const files = useQuery(sqliteFilesQuery);
  const { field, input } = textField({ form }, 'database');
  const items = files.data?.items ?? [];
  const options = items.map((f) => ({ value: f.name, label: f.name, hint: formatBytes(f.size_bytes) }));
  const current = form.values.database;
  if (current !== '' && !items.some((f) => f.name === current)) {
    options.push({ value: current, label: current, hint: 'not in the directory' });
  }
  return (
    <Field
      label="File"
      required
      className="sm:col-span-6"
      hint={files.data && hint(files.data.directory, items.length)}
      {...field}
    >
      {(ids) => (
        <div className="flex items-center gap-2">
          {options.length > 0 && items.length > 0 ? (
            <Combobox
              {...ids}
              value={current}
              onChange={(database) => form.change({ database })}
              options={options}
              placeholder="Choose a file"
              empty="No file matches."
              className="flex-1"
            />
          ) : (
            <Input {...ids} {...input} mono autoComplete="off" spellCheck={false} placeholder="shop.db" />
          )}
          <IconButton
            label="Read the directory again"
            icon={<RefreshCw aria-hidden />}
            onClick={() => void files.refetch()}
          />
        </div>
      )}
    </Field>
  );
}

function hint(directory: string, files: number): string {
  if (files === 0) return `There is no SQLite file below ${directory} on the server. Put one there, or type its name.`;
  return `Below ${directory} on the server, opened read-only.`;
}
