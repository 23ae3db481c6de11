/** What the page says of a file, in rows of term and value. */

import { SRGB } from "../cicp.js";
import { readExif } from "./exif.js";

const COLOURS = ["grey", "grey and alpha", "RGB", "RGB and alpha"]; // by channels, 1 to 4
const PLACE = /(?<!xmlns):gps\w|g\0p\0s\0|\0g\0p\0s/i; // of a packet of XMP that tells one, also in UTF-16

/** Of a header and the length of its file in bytes; names: of models, by digest. */
export function factsOf(header, length, names) {
  const { width, height, tile, squares, icc, cicp } = header;
  const all = { left: 0, top: 0, width, height };
  const rows = [
    ["Size", `${width} × ${height} pixels`],
    ["File", `${bytesShown(length)}, ${perPixel(length, header)} bits per pixel`],
    ["Colour", `${COLOURS[header.channels - 1]}, ${header.depth} bits a sample`],
    ["Colours", icc?.length ? "as the ICC profile says" : (cicp ?? SRGB).name],
    ["CICP", cicp?.bytes.join("/")],
    ["Quality", Number(header.quality.toFixed(1)).toString()],
    ["Stored colours", squares.any(all, true) && (squares.any(all, false) ? "in parts" : "everywhere")],
    ["Model", header.namesModel ? (names.get(header.model) ?? header.model) : "none is needed"],
    ["Tuned for", { psnr: "PSNR", "ms-ssim": "MS-SSIM", ssimulacra2: "SSIMULACRA2" }[header.tune] ?? header.tune],
    ["Tiles", tile === null ? "one" : `${header.tiles} of ${tile} pixels a side`],
    ["Format", header.version.join(".")],
  ];
  return rows.filter(([, value]) => value);
}

/** Of a header's ICC profile, EXIF and XMP; empty where there are none. */
export function metadataOf({ icc, exif, xmp }) {
  const { make, model, date, orientation, place } = readExif(exif);
  const camera = model?.startsWith(make ?? "") ? model : [make, model].filter(Boolean).join(" ");
  const rows = [
    ["Camera", camera],
    ["Date", date],
    ["Place", (place || told(xmp)) && "is in it"],
    ["Turned", orientation > 1 && "as EXIF says"],
    ["EXIF", exif && bytesShown(exif.length)],
    ["XMP", xmp && bytesShown(xmp.length)],
    ["ICC profile", icc && bytesShown(icc.length)],
  ];
  return rows.filter(([, value]) => value);
}

/** Whether XMP tells of a place. */
function told(xmp) {
  return xmp !== null && PLACE.test(new TextDecoder("latin1").decode(xmp));
}

/** 12,345 bytes. */
export function bytesShown(length) {
  return `${length.toLocaleString("en")} byte${length === 1 ? "" : "s"}`;
}

/** Bits per pixel of a file of so many bytes. */
export function perPixel(length, { width, height }) {
  const bits = (8 * length) / (width * height);
  return bits < 100 ? bits.toFixed(3) : Math.round(bits).toLocaleString("en");
}
