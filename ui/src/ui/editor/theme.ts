import { HighlightStyle } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags as t } from '@lezer/highlight';

/** Own colours on the tokens of the page: a library's default style is unreadable in the dark theme. */
export const highlight = HighlightStyle.define([
  { tag: [t.keyword, t.propertyName], color: 'var(--link)' },
  { tag: [t.string, t.special(t.string)], color: 'var(--ok)' },
  { tag: [t.number, t.bool, t.null], color: 'var(--warn)' },
  { tag: t.typeName, color: 'var(--info)' },
  { tag: t.variableName, color: 'var(--fg)' },
  { tag: t.special(t.variableName), color: 'var(--info)' },
  { tag: t.comment, color: 'var(--muted)', fontStyle: 'italic' },
]);

const mono =
  'ui-monospace, "SF Mono", "Cascadia Mono", "Segoe UI Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace';

export const theme = EditorView.theme({
  '&': { fontSize: '0.8125rem', height: '100%', backgroundColor: 'transparent', color: 'var(--fg)' },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: mono, lineHeight: '1.25rem' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--fg)' },
  '.cm-gutters': { background: 'transparent', color: 'var(--muted)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '28px', paddingRight: '4px' },
  '.cm-gutter-lint': { width: '16px' },
  '.cm-gutter-lint .cm-gutterElement': { padding: '0 2px' },
  '.cm-activeLine, .cm-activeLineGutter': { background: 'var(--hover)' },
  '.cm-cursor': { borderColor: 'var(--fg)' },
  '.cm-placeholder': { color: 'var(--muted)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--accent) 28%, transparent)',
  },
  '&.cm-focused .cm-matchingBracket': { background: 'var(--accent-soft)', outline: '1px solid var(--control)' },
  '.cm-tooltip': {
    background: 'var(--surface)',
    color: 'var(--fg)',
    border: '1px solid var(--line)',
    borderRadius: '8px',
    overflow: 'hidden',
  },
  '.cm-tooltip-autocomplete > ul': { fontFamily: mono, fontSize: '0.75rem' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { background: 'var(--accent)', color: 'var(--accent-fg)' },
  '.cm-completionDetail': { fontStyle: 'normal', color: 'inherit' },
  '.cm-diagnostic': { padding: '6px 10px', borderLeft: 'none', whiteSpace: 'pre-wrap', maxWidth: '32rem' },
  '.cm-diagnostic-error': { color: 'var(--bad)' },
  '.cm-diagnostic-warning': { color: 'var(--warn)' },
  '.cm-lintRange': { backgroundImage: 'none', textUnderlineOffset: '3px' },
  '.cm-lintRange-error': { textDecoration: 'underline wavy var(--bad)' },
  '.cm-lintRange-warning': { textDecoration: 'underline wavy var(--warn)' },
  '.cm-lint-marker': { width: '12px', height: '12px', content: 'none' },
  '.cm-lint-marker-error::before': { content: '"✕"', color: 'var(--bad)', fontWeight: '600' },
  '.cm-lint-marker-warning::before': { content: '"▲"', color: 'var(--warn)' },
  '.cm-panels': { background: 'var(--raised)', color: 'var(--fg)', borderColor: 'var(--line)' },
  '.cm-parameter': {
    color: 'var(--warn)',
    background: 'var(--warn-soft)',
    borderRadius: '3px',
    padding: '1px 2px',
    margin: '0 -2px',
  },
});
