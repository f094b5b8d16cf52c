import * as E from 'fp-ts/lib/Either.js'
import type { Elements } from '../dtype.ts'
import { badTensor, type Fault } from '../fault.ts'
import { elementsOf } from '../kernel/kernel.ts'
import { type Box, cutBox, placeBox, volume } from '../layout/pieces.ts'
import type { NamedElements } from './executor.ts'
import type { TensorPort, Workload } from './workload.ts'

/** Between whole tensors, as the caller has them, and the pieces that ranks hold. */

/** Which tensors a call takes: all inputs, all parameters, or any of the parameters. */
export type Taken = 'input' | 'parameter' | 'some parameters'

/** Checks tensors against the declarations and cuts them: each rank's pieces, by name. Nothing is sent before this. */
export const cutInputs = (
  workload: Workload,
  values: NamedElements,
  taken: Taken,
): E.Either<Fault, readonly NamedElements[]> => {
  const ports = workload.inputs.filter((port) => port.parameter === (taken !== 'input'))
  for (const name of Object.keys(values)) {
    if (!ports.some((port) => port.name === name)) {
      return E.left(badTensor(name, strangerMessage(workload, ports, name, taken)))
    }
  }
  const pieces = Array.from({ length: workload.ranks }, (): Record<string, Elements> => ({}))
  for (const port of ports) {
    const elements = values[port.name]
    if (elements === undefined) {
      if (taken === 'some parameters') continue
      return E.left(badTensor(port.name, `it is missing: the program takes this ${taken} as ${declarationOf(port)}`))
    }
    const fault = checkTensor(port, elements)
    if (fault !== null) return E.left(fault)
    for (const [rank, mine] of pieces.entries()) mine[port.name] = pieceOf(port, elements, workload.boxOf(port, rank))
  }
  return E.right(pieces)
}

const strangerMessage = (workload: Workload, ports: readonly TensorPort[], name: string, taken: Taken): string => {
  const kind = taken === 'input' ? 'input' : 'parameter'
  if (workload.inputs.some((port) => port.name === name)) {
    return kind === 'input' ? 'it is a parameter, which is given at launch' : 'it is an input, which is given to each run'
  }
  const known = ports.map((port) => `'${port.name}'`).join(', ')
  return `the program has no such ${kind}; it has ${known === '' ? 'none' : known}`
}

/** `b:2 t:16 s:1024 = 32768 elements of f32`. */
const declarationOf = ({ dims, sizes, type }: TensorPort): string => {
  const shape = dims.map((dim, i) => `${dim}:${sizes[i]}`).join(' ')
  return `${shape === '' ? 'a single number' : shape} = ${elementsOf(sizes)} elements of ${type}`
}

const checkTensor = (port: TensorPort, elements: Elements): Fault | null => {
  const expected = declarationOf(port)
  const kind = port.type === 'f32' ? Float32Array : Int32Array
  if (!(elements instanceof kind)) {
    const got = Object.prototype.toString.call(elements).slice(8, -1)
    return badTensor(port.name, `expected ${expected} in a ${kind.name}, got a value of type ${got}`)
  }
  return elements.length === elementsOf(port.sizes) ? null : badTensor(port.name, `expected ${expected}, got ${elements.length}`)
}

/** A rank that holds all of a tensor gets it as it is. */
const pieceOf = (port: TensorPort, elements: Elements, box: Box): Elements =>
  volume(box) === elements.length ? elements : cutBox(elements, port.sizes, box)

/** How some tensors lie over the ranks, worked out once. */
export interface Holdings {
  /** For each tensor, the box of each rank. */
  readonly boxes: ReadonlyMap<TensorPort, readonly Box[]>
  /** For each rank, the names of the tensors that it hands in: of ranks that hold the same box, the first does. */
  readonly handedIn: readonly (readonly string[])[]
}

export const holdingsOf = (workload: Workload, ports: readonly TensorPort[]): Holdings => {
  const ranks = Array.from({ length: workload.ranks }, (_, rank) => rank)
  const boxes = new Map(ports.map((port) => [port, ranks.map((rank) => workload.boxOf(port, rank))]))
  const handedIn = ranks.map((): string[] => [])
  for (const [port, boxesOfPort] of boxes) {
    const taken = new Set<string>()
    for (const [rank, box] of boxesOfPort.entries()) {
      const key = JSON.stringify(box)
      if (volume(box) === 0 || taken.has(key)) continue
      taken.add(key)
      handedIn[rank]!.push(port.name)
    }
  }
  return { boxes, handedIn }
}

/** The parameters of these names and how they lie; all parameters where no names are given. */
export const parametersNamed = (
  workload: Workload,
  parameters: Holdings,
  names: readonly string[] | undefined,
): E.Either<Fault, Holdings> => {
  if (names === undefined) return E.right(parameters)
  const ports = [...parameters.boxes.keys()]
  const stranger = names.find((name) => !ports.some((port) => port.name === name))
  if (stranger !== undefined) return E.left(badTensor(stranger, strangerMessage(workload, ports, stranger, 'some parameters')))
  const wanted = new Set(names)
  return E.right({
    boxes: new Map([...parameters.boxes].filter(([{ name }]) => wanted.has(name))),
    handedIn: parameters.handedIn.map((own) => own.filter((name) => wanted.has(name))),
  })
}

/** Whole tensors from what the ranks handed in. */
export const joinPieces = ({ boxes }: Holdings, handedIn: readonly NamedElements[]): NamedElements =>
  Object.fromEntries([...boxes].map(([port, boxesOfPort]) => [port.name, joinOne(port, boxesOfPort, handedIn)]))

const joinOne = (port: TensorPort, boxes: readonly Box[], handedIn: readonly NamedElements[]): Elements => {
  const length = elementsOf(port.sizes)
  const pieces = handedIn.flatMap((values, rank) => {
    const piece = values[port.name]
    return piece === undefined ? [] : [{ box: boxes[rank]!, piece }]
  })
  if (pieces.length === 1 && pieces[0]!.piece.length === length) return pieces[0]!.piece
  const whole = port.type === 'f32' ? new Float32Array(length) : new Int32Array(length)
  for (const { box, piece } of pieces) placeBox(whole, port.sizes, box, piece)
  return whole
}
