import type { Work } from '../kernel/work.ts'
import type { Cluster, Precision } from './cluster.ts'

/** How much of its f32 size a number takes, in memory and on the wire. */
export const scaleOf = (precision: Precision): number => precision === 'bf16' ? 0.5 : 1

/**
 * Seconds that a kernel takes on a device: the launch, and then its arithmetic or its memory traffic, whichever is longer
 * (the roofline).
 */
export const kernelSeconds = ({ device }: Cluster, precision: Precision, work: Work): number => {
  // A device without a rate for bf16 multiplies as fast as in f32.
  const rate = (device.matrix[precision] ?? device.matrix['f32'] ?? 0) * device.efficiency
  const arithmetic = (work.matrix === 0 ? 0 : work.matrix / rate) + work.vector / device.vector
  return device.launch + Math.max(arithmetic, work.bytes * scaleOf(precision) / device.bandwidth)
}
