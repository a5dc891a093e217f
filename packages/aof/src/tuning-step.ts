/**
 * One step of tuning one bound of a flush strategy, from what the flushes since the last step looked like. Pure.
 *
 * A flush costs a fixed part and a part per record. A larger bound spreads the fixed part over more records, a smaller
 * one makes each flush shorter and leaves less at risk. So:
 *  - flushes take most of the time: grow by half over what they reach anyway, if the latency target surely allows it and if the last growth paid
 *  - flushes take little of the time: shrink by a fifth, because nothing is gained by waiting for more
 *  - the latency is above its target: shrink by a fifth, until three such steps show that the latency does not follow
 *
 * Always true:
 *  T1  min ≤ value ≤ max
 *  T2  no step can cross a dead band: growing by half (doubling from 1) cannot take a busy share from `busyHigh` to
 *      `busyLow`, nor a latency from where growth is allowed to above the target; shrinking by a fifth not the other way
 *  T3  a growth that did not raise the records per second of flush time is taken back and not tried again until flushes
 *      take twice or half as long as they did then
 */
import type { TuneRange } from "./auto-tune-settings.ts";

/** The flushes of one period. */
export interface TuningObservation {
  /** Time inside flushes ÷ time, 0..1. */
  readonly busyShare: number;
  /** Mean latency of a flush. */
  readonly meanUs: number;
  /** What to compare with the target. */
  readonly p99Us: number;
  /** Records flushed per second of time inside flushes. */
  readonly recordsPerFlushSecond: number;
  /**
   * What flushes came to in the bound's own unit: mean records, or mean milliseconds from one to the next. More than the
   * bound where more gathers while a flush is under way.
   */
  readonly reached: number;
}

/** What is remembered of a bound between steps. Begin with `{ value }`. */
export interface TuningState {
  readonly value: number;
  /** Growing is being tried: what it was before. */
  readonly growing?: { readonly value: number; readonly recordsPerFlushSecond: number } | undefined;
  /** Shrinking for the latency's sake is being tried: where it began. */
  readonly shrinking?: { readonly value: number; readonly meanUs: number; readonly steps: number } | undefined;
  /** Growing beyond this did not pay when flushes took so long. */
  readonly plateau?: { readonly value: number; readonly meanUs: number } | undefined;
  /** The latency does not follow the bound: the device takes so long for anything. */
  readonly floor?: { readonly meanUs: number } | undefined;
}

const busyHigh = 0.7;
const busyLow = 0.3;
const growth = 1.5;
const shrinkage = 0.8;
/** Half more records in a flush give half more per second where the fixed part dominates, nothing where it does not. */
const paidGain = 1.15;
const shrinkSteps = 3;
/** After three steps the bound is half; a latency that follows it at all has fallen by more. */
const followedFall = 0.9;
/** With the latency at its floor: growth may cost so much more of it. */
const floorSlack = 1.1;

/** @returns the next state; the same object when nothing is to be done or remembered */
export function nextTuning(
  state: TuningState,
  observation: TuningObservation,
  range: TuneRange,
  targetP99Us: number,
): TuningState {
  const judged = judgeGrowth(forgetOtherRegime(state, observation.meanUs), observation);
  if (judged.value !== state.value) return judged;
  if (observation.p99Us > targetP99Us && judged.floor === undefined)
    return shrinkForLatency(judged, observation, range);
  const settled = judged.shrinking === undefined ? judged : { ...judged, shrinking: undefined };
  if (observation.busyShare >= busyHigh) return grow(settled, observation, range, targetP99Us);
  if (observation.busyShare <= busyLow && settled.value > range.min) {
    return { ...settled, value: smaller(settled.value, range), growing: undefined };
  }
  return settled;
}

/** What was learned holds while flushes take about as long as they did then. */
function forgetOtherRegime(state: TuningState, meanUs: number): TuningState {
  const isOther = (then: { readonly meanUs: number } | undefined): boolean =>
    then !== undefined && (meanUs > then.meanUs * 2 || meanUs < then.meanUs / 2);
  if (!isOther(state.plateau) && !isOther(state.floor)) return state;
  return {
    ...state,
    plateau: isOther(state.plateau) ? undefined : state.plateau,
    floor: isOther(state.floor) ? undefined : state.floor,
  };
}

function judgeGrowth(state: TuningState, observation: TuningObservation): TuningState {
  const { growing } = state;
  if (growing === undefined) return state;
  const hasPaid = observation.recordsPerFlushSecond >= growing.recordsPerFlushSecond * paidGain;
  // With less load the comparison says nothing: keep the value, learn nothing.
  const isComparable = observation.busyShare >= busyHigh / growth / growth;
  if (hasPaid || !isComparable) return { ...state, growing: undefined };
  return {
    ...state,
    value: growing.value,
    growing: undefined,
    plateau: { value: growing.value, meanUs: observation.meanUs },
  };
}

function shrinkForLatency(state: TuningState, { meanUs }: TuningObservation, range: TuneRange): TuningState {
  const shrinking = state.shrinking ?? { value: state.value, meanUs, steps: 0 };
  const isAtEnd = state.value === range.min || shrinking.steps >= shrinkSteps;
  if (!isAtEnd) {
    return {
      ...state,
      value: smaller(state.value, range),
      growing: undefined,
      shrinking: { ...shrinking, steps: shrinking.steps + 1 },
    };
  }
  const hasFollowed = meanUs <= shrinking.meanUs * followedFall;
  // At the smallest value with the latency still too high, no bound reaches the target: throughput decides from here.
  if (state.value === range.min && (hasFollowed || shrinking.steps === 0)) {
    return { ...state, shrinking: undefined, floor: { meanUs } };
  }
  return hasFollowed
    ? { ...state, shrinking: { value: state.value, meanUs, steps: 0 } }
    : { ...state, value: shrinking.value, shrinking: undefined, floor: { meanUs } };
}

function grow(state: TuningState, observation: TuningObservation, range: TuneRange, targetP99Us: number): TuningState {
  const ceiling = Math.min(range.max, state.plateau?.value ?? range.max);
  if (state.value >= ceiling) return state;
  // Where more gathers during a flush than the bound asks for, a bound below that changes nothing.
  const reached = Math.max(state.value, observation.reached);
  const value = Math.min(ceiling, Math.max(state.value + 1, Math.round(reached * growth)));
  const isWithinLatency =
    state.floor === undefined
      ? observation.p99Us * Math.max(1, value / reached) <= targetP99Us
      : observation.meanUs <= state.floor.meanUs * floorSlack;
  if (!isWithinLatency) return state;
  // A step shorter than half cannot be judged by what it gained.
  const isWhole = value >= Math.floor(reached * growth);
  const { recordsPerFlushSecond } = observation;
  return { ...state, value, growing: isWhole ? { value: state.value, recordsPerFlushSecond } : undefined };
}

function smaller(value: number, range: TuneRange): number {
  return Math.max(range.min, Math.min(value - 1, Math.floor(value * shrinkage)));
}
