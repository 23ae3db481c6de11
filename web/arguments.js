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
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (tagOf(value) === "ArrayBuffer") return new Uint8Array(value);
  throw new TargetError(`a file is given as Uint8Array or ArrayBuffer, not as ${typeShown(value)}`);
}

/** What kind of object a value is, also where it comes from another window, whose classes are others. */
export function tagOf(value) {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** A value for a message, on one short line. */
export function shown(value) {
  return (typeof value === "string" ? `'${value}'` : textOf(value)).replace(/\s+/g, " ").slice(0, 80);
}

/** The type of a value for a message; undefined and null are their own. */
export function typeShown(value) {
  return value === undefined || value === null ? String(value) : tagOf(value);
}

/** A value as text; not every object has one. */
function textOf(value) {
  try {
    return String(value);
  } catch {
    return tagOf(value);
  }
}
