import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  placeholder as placeholderText,
} from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { type EditorLanguage, languageSupport } from './language';
import { highlight, theme } from './theme';
import { typeOverSelection } from './typing';

export interface Marker {
  /** Offsets in UTF-16 units, as the server gives them. */
  from: number;
  to: number;
  severity: 'error' | 'warning';
  message: string;
}

export interface EditorProps {
  value: string;
  onChange?: (value: string) => void;
  /** The accessible name: "SQL query". */
  label: string;
  language: EditorLanguage;
  markers?: readonly Marker[];
  /** Ctrl/Cmd+Enter. */
  onRun?: () => void;
  /** Ctrl/Cmd+S. */
  onSave?: () => void;
  readOnly?: boolean;
  placeholder?: string;
  /** Announced with the name; the error text itself stands beside the editor. */
  invalid?: boolean;
  className?: string;
}

const noMarkers: readonly Marker[] = [];

/**
 * A code editor. It lives in a shadow root, where the library's style element becomes an adopted style sheet,
 * which the strict content security policy allows. Tab moves on: it is not bound, so the editor is no trap.
 */
export function Editor(props: EditorProps) {
  const { value, label, language, markers = noMarkers, readOnly = false, placeholder, invalid = false } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const parts = useRef({ language: new Compartment(), mode: new Compartment() });

  useEffect(() => {
    if (!host.current) return;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open', delegatesFocus: true });
    const editor = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          commands(latest),
          base,
          parts.current.language.of(languageSupport(latest.current.language)),
          parts.current.mode.of([]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      view.current = undefined;
      editor.destroy();
    };
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.language.reconfigure(languageSupport(language)) });
  }, [language]);

  useEffect(() => {
    const attributes = {
      'aria-label': `${label}. Press Escape, then Tab, to leave the editor. F8 goes to the next problem.`,
      ...(invalid && { 'aria-invalid': 'true' }),
    };
    const mode: Extension = [
      EditorView.contentAttributes.of(attributes),
      EditorState.readOnly.of(readOnly),
      placeholder ? placeholderText(placeholder) : [],
    ];
    view.current?.dispatch({ effects: parts.current.mode.reconfigure(mode) });
  }, [label, readOnly, placeholder, invalid]);

  // A value that did not come from typing here: a restored draft, a formatted statement, another entity.
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const end = editor.state.doc.length;
    const inside = (offset: number) => Math.max(0, Math.min(end, offset));
    const diagnostics = markers.map((m) => ({ ...m, from: inside(m.from), to: inside(Math.max(m.from, m.to)) }));
    editor.dispatch(setDiagnostics(editor.state, diagnostics));
  }, [markers]);

  return <div ref={host} className={props.className} />;
}

/** First in the list, so that Ctrl+Enter runs instead of adding a line. */
function commands(latest: { current: EditorProps }): Extension {
  const hook = (name: 'onRun' | 'onSave') => () => {
    const run = latest.current[name];
    run?.();
    return run !== undefined;
  };
  return keymap.of([
    { key: 'Mod-Enter', run: hook('onRun') },
    { key: 'Mod-s', run: hook('onSave'), preventDefault: true },
  ]);
}

const base: Extension = [
  lineNumbers(),
  lintGutter(),
  history(),
  drawSelection(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  bracketMatching(),
  closeBrackets(),
  typeOverSelection,
  autocompletion({ icons: false }),
  EditorView.lineWrapping,
  syntaxHighlighting(highlight),
  theme,
  keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
];
