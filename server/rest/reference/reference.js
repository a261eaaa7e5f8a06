// Shows the OpenAPI document of this studio as a list one can filter. Everything is built with DOM calls: the page's policy
// allows no markup from strings.

function make(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

const doc = await fetch('/api/openapi.json', { headers: { accept: 'application/json' } })
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`the document answered ${answer.status}`))))
  .catch((error) => {
    document.getElementById('operations').append(make('p', `The reference could not be loaded: ${error.message}. Sign in to the studio first.`, 'error'));
    return null;
  });

function resolve(schema) {
  const name = schema?.$ref?.split('/').pop();
  return name ? { name, schema: doc.components.schemas[name] } : { name: '', schema: schema ?? {} };
}

/** One line that says what a schema is: "string", "Tool[]", "integer or null". */
function kind(schema) {
  if (!schema || schema === true) return 'any';
  if (schema.$ref) return resolve(schema).name;
  if (schema.anyOf) return schema.anyOf.map(kind).join(' or ');
  if (schema.enum) return schema.enum.map((v) => JSON.stringify(v)).join(' | ');
  const types = [schema.type ?? 'any'].flat();
  return types
    .map((type) => {
      if (type === 'array') return `${kind(schema.items)}[]`;
      if (type === 'object' && schema.additionalProperties) return `map of ${kind(schema.additionalProperties)}`;
      return schema.format ? `${type} (${schema.format})` : type;
    })
    .join(' or ');
}

function fields(rows) {
  const table = make('table');
  const head = make('tr');
  for (const title of ['Field', 'Type', 'Meaning']) {
    const cell = make('th', title);
    cell.scope = 'col';
    head.append(cell);
  }
  table.append(head);
  for (const [name, type, meaning] of rows) {
    const row = make('tr');
    row.append(make('td', name), make('td', type), make('td', meaning));
    table.append(row);
  }
  return table;
}

function schemaView(schema, seen = new Set()) {
  const { name, schema: found } = resolve(schema);
  const box = make('div');
  if (!found.properties) {
    box.append(make('p', kind(schema)));
    return box;
  }
  const required = new Set(found.required ?? []);
  box.append(fields(Object.entries(found.properties).map(([key, s]) => [required.has(key) ? key : `${key}?`, kind(s), s.description ?? ''])));
  seen.add(name);
  for (const below of new Set(JSON.stringify(found.properties).match(/#\/components\/schemas\/\w+/g) ?? [])) {
    const part = below.split('/').pop();
    if (seen.has(part)) continue;
    seen.add(part);
    box.append(make('h3', part), schemaView({ $ref: below }, seen));
  }
  return box;
}

function body(operation) {
  const box = make('div');
  if (operation.security.length === 0) box.append(make('p', 'Needs no session.', 'muted'));
  if (operation.parameters) {
    box.append(make('h3', 'Parameters'), fields(operation.parameters.map((p) => [p.required ? p.name : `${p.name}?`, `${kind(p.schema)} in ${p.in}`, p.description ?? ''])));
  }
  const input = operation.requestBody?.content['application/json'];
  if (input) box.append(make('h3', `Body (${kind(input.schema)})`), schemaView(input.schema));
  for (const [status, answer] of Object.entries(operation.responses)) {
    if (status === 'default') continue;
    const output = answer.content && Object.values(answer.content)[0];
    box.append(make('h3', `Answer ${status}`), output ? schemaView(output.schema) : make('p', 'No content.'));
  }
  return box;
}

function entry(path, method, operation) {
  const details = make('details');
  details.id = operation.operationId;
  const summary = make('summary');
  summary.append(make('span', method.toUpperCase(), 'method'), make('span', path, 'path'), make('span', operation.summary, 'about'));
  details.append(summary);
  details.addEventListener('toggle', () => {
    if (details.open && details.childElementCount === 1) details.append(body(operation));
  });
  return { details, text: `${method} ${path} ${operation.operationId} ${operation.summary} ${operation.tags}`.toLowerCase() };
}

function show() {
  document.getElementById('about').textContent = doc.info.description;
  const main = document.getElementById('operations');
  const groups = doc.tags.map((tag) => {
    const section = make('section');
    section.append(make('h2', tag.name), make('p', tag.description, 'muted'));
    const entries = [];
    for (const [path, methods] of Object.entries(doc.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.tags.includes(tag.name)) entries.push(entry(path, method, operation));
      }
    }
    section.append(...entries.map((e) => e.details));
    main.append(section);
    return { section, entries };
  });
  const filter = document.getElementById('filter');
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { section, entries } of groups) {
      let some = false;
      for (const { details, text } of entries) {
        details.hidden = !words.every((word) => text.includes(word));
        if (!details.hidden) {
          some = true;
          shown++;
        }
      }
      section.hidden = !some;
    }
    document.getElementById('count').textContent = `${shown} operations`;
  };
  filter.addEventListener('input', apply);
  apply();
  const linked = location.hash && document.getElementById(location.hash.slice(1));
  if (linked) {
    linked.open = true;
    linked.scrollIntoView();
  }
}

if (doc) show();
