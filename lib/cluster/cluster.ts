import * as t from 'io-ts'
import { LinkLevelCodec } from './links.ts'

/** A number type that a model may be computed in: `f32`, or `bf16` with its rates and half of the bytes. */
export const PrecisionCodec = t.keyof({ f32: null, bf16: null })
export type Precision = t.TypeOf<typeof PrecisionCodec>

const DeviceCodec = t.strict({
  name: t.string,
  /** Floating-point operations per second of matrix products (contractions and attention), in each precision that it has. */
  matrix: t.record(t.string, t.number),
  /** The share of that rate that kernels reach. */
  efficiency: t.number,
  /** Floating-point operations per second of everything else. */
  vector: t.number,
  /** Bytes per second to and from the device's memory. */
  bandwidth: t.number,
  /** Bytes of memory. */
  memory: t.number,
  /** Seconds that a kernel takes even if it does nothing. */
  launch: t.number,
})

const SourceCodec = t.strict({
  /** The field that it is about: `device.memory`, `links.0.bandwidth`. */
  field: t.string,
  /** Where the number was read, or how it was measured. */
  source: t.string,
})

/** Machines that a plan may be priced for: equal devices, joined by links of one or more levels. */
export const ClusterCodec = t.strict({
  format: t.literal('shardwise-cluster'),
  version: t.literal(1),
  name: t.string,
  description: t.string,
  device: DeviceCodec,
  links: t.readonlyArray(LinkLevelCodec),
  /** Whether a device computes while it communicates. */
  overlap: t.boolean,
  sources: t.readonlyArray(SourceCodec),
})
export type Cluster = t.TypeOf<typeof ClusterCodec>
