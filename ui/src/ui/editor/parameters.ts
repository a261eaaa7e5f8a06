import { syntaxTree } from '@codemirror/language';
import type { EditorState, Range } from '@codemirror/state';
import { Decoration, type DecorationSet, type EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view';

const placeholder = /(?<![:\w]):[a-z_]\w*(?:\.[a-z_]\w*)?/gi;
const quiet = /String|Comment|Quoted/;

/**
 * Where the placeholders of a statement look to be, for colouring only: `::cast` and anything in a string, a comment
 * or a quoted name is left alone. What really is a parameter is said by the server (tools/analyze).
 */
function findPlaceholders(state: EditorState, from: number, to: number): { from: number; to: number }[] {
  const tree = syntaxTree(state);
  const found: { from: number; to: number }[] = [];
  for (const match of state.sliceDoc(from, to).matchAll(placeholder)) {
    const start = from + match.index;
    if (quiet.test(tree.resolveInner(start, 1).name)) continue;
    found.push({ from: start, to: start + match[0].length });
  }
  return found;
}

const mark = Decoration.mark({ class: 'cm-parameter' });

function decorate(view: EditorView): DecorationSet {
  const marks: Range<Decoration>[] = [];
  for (const { from, to } of view.visibleRanges) {
    // Whole lines: a range may begin inside a placeholder.
    const start = view.state.doc.lineAt(from).from;
    const end = view.state.doc.lineAt(to).to;
    for (const range of findPlaceholders(view.state, start, end)) marks.push(mark.range(range.from, range.to));
  }
  return Decoration.set(marks, true);
}

export const parameterMarks = ViewPlugin.fromClass(
  class {
    marks: DecorationSet;
    constructor(view: EditorView) {
      this.marks = decorate(view);
    }
    update(update: ViewUpdate) {
      const parsed = syntaxTree(update.startState) !== syntaxTree(update.state);
      if (update.docChanged || update.viewportChanged || parsed) this.marks = decorate(update.view);
    }
  },
  { decorations: (plugin) => plugin.marks },
);
