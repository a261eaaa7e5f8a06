import { StreamLanguage, type StringStream } from '@codemirror/language';

const keywords =
  /(?:def|if|then|elif|else|end|as|reduce|foreach|try|catch|label|import|include|and|or|not|null|true|false|__loc__)\b/;

interface State {
  /** Depth of parentheses inside each open string interpolation. */
  strings: number[];
}

function string(stream: StringStream, state: State): string {
  while (!stream.eol()) {
    if (stream.match('\\(')) {
      state.strings.push(0);
      return 'string';
    }
    const c = stream.next();
    if (c === '\\') stream.next();
    else if (c === '"') return 'string';
  }
  return 'string';
}

/** Colours jq programs; the server's own parser finds their mistakes. */
export const jq = StreamLanguage.define<State>({
  name: 'jq',
  startState: () => ({ strings: [] }),
  copyState: (state) => ({ strings: [...state.strings] }),
  token(stream, state) {
    if (stream.eatSpace()) return null;
    if (stream.match(/#.*/)) return 'comment';
    if (stream.eat('"')) return string(stream, state);
    const depth = state.strings.length - 1;
    if (depth >= 0 && stream.eat('(')) {
      state.strings[depth] = (state.strings[depth] ?? 0) + 1;
      return null;
    }
    if (depth >= 0 && stream.eat(')')) {
      if (state.strings[depth] === 0) {
        state.strings.pop();
        return string(stream, state);
      }
      state.strings[depth] = (state.strings[depth] ?? 1) - 1;
      return null;
    }
    if (stream.match(/\$\w+/)) return 'number';
    if (stream.match(/\d+(\.\d+)?([eE][+-]?\d+)?/)) return 'number';
    if (stream.match(/@\w+/)) return 'typeName';
    if (stream.match(keywords)) return 'keyword';
    if (stream.match(/\.?[A-Za-z_]\w*/)) return 'variableName';
    stream.next();
    return null;
  },
});
