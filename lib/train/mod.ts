/** Training: how parameters start, how they follow their gradients, and the loop around it. */
export { constant, initialValues, normal, ones, uniform, xavier, zeros } from './initialise.ts'
export { adam, adamW, type Optimiser, sgd } from './optimiser.ts'
export { cosine, linearRate, type Schedule, warmUp } from './schedule.ts'
export { type TrainStep, trainStep } from './train-step.ts'
export { readParameters, type StepReport, train, type Trained, type TrainOptions } from './train.ts'
