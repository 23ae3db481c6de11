/** What a caller gives, checked, with the words of latticecodec/arguments.py: TargetError. */

import { TargetError } from "./errors.js";

/** Throws TargetError where a value that is called `name` is no integer of 1 or more. */
export function checkPositive(name, value) {
  if (!Number.isInteger(value) || value < 1) throw new TargetError(`${name} ${shown(value)} is not an integer of 1 or more`);
}

/** Throws TargetError where a value that is called `name` is no number from `low` to `high`. */
export function checkReal(name, value, low, high) {
  if (typeof value !== "number" || !(value >= low && value <= high)) {
    throw new TargetError(`${name} ${shown(value)} is not a number from ${low} to ${high}`);
  }
}

/** The bytes of an ArrayBuffer, or of a view of one, as Uint8Array; throws TargetError for anything else. */
export function asBytes(value) {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new TargetError(`a file is given as Uint8Array or ArrayBuffer, not as ${value?.constructor?.name ?? value}`);
}

/** A value for a message, on one short line. */
function shown(value) {
  return (typeof value === "string" ? `'${value}'` : String(value)).slice(0, 80);
}
