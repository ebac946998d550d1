// What the vendor's OpenAPI document needs before a proxy can judge with it. Rule: nothing of the document is
// kept here; each change says why it is made.
//   node overlay.mjs DOCUMENT.yaml OUT.json     (run in a folder whose node_modules has js-yaml)
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const load = createRequire(`${process.cwd()}/`)('js-yaml').load;
const [source, target] = process.argv.slice(2);
const document = load(readFileSync(source, 'utf8'));
const schemas = document.components.schemas;
const named = (reference) => reference.split('/').pop();

// The proxy does not use the path of the server's address.
const paths = {};
for (const [path, item] of Object.entries(document.paths)) paths[`/xapi/v1${path}`] = item;
document.paths = paths;
document.servers = [{ url: '/' }];

// The token is fetched beside the API, and the upload of prompts is not in the document.
const answer = { 200: { description: 'done', content: { 'application/json': { schema: { type: 'object' } } } } };
document.paths['/connect/token'] = {
  post: { security: [], responses: { ...answer, 401: answer[200] },
    requestBody: { content: { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } } } },
};
const prompts = document.paths['/xapi/v1/customPrompts'] ?? {};
prompts.post = { responses: answer, requestBody: { content: { 'multipart/form-data': { schema: { type: 'object' } } } } };
document.paths['/xapi/v1/customPrompts'] = prompts;

// Inheritance is flattened and entities are closed: a real system refuses a body with a property it does not know.
const flat = (schema, seen = new Set()) => {
  const own = { ...(schema.properties ?? {}) };
  for (const part of schema.allOf ?? []) {
    if (part.$ref && !seen.has(part.$ref)) {
      seen.add(part.$ref);
      Object.assign(own, flat(schemas[named(part.$ref)], seen));
    } else if (part.properties) Object.assign(own, flat(part, seen));
  }
  return own;
};
for (const [name, schema] of Object.entries(schemas)) {
  const object = schema.type === 'object' || (schema.allOf ?? []).some((part) => part.type === 'object');
  if (!name.startsWith('Pbx.') || !object || name.includes('ODataErrors')) continue;
  schemas[name] = { type: 'object', title: name, properties: flat(schema), additionalProperties: false,
    patternProperties: { '^@odata\\.': {} } };
}

// An enumeration that may be null is written so that the validator takes null.
const mend = (node) => {
  if (Array.isArray(node)) return node.forEach(mend);
  if (node === null || typeof node !== 'object') return undefined;
  if (node.nullable && node.allOf?.length === 1 && node.allOf[0].$ref) {
    const referred = schemas[named(node.allOf[0].$ref)];
    if (referred?.enum) {
      delete node.allOf;
      Object.assign(node, { type: 'string', enum: [...referred.enum] });
    }
  }
  return Object.values(node).forEach(mend);
};
mend(document.paths);
mend(schemas);

// Keys by number are shadowed by keys by id.
for (const [path, item] of Object.entries(document.paths)) {
  if (/\(\{[A-Za-z]+\}\)/.test(path)) {
    for (const operation of [item, ...Object.values(item)]) {
      for (const parameter of operation?.parameters ?? []) {
        if (parameter.in === 'path' && parameter.schema?.type === 'integer') {
          parameter.schema = { anyOf: [parameter.schema, { type: 'string', pattern: "^Number='" }] };
        }
      }
    }
  }
}
writeFileSync(target, JSON.stringify(document));
