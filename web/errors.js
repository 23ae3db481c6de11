/** Every error of bad input, in one tree, with the words of latticecodec/errors.py. */

/** Base class of all errors that this package throws on bad input. */
export class LcqError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/** The bytes are not a well-formed .lcq file. */
export class FormatError extends LcqError {}

/** A stored checksum does not match the bytes: the file is damaged. */
export class ChecksumError extends FormatError {}

/** The file needs a newer reader; the message names the version. */
export class VersionError extends FormatError {}

/** A size in the header is beyond what this reader accepts; nothing was allocated. */
export class LimitError extends FormatError {}

/** A picture, or an option, is not what it has to be; the message says what that is. */
export class TargetError extends LcqError {}

/** A model is unknown, damaged, or not the one the file was written with. */
export class ModelError extends LcqError {}
