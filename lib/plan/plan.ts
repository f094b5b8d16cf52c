import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { PrecisionCodec } from '../cluster/cluster.ts'
import { decodeWith, NumberCodec } from '../codec.ts'
import type { Fault } from '../fault.ts'
import { TemplateCodec } from '../kernel/template.ts'
import type { Phase } from '../language/scope.ts'
import { malformed, verify } from './verify.ts'

/**
 * A lowered program as data: what every rank does, in terms of dims and layouts, for all ranks at once. Ranks turn it
 * into their own kernels (lower/instantiate.ts). It can be saved, read, compared and sent.
 */
const TypeCodec = t.keyof({ f32: null, i32: null, bool: null })

/** One copy of a value: `t:16@sp s:1024`, with pending reductions where there are some. */
const PlanValueCodec = t.strict({ spec: t.string, pending: t.string, type: TypeCodec })
export type PlanValue = t.TypeOf<typeof PlanValueCodec>

const PlanPortCodec = t.exact(t.intersection([
  t.type({
    name: t.string,
    parameter: t.boolean,
    type: TypeCodec,
    dims: t.readonlyArray(t.string),
    sizes: t.readonlyArray(t.number),
    spec: t.string,
    value: t.number,
  }),
  // Of a parameter that a training leaves as it is.
  t.partial({ trained: t.literal(false) }),
]))
const ChangeCodec = t.strict({ parameter: t.string, value: t.number })

/** An input, parameter or output: its name, whole sizes in memory order, and layout. */
export type PlanPort = t.TypeOf<typeof PlanPortCodec>

const PhaseCodec: t.Type<Phase, Phase, unknown> = t.keyof({ forward: null, recompute: null, backward: null, update: null })

const ComputeCodec = t.strict({
  do: t.literal('compute'),
  phase: PhaseCodec,
  op: t.string,
  where: t.string,
  operands: t.readonlyArray(t.number),
  result: t.number,
  template: TemplateCodec,
})
/** Local work on the ranks' pieces. */
export type Compute = t.TypeOf<typeof ComputeCodec>

const MoveCodec = t.strict({
  do: t.literal('move'),
  phase: PhaseCodec,
  /** What DSP calls it: switch, gather, split …; and the collective that does it. */
  name: t.string,
  collective: t.string,
  /** What goes where: `t→s over sp`. */
  what: t.string,
  where: t.string,
  /** The layout that the program declares there, or null where it declares none. */
  declares: t.union([t.string, t.null]),
  why: t.string,
  from: t.number,
  to: t.number,
  /** Bytes that each rank sends. */
  bytes: t.readonlyArray(t.number),
})
/** A change of layout: one exchange, or a free slice. */
export type Move = t.TypeOf<typeof MoveCodec>

export type Step = Compute | Move

const DeclarationCodec = t.strict({ where: t.string, layout: t.string })
/** A `layout` or `sumOver` of the program: its line, and the layout that what follows it sees. */
export type PlanDeclaration = t.TypeOf<typeof DeclarationCodec>

const CertificateCodec = t.strict({
  /** Bytes sent by all ranks together. */
  bytes: NumberCodec,
  /** No legal plan sends less. */
  bound: NumberCodec,
  minimal: t.boolean,
  /** Bytes of the program as declared, or null where it leaves dims to the planner. */
  declaredBytes: t.union([NumberCodec, t.null]),
  /** Where the plan was made for the least time: on which cluster, the seconds that it should take, and a lower bound on them. */
  fastest: t.union([t.strict({ cluster: t.string, precision: PrecisionCodec, seconds: NumberCodec, bound: NumberCodec }), t.null]),
  /** How the bound was found, and the most choices that met in one table. */
  method: t.string,
  width: t.number,
})

/** A plan of another version may have other fields, and other meanings of the same ones: it is refused before they are looked at. */
const head = {
  format: t.literal('shardwise-plan'),
  version: t.literal(4, '4 (a plan of another version must be made again)'),
}

const fields = {
  ...head,
  program: t.string,
  mesh: t.string,
  ranks: t.number,
  values: t.readonlyArray(PlanValueCodec),
  inputs: t.readonlyArray(PlanPortCodec),
  outputs: t.readonlyArray(PlanPortCodec),
  /** Parameters that have another value after a run, and which one. */
  changes: t.readonlyArray(ChangeCodec),
  steps: t.readonlyArray(t.union([ComputeCodec, MoveCodec])),
  declarations: t.readonlyArray(DeclarationCodec),
  certificate: CertificateCodec,
}
const UnsignedCodec = t.strict(fields)
const PlanCodec = t.strict({ ...fields, hash: t.string })
export type Plan = t.TypeOf<typeof PlanCodec>
export type Unsigned = t.TypeOf<typeof UnsignedCodec>

/** The hash of a plan's content, in the canonical form in which it is written. */
const hashOf = (plan: Unsigned): string => createHash('sha256').update(JSON.stringify(UnsignedCodec.encode(plan))).digest('hex')

/** Seals a plan with the hash of its content. */
export const sign = (plan: Unsigned): Plan => ({ ...plan, hash: hashOf(plan) })

/** A plan as JSON. */
export const encodePlan = (plan: Plan): unknown => PlanCodec.encode(plan)

/**
 * Reads a plan from JSON: format and version, every field, the hash, and that every value is made once and before it is
 * used, and that every exchange sends the bytes that its layouts say (verify.ts).
 */
export const decodePlan = (json: unknown): E.Either<Fault, Plan> =>
  pipe(
    decodeWith('plan', t.type(head), json),
    E.chain(() => decodeWith('plan', PlanCodec, json)),
    E.chain((plan) =>
      plan.hash === hashOf(plan) ? E.right(plan) : E.left(
        malformed(
          'hash',
          `${hashOf(plan).slice(0, 12)}… (the hash of its content)`,
          `${plan.hash.slice(0, 12)}…: the plan was changed after it was made`,
        ),
      )
    ),
    E.chain(verify),
  )
