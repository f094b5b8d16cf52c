import type { Dim, Layout, Shape } from '../layout/layout.ts'
import type { DType } from '../dtype.ts'
import * as say from './messages.ts'
import { refuse } from './refusal.ts'

/** Reads `b:2 t:16@sp s:1024@?` into a shape and a layout; '' is a scalar. `what` names the reader in messages. */
export const readSpec = (what: string, spec: string, type: DType): { readonly shape: Shape; readonly layout: Layout } => {
  const read = (spec === '' ? [] : spec.split(' ')).map((part) => {
    const [, name, size, axes] = /^([^:@ ]+):(0|[1-9]\d*)(?:@([^@ ]+))?$/.exec(part) ?? []
    return name === undefined
      ? refuse(say.notOfForm(what, part, 'dim:size or dim:size@axis'))
      : { name, size: Number(size), cut: axes === undefined ? [] : axes.split('+') }
  })
  const twice = read.find(({ name }, i) => read.findIndex((other) => other.name === name) !== i)
  if (twice !== undefined) refuse(say.dimTwice(what, twice.name))
  return {
    shape: { dims: read.map(({ name, size }) => ({ name, size })), type },
    layout: { cuts: read.map(({ cut }) => cut), pending: [] },
  }
}

/** Reads parts without axes: `h:16 d:72`. */
export const readParts = (what: string, parts: string): readonly Dim[] => {
  for (const part of parts.split(' ')) if (!/^[^:@ ]+:(0|[1-9]\d*)$/.test(part)) refuse(say.notOfForm(what, part, 'dim:size'))
  return readSpec(what, parts, 'f32').shape.dims
}
