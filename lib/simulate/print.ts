import colours from 'picocolors'
import type { Cluster } from '../cluster/cluster.ts'
import { type Fault, sentence } from '../fault.ts'
import { printSeconds, table } from '../report/print.ts'
import { bytesIn, type Seconds, type Simulation } from './simulate.ts'

/** `61.2 GB`, `4.7 TFLOP`: decimal, as devices are sold. */
const scaled = (amount: number, unit: string): string => {
  const power = amount < 1000 ? 0 : Math.min(5, Math.floor(Math.log10(amount) / 3))
  return `${Number((amount / 1000 ** power).toPrecision(3))} ${['', 'k', 'M', 'G', 'T', 'P'][power]}${unit}`
}

const percent = (part: number, of: number): string => `${of === 0 ? 0 : Math.round(100 * part / of)} %`

/** `18 % communication (11 % hidden)`: both are shares of the whole time. */
const printShare = ({ seconds, communication, hidden }: Seconds): string =>
  `${percent(communication, seconds)} communication (${percent(hidden, seconds)} hidden)`

const printFit = ({ memory, capacity, fits }: Simulation): string =>
  `${scaled(bytesIn(memory), 'B')} of ${scaled(capacity, 'B')} per device${fits ? '' : colours.red(' (does not fit)')}`

/** A step where parameters are changed, else a run. */
const unitOf = ({ phases }: Simulation): string => phases.some(({ phase }) => phase === 'update') ? 'step' : 'run'

/** The share of the peak rate that the products of the plan come to in the whole time: model FLOPs utilisation. */
const utilisation = ({ groups, seconds, precision }: Simulation, { device }: Cluster): string => {
  const products = groups.reduce((sum, { ranks, matrix }) => sum + ranks.length * matrix, 0) / groups.flatMap(({ ranks }) => ranks).length
  const peak = device.matrix[precision] ?? device.matrix['f32'] ?? Infinity
  return `${scaled(products, 'FLOP')} of products per device, ${percent(products / peak, seconds)} of the peak`
}

/** A simulation for people: one line that says it all, and a row for each phase. */
export const printSimulation = (simulation: Simulation, cluster: Cluster): string => {
  const { program, mesh, ranks, precision, overlap, seconds, phases } = simulation
  const rows = phases.map((phase) => [
    phase.phase,
    printSeconds(phase.seconds),
    `${printSeconds(phase.compute)} computing`,
    `${printSeconds(phase.communication)} communicating`,
    phase.hidden > 0 ? `${printSeconds(phase.hidden)} of it hidden` : '',
  ])
  return [
    `${colours.bold(program)} on ${mesh === '' ? 'one process' : mesh} (${ranks} ${
      ranks === 1 ? 'rank' : 'ranks'
    }), simulated on ${cluster.name} in ${precision}, ${overlap ? 'computing while it communicates' : 'one thing after another'}`,
    colours.bold(`${printSeconds(seconds)} per ${unitOf(simulation)}, ${printShare(simulation)}, ${printFit(simulation)}`),
    utilisation(simulation, cluster),
    ...(phases.length > 1 ? [table(rows)] : []),
  ].join('\n')
}

/** What came of one mesh: a simulation, or why the program cannot be on it. */
export interface Tried {
  readonly mesh: string
  readonly result: Simulation | Fault
}
const isFault = (result: Simulation | Fault): result is Fault => 'tag' in result

/** Best first: what fits before what doesn't, then by time; refused meshes last. */
export const ranked = (tried: readonly Tried[]): readonly Tried[] => {
  const order = ({ result }: Tried): readonly number[] => isFault(result) ? [2, 0] : [result.fits ? 0 : 1, result.seconds]
  return [...tried].sort((a, b) => order(a)[0]! - order(b)[0]! || order(a)[1]! - order(b)[1]!)
}

/** The meshes that were tried, best first. */
export const printTried = (tried: readonly Tried[]): string => {
  const best = ranked(tried)[0]
  return table(
    ranked(tried).map((one) => {
      const { mesh, result } = one
      if (isFault(result)) {
        return [colours.dim(mesh), '', '', colours.dim(shortened(result.tag === 'Refused' ? result.message : sentence(result)))]
      }
      const name = one === best && result.fits ? colours.bold(mesh) : mesh
      return [name, `${printSeconds(result.seconds)} per ${unitOf(result)}`, printShare(result), printFit(result)]
    }),
  )
}

const shortened = (text: string): string => text.length > 100 ? `${text.slice(0, 99)}…` : text

/** What a rank of a cluster can do, and its links. */
export const printCluster = ({ name, description, device, links }: Cluster): string =>
  [
    `${colours.bold(name)}  ${description}`,
    table([
      ...Object.entries(device.matrix).map((
        [precision, rate],
      ) => [`products in ${precision}`, `${scaled(rate * device.efficiency, 'FLOP')}/s`]),
      ['everything else', `${scaled(device.vector, 'FLOP')}/s`],
      ['memory', `${scaled(device.memory, 'B')} at ${scaled(device.bandwidth, 'B')}/s`],
      ['launch', printSeconds(device.launch)],
      ...links.map(({ name, ranks, bandwidth, latency }) => [
        `${name}${ranks === null ? '' : ` among ${ranks}`}`,
        `${scaled(bandwidth, 'B')}/s after ${printSeconds(latency)}`,
      ]),
    ]),
  ].join('\n')
