import { z } from 'zod'
import { valueAt } from '../values/layers.ts'
import { defaults } from './defaults.ts'
import { schema } from './schema.ts'

type JsonSchema = z.core.JSONSchema.BaseSchema

/** The JSON Schema (draft 7) of `spillway.yaml` for editors: nothing is required, and each setting shows its default. */
export function configJsonSchema(): JsonSchema {
  const generated = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' })
  return { ...forFile(generated, []), title: 'spillway.yaml' }
}

function forFile(node: JsonSchema, path: readonly string[]): JsonSchema {
  const { required: _, properties, ...rest } = node
  if (!properties) return { ...rest, default: valueAt(defaults, path.join('.')) as JsonSchema['default'] & {} }
  const inner = Object.entries(properties).map(([key, value]) => [
    key,
    typeof value === 'boolean' ? value : forFile(value, [...path, key]),
  ])
  return { ...rest, properties: Object.fromEntries(inner) }
}
