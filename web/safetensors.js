/** Files of tensors: github.com/huggingface/safetensors, of the types that models have. */

const TYPES = { I8: Int8Array, I32: Int32Array, F32: Float32Array, F16: Uint16Array };

/** The tensors of a file (Uint8Array), by name: {data, dims}; those of 16-bit floats become 32-bit ones. */
export function readTensors(bytes) {
  const end = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true); // of the description
  const described = JSON.parse(new TextDecoder().decode(bytes.subarray(8, end)));
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(described)) {
    if (name === "__metadata__") continue;
    const own = bytes.slice(end + data_offsets[0], end + data_offsets[1]);
    const data = new TYPES[dtype](own.buffer);
    tensors[name] = { data: dtype === "F16" ? Float32Array.from(data, float16) : data, dims: shape };
  }
  return tensors;
}

/** The number that 16 bits of IEEE 754 stand for. */
function float16(bits) {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : (2 ** -14 * fraction) / 1024);
}
